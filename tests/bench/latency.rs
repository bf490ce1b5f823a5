//! From the moment a notification should have been posted to its webhooks, at a steady rate however slow the answers
//! are, beside what the parts of that way take on an idle engine: functions that do nothing and an empty queue.

#[allow(dead_code, reason = "every bench uses a part of the stage")]
mod stage;

use std::time::{Duration, Instant};

use aws_sdk_sqs::config::{BehaviorVersion, Credentials, Region};
use serde_json::{Value, json};
use stage::engine::Stage;
use stage::receiver::Receiver;
use stage::report::{self, Table, median, percentile, say};
use stage::traffic::{Accepted, Sender};

/// Notifications a second, and for how long.
const RATES: [(u32, Duration); 2] = [(100, Duration::from_secs(20)), (500, Duration::from_secs(10))];
const WARM_UP: usize = 300;
const ADDRESSES: usize = 1_000;
const FLOOR_TRIES: usize = 300;

/// Functions and queues between a post and each webhook: notifications, send, deliver with two queues between them;
/// callbacks and receive with their queue come on top before the second.
const TO_CHANNEL: (f64, f64) = (3.0, 2.0);
const TO_USER: (f64, f64) = (5.0, 3.0);
/// What the simulated carrier waits before each of its two receipts, together, in milliseconds.
const CARRIER_PAUSES: f64 = 10.0;

/// Medians in milliseconds.
struct Floor {
    function: f64,
    queue: f64,
}

impl Floor {
    async fn measure(stage: &Stage) -> Self {
        Self { function: median(&functions(stage).await), queue: median(&queue_hops(stage).await) }
    }

    fn of(&self, (functions, queues): (f64, f64)) -> f64 {
        functions * self.function + queues * self.queue
    }
}

/// HTTP round trips through the gateway and a warm function that has nothing to do.
async fn functions(stage: &Stage) -> Vec<f64> {
    let url = format!("{}/v1.1/nothing", stage.url());
    let mut times = Vec::new();
    for _ in 0..FLOOR_TRIES {
        let start = Instant::now();
        let status = stage.http().get(&url).send().await.unwrap().status();
        times.push(milliseconds(start.elapsed()));
        assert_eq!(status, 404);
    }
    times
}

/// `SendMessage` to an empty queue until a waiting `ReceiveMessage` has it, by the SDK.
async fn queue_hops(stage: &Stage) -> Vec<f64> {
    let config = aws_sdk_sqs::Config::builder()
        .behavior_version(BehaviorVersion::latest())
        .region(Region::new("us-east-1"))
        .http_client(shared::http::aws().unwrap())
        .credentials_provider(Credentials::new("bench", "bench", None, None, "bench"))
        .endpoint_url(format!("{}/_aws/bench", stage.url()));
    let client = aws_sdk_sqs::Client::from_conf(config.build());
    let queues = client.list_queues().send().await.unwrap();
    // A dead-letter queue: no function is fed from it.
    let queue = queues.queue_urls().iter().find(|url| url.ends_with("-deliver-dead")).unwrap();
    let mut times = Vec::new();
    for _ in 0..FLOOR_TRIES {
        let receive = client.receive_message().queue_url(queue).wait_time_seconds(5).send();
        let start = Instant::now();
        let send = client.send_message().queue_url(queue).message_body("{}").send();
        let (received, sent) = tokio::join!(receive, send);
        times.push(milliseconds(start.elapsed()));
        sent.unwrap();
        let handle = received.unwrap().messages()[0].receipt_handle().unwrap().to_owned();
        client.delete_message().queue_url(queue).receipt_handle(handle).send().await.unwrap();
    }
    times
}

/// One rate, measured. Milliseconds throughout.
struct Measured {
    asked: u32,
    per_second: f64,
    refused: usize,
    accepted: Vec<f64>,
    channel: Vec<f64>,
    user: Vec<f64>,
}

impl Measured {
    async fn at(rate: u32, duration: Duration, sender: &Sender, receiver: &Receiver, stage: &Stage) -> Self {
        receiver.take();
        let start = Instant::now();
        let sent = sender.steady(rate, duration, ADDRESSES).await;
        let accepted: Vec<Accepted> = sent.iter().filter_map(|sent| sent.clone().ok()).collect();
        receiver.ended(accepted.len()).await;
        let took = start.elapsed().as_secs_f64();
        stage.idle().await;
        let heard = receiver.take();
        let until = |one: &Accepted, at: Option<Instant>| milliseconds(at.unwrap() - one.sent);
        Self {
            asked: rate,
            per_second: accepted.len() as f64 / took,
            refused: sent.len() - accepted.len(),
            accepted: accepted.iter().map(|one| milliseconds(one.accepted - one.sent)).collect(),
            channel: accepted.iter().map(|one| until(one, heard[&one.id].channel)).collect(),
            user: accepted.iter().map(|one| until(one, heard[&one.id].user)).collect(),
        }
    }

    fn print(&self, floor: &Floor) {
        say(&format!(
            "{} a second asked, {:.0} a second delivered, {} refused",
            self.asked, self.per_second, self.refused
        ));
        let mut table = Table::new(["milliseconds from post to", "least", "p50", "p99", "p50 / least"]);
        let ways = [
            ("201", floor.function, &self.accepted),
            ("webhook delivery:channel", floor.of(TO_CHANNEL), &self.channel),
            ("webhook delivery:user", floor.of(TO_USER) + CARRIER_PAUSES, &self.user),
        ];
        for (name, least, times) in ways {
            let (p50, p99) = (median(times), percentile(times, 0.99));
            let numbers = [least, p50, p99, p50 / least].map(|number| format!("{number:.1}"));
            let [least, p50, p99, ratio] = numbers;
            table.row([name.to_owned(), least, p50, p99, ratio]);
        }
        table.print();
    }

    fn json(&self) -> Value {
        let shares = |times: &[f64]| json!({ "p50": median(times), "p99": percentile(times, 0.99) });
        json!({
            "asked": self.asked,
            "deliveredPerSecond": self.per_second,
            "refused": self.refused,
            "acceptedMs": shares(&self.accepted),
            "channelMs": shares(&self.channel),
            "userMs": shares(&self.user),
        })
    }
}

fn milliseconds(duration: Duration) -> f64 {
    duration.as_secs_f64() * 1000.0
}

async fn bench() {
    let data_dir = tempfile::tempdir().unwrap();
    let stage = Stage::start(data_dir.path());
    let receiver = Receiver::start().await;
    let sender = Sender::new(&stage, &stage.app(&[receiver.url().to_owned()]).await);
    sender.burst(WARM_UP, 16, ADDRESSES).await;
    receiver.ended(WARM_UP).await;
    stage.idle().await;

    let floor = Floor::measure(&stage).await;
    say(&format!("idle engine, medians: a function {:.2} ms, a queue {:.2} ms", floor.function, floor.queue));
    let mut rates = Vec::new();
    for (rate, duration) in RATES {
        let measured = Measured::at(rate, duration, &sender, &receiver, &stage).await;
        measured.print(&floor);
        rates.push(measured.json());
    }
    report::save(
        "latency",
        &json!({ "floor": { "functionMs": floor.function, "queueMs": floor.queue }, "rates": rates }),
    );
}

fn main() {
    stage::run(bench());
}
