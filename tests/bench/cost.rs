//! What a notification costs: AWS calls as the local engine counts them, at list prices, beside the theoretical least,
//! the budget and a naive design. Counts, not timings; only billed milliseconds are measured.
//!
//! The model: text to one address, one carrier call, receipts `sent` and `delivered`, one webhook that hears
//! `delivery:channel` and `delivery:user`. The person is known and functions are warm, caches filled. Receives that
//! found an empty queue depend on time and not on notifications, and are counted apart.

#[allow(dead_code, reason = "every bench uses a part of the stage")]
mod stage;

use std::time::Duration;

use serde_json::{Value, json};
use stage::engine::Stage;
use stage::receiver::Receiver;
use stage::report::{self, Table, say};
use stage::traffic::Sender;

/// List prices in US East (N. Virginia), in dollars: Lambda on arm64, SQS standard queues beyond the free tier, DynamoDB
/// on demand, HTTP API.
const INVOCATION: f64 = 0.20e-6;
const GB_SECOND: f64 = 0.000_013_333_4;
const SQS_REQUEST: f64 = 0.40e-6;
/// What a message that says whose it is costs more, once.
const GROUPED_MESSAGE: f64 = 0.10e-6;
const WRITE_UNIT: f64 = 0.625e-6;
const READ_UNIT: f64 = 0.125e-6;
const HTTP_REQUEST: f64 = 1.00e-6;

/// Notifications of a round at full batches: ten batches of ten at every stage but the last, which gets two.
const ROUND: usize = 100;
const BATCH: u64 = 10;
/// Rounds of which the median is shown.
const ROUNDS: usize = 5;
/// Rounds at most, should some not find full batches.
const TRIES: usize = 40;
/// Notifications sent one after another.
const SINGLE: usize = 30;

/// What some notifications cost together.
#[derive(Debug, Clone, Copy, Default)]
struct Bill {
    invocations: f64,
    sqs_requests: f64,
    /// Messages that were read from queues, each of which says whose it is.
    grouped_messages: f64,
    write_units: f64,
    read_units: f64,
    gb_seconds: f64,
    http_requests: f64,
    idle_receives: f64,
    cold_starts: f64,
}

/// A line of the table: what it is, how it is read off a bill, and what the design says of it.
struct Line {
    name: &'static str,
    of: fn(&Bill) -> f64,
    least: f64,
    budget: f64,
    naive: f64,
}

const LINES: [Line; 7] = [
    Line { name: "Lambda invocations", of: |bill| bill.invocations, least: 3.2, budget: 3.3, naive: 8.0 },
    Line { name: "SQS requests", of: |bill| bill.sqs_requests, least: 2.5, budget: 2.7, naive: 15.0 },
    Line { name: "DynamoDB write units", of: |bill| bill.write_units, least: 2.0, budget: 3.0, naive: 10.0 },
    Line { name: "DynamoDB read units", of: |bill| bill.read_units, least: 0.0, budget: 0.6, naive: 5.0 },
    Line { name: "requests through API Gateway", of: |bill| bill.http_requests, least: 0.0, budget: 1.0, naive: 3.0 },
    Line { name: "dollars per million", of: |bill| bill.dollars() * 1e6, least: 3.1, budget: 4.9, naive: 24.0 },
    Line {
        name: "… with the intake's function URL",
        of: |bill| bill.dollars_past_the_gateway() * 1e6,
        least: 3.1,
        budget: 3.9,
        naive: 24.0,
    },
];

/// What a first message to a new address may cost more.
const NEW_ADDRESS_WRITE_UNITS: f64 = 4.0;
const NEW_ADDRESS_READ_UNITS: f64 = 1.0;

impl Bill {
    /// From the engine's accounts, shared among so many notifications.
    fn of(calls: &Value, notifications: usize) -> Self {
        let number = |value: &Value| value.as_f64().unwrap_or(0.0);
        let mut bill = Self { http_requests: number(&calls["httpRequests"]), ..Self::default() };
        // The simulated carriers look integrations up in the table, too: whoever is never invoked is no function.
        let functions = calls["functions"].as_object().unwrap().values().filter(|account| account["memoryMb"] != 0);
        for account in functions {
            let empty = number(&account["calls"]["sqs:ReceiveMessage"]) - number(&account["batches"]);
            bill.invocations += number(&account["invocations"]);
            bill.sqs_requests += number(&account["sqsRequests"]) - empty;
            bill.grouped_messages += number(&account["records"]);
            bill.idle_receives += empty;
            bill.write_units += number(&account["writeUnits"]);
            bill.read_units += number(&account["readUnits"]);
            bill.gb_seconds += number(&account["billedMs"]) / 1000.0 * number(&account["memoryMb"]) / 1024.0;
            bill.cold_starts += number(&account["coldStarts"]);
        }
        bill.map(|value| value / notifications as f64)
    }

    fn map(self, change: impl Fn(f64) -> f64) -> Self {
        Self {
            invocations: change(self.invocations),
            sqs_requests: change(self.sqs_requests),
            grouped_messages: change(self.grouped_messages),
            write_units: change(self.write_units),
            read_units: change(self.read_units),
            gb_seconds: change(self.gb_seconds),
            http_requests: change(self.http_requests),
            idle_receives: change(self.idle_receives),
            cold_starts: change(self.cold_starts),
        }
    }

    fn dollars(&self) -> f64 {
        self.dollars_past_the_gateway() + self.http_requests * HTTP_REQUEST
    }

    /// Where businesses send to the intake's function URL: nothing else of the model goes through the HTTP API.
    fn dollars_past_the_gateway(&self) -> f64 {
        self.invocations * INVOCATION
            + self.gb_seconds * GB_SECOND
            + self.sqs_requests * SQS_REQUEST
            + self.grouped_messages * GROUPED_MESSAGE
            + self.write_units * WRITE_UNIT
            + self.read_units * READ_UNIT
    }

    fn json(&self) -> Value {
        json!({
            "lambdaInvocations": self.invocations,
            "sqsRequests": self.sqs_requests,
            "groupedMessages": self.grouped_messages,
            "writeUnits": self.write_units,
            "readUnits": self.read_units,
            "gbSeconds": self.gb_seconds,
            "dollarsPerMillion": self.dollars() * 1e6,
            "dollarsPerMillionPastTheGateway": self.dollars_past_the_gateway() * 1e6,
            "httpRequests": self.http_requests,
            "idleReceives": self.idle_receives,
            "coldStarts": self.cold_starts,
        })
    }
}

/// One way of sending, measured.
struct Measured {
    bill: Bill,
    calls: Value,
    notifications: usize,
}

impl Measured {
    async fn read(stage: &Stage, notifications: usize) -> Self {
        let calls = stage.calls().await;
        Self { bill: Bill::of(&calls, notifications), calls, notifications }
    }

    /// Whether every batch was full and every process warm.
    fn is_full_and_warm(&self) -> bool {
        let accounts = self.calls["functions"].as_object().unwrap();
        let full = accounts.values().all(|account| {
            account["records"].as_u64().unwrap_or(0) == account["batches"].as_u64().unwrap_or(0) * BATCH
        });
        full && self.bill.cold_starts == 0.0
    }
}

struct Bench {
    stage: Stage,
    sender: Sender,
}

impl Bench {
    /// Everything at batches of ten: pollers are paused while work piles up before the next stage. `None` if a batch
    /// slipped through half full, or a process was not warm.
    async fn full_batches(&self) -> Option<Measured> {
        self.stage.pause_pollers(true).await;
        self.stage.reset_calls().await;
        self.sender.burst(ROUND, 10, ROUND).await;
        for queue in ["local-send-twilio", "local-receive", "local-deliver"] {
            self.let_through(queue).await;
        }
        self.stage.pause_pollers(false).await;
        self.stage.idle().await;
        let measured = Measured::read(&self.stage, ROUND).await;
        measured.is_full_and_warm().then_some(measured)
    }

    /// Lets pollers take what a queue holds, and waits until all that follows without pollers is done.
    async fn let_through(&self, queue: &str) {
        self.stage.pause_pollers(false).await;
        while self.stage.visible(queue).await > 0 {}
        self.stage.pause_pollers(true).await;
        while !self.stage.pending(Duration::from_millis(20)).await.is_still() {}
    }

    /// The median by price of some rounds.
    async fn full_rounds(&self) -> Measured {
        let mut rounds = Vec::new();
        for _ in 0..TRIES {
            rounds.extend(self.full_batches().await);
            if rounds.len() == ROUNDS {
                break;
            }
        }
        assert_eq!(rounds.len(), ROUNDS, "too few rounds in {TRIES} found full batches and warm functions");
        rounds.sort_by(|a, b| a.bill.dollars().total_cmp(&b.bill.dollars()));
        rounds.swap_remove(ROUNDS / 2)
    }

    /// Many at once, and nobody steers: batches are what pollers find.
    async fn burst(&self) -> Measured {
        self.stage.reset_calls().await;
        self.sender.burst(ROUND, 10, ROUND).await;
        self.stage.idle().await;
        Measured::read(&self.stage, ROUND).await
    }

    /// One after another, each when the one before it has ended, to `addresses`.
    async fn one_at_a_time(&self, addresses: std::ops::Range<usize>) -> Measured {
        self.stage.reset_calls().await;
        let notifications = addresses.len();
        for address in addresses {
            self.sender.send(address).await.unwrap();
            self.stage.idle().await;
        }
        Measured::read(&self.stage, notifications).await
    }
}

async fn bench() {
    let data_dir = tempfile::tempdir().unwrap();
    let stage = Stage::start(data_dir.path());
    let receiver = Receiver::start().await;
    let app = stage.app(&[receiver.url().to_owned()]).await;
    let bench = Bench { sender: Sender::new(&stage, &app), stage };

    // Makes everybody known, starts the processes, fills their caches.
    bench.burst().await;
    bench.full_batches().await;
    let full = bench.full_rounds().await;
    let burst = bench.burst().await;
    bench.one_at_a_time(0..SINGLE / 3).await;
    let single = bench.one_at_a_time(0..SINGLE).await;
    let new = bench.one_at_a_time(ROUND..ROUND + SINGLE).await;

    print_costs(&full, &burst, &single);
    print_aside(&full, &single, &new);
    print_calls(&full);
    report::save(
        "cost",
        &json!({
            "fullBatches": full.bill.json(),
            "fullBatchesCalls": full.calls,
            "burst": burst.bill.json(),
            "oneAtATime": single.bill.json(),
            "oneAtATimeCalls": single.calls,
            "newAddress": new.bill.json(),
            "lines": LINES.map(|line| json!({
                "name": line.name, "least": line.least, "budget": line.budget, "naive": line.naive,
                "measured": (line.of)(&full.bill), "kept": (line.of)(&full.bill) <= line.budget,
            })),
        }),
    );
}

fn print_costs(full: &Measured, burst: &Measured, single: &Measured) {
    let batches = format!("batches of {BATCH}");
    let burst_name = format!("burst of {ROUND}");
    let heading = ["per notification", "least", &batches, "budget", "", "naive", &burst_name, "one at a time"];
    let mut table = Table::new(heading);
    for Line { name, of, least, budget, naive } in LINES {
        let number = |value: f64| format!("{value:.2}");
        let value = of(&full.bill);
        table.row([
            name.to_owned(),
            number(least),
            number(value),
            number(budget),
            report::verdict(value, budget).to_owned(),
            number(naive),
            number(of(&burst.bill)),
            number(of(&single.bill)),
        ]);
    }
    table.print();
}

fn print_aside(full: &Measured, single: &Measured, new: &Measured) {
    let duration = full.bill.gb_seconds * GB_SECOND * 1e6;
    say(&format!(
        "Lambda's duration is ${duration:.3} of the dollars, as measured on this machine; every 10 ms more in each \
         invocation add ${:.3}",
        full.bill.invocations * 0.01 * 0.25 * GB_SECOND * 1e6
    ));
    say(&format!(
        "receives of empty queues, apart: {} in the round of {}, {} in the {} sent one at a time",
        full.bill.idle_receives * full.notifications as f64,
        full.notifications,
        single.bill.idle_receives * single.notifications as f64,
        single.notifications
    ));
    let (writes, reads) =
        (new.bill.write_units - single.bill.write_units, new.bill.read_units - single.bill.read_units);
    say(&format!(
        "first message to a new address, once: {writes:.2} write units more (at most {NEW_ADDRESS_WRITE_UNITS}, {}), \
         {reads:.2} read units more (at most {NEW_ADDRESS_READ_UNITS}, {})",
        report::verdict(writes, NEW_ADDRESS_WRITE_UNITS),
        report::verdict(reads, NEW_ADDRESS_READ_UNITS)
    ));
    say("");
}

/// Where the cost comes from.
fn print_calls(measured: &Measured) {
    let mut table = Table::new([
        "function",
        "per notification",
        "records per batch",
        "billed ms each",
        "AWS calls per notification",
    ]);
    for (name, account) in measured.calls["functions"].as_object().unwrap() {
        let number = |key: &str| account[key].as_f64().unwrap_or(0.0);
        if number("invocations") == 0.0 {
            continue;
        }
        let share = |value: f64| value / measured.notifications as f64;
        let calls = account["calls"].as_object().into_iter().flatten();
        let calls = calls.map(|(call, count)| format!("{call} {:.2}", share(count.as_f64().unwrap_or(0.0))));
        let batches = number("batches");
        table.row([
            name.clone(),
            format!("{:.2}", share(number("invocations"))),
            if batches > 0.0 { format!("{:.1}", number("records") / batches) } else { "-".to_owned() },
            format!("{:.1}", number("billedMs") / number("invocations")),
            calls.collect::<Vec<_>>().join(", "),
        ]);
    }
    table.print();
}

fn main() {
    stage::run(bench());
}
