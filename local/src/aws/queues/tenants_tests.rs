use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::time::Duration;

use rusqlite::Connection;

use super::super::messages::{self, NewMessage};
use super::*;
use crate::lambda::template::Queue;

/// A second's worth of tenants: each has so many messages in flight.
fn with_in_flight(of: &[(&str, usize)]) -> Tenants {
    let mut tenants = Tenants::default();
    for (tenant, count) in of {
        for index in 0..*count {
            tenants.taken(&format!("{tenant}{index}"), 0, tenant, 1_000_000, 0);
        }
    }
    tenants
}

#[test]
fn noisy_is_who_has_thirty_in_flight_and_more_than_a_tenth_of_them() {
    assert_eq!(with_in_flight(&[("a", 30), ("b", 29), ("", 200)]).noisy(0), ["a"]);
    assert!(with_in_flight(&[("a", 30), ("", 270)]).noisy(0).is_empty(), "a tenth is not more than a tenth");
    assert!(with_in_flight(&[("a", 29)]).noisy(0).is_empty());
    assert!(with_in_flight(&[("", 1_000)]).noisy(0).is_empty(), "messages without a tenant are tenants of their own");
}

#[test]
fn noisy_is_who_used_more_than_a_tenth_of_the_consumers_recent_time() {
    let mut tenants = with_in_flight(&[("slow", 1), ("", 8)]);
    assert_eq!(tenants.noisy(1_000), ["slow"]);
    let mut tenants = with_in_flight(&[("slow", 1), ("", 10)]);
    assert!(tenants.noisy(1_000).is_empty());
}

#[test]
fn of_the_noisy_the_one_with_the_fewest_in_flight_goes_first() {
    assert_eq!(with_in_flight(&[("a", 40), ("b", 31), ("c", 50)]).noisy(0), ["b", "a", "c"]);
}

#[test]
fn noise_is_forgotten_with_its_backlog_or_after_five_minutes() {
    let over = |tenants: &mut Tenants| (0..30).for_each(|index| tenants.done(&format!("a{index}"), 0));
    let mut drained = with_in_flight(&[("a", 30), ("", 10)]);
    assert_eq!(drained.noisy(0), ["a"]);
    drained.drained("a");
    assert_eq!(drained.noisy(0), ["a"], "what is in flight still counts");
    over(&mut drained);
    assert_eq!(drained.noisy(0), ["a"], "with a backlog it stays noisy");
    drained.drained("a");
    assert!(drained.noisy(0).is_empty());

    let mut gone = with_in_flight(&[("a", 30), ("", 10)]);
    assert_eq!(gone.noisy(0), ["a"]);
    over(&mut gone);
    assert_eq!(gone.noisy(299_999), ["a"]);
    assert!(gone.noisy(300_000).is_empty());
}

#[test]
fn a_flight_ends_when_its_message_is_shown_again() {
    let mut tenants = with_in_flight(&[("a", 30), ("", 1_000)]);
    tenants.hidden("a0", 2_000_000);
    assert!(tenants.noisy(999_999).is_empty());
    tenants.noisy(1_000_000);
    assert_eq!(tenants.all.in_flight, 1);
    tenants.shown(&|_| false, 1_000_000);
    assert_eq!((tenants.all.in_flight, tenants.ends.len()), (0, 0));
}

/// A queue and its consumers in virtual time, in milliseconds.
struct Line {
    connection: Connection,
    spec: Queue,
    tenants: Tenants,
    idle: usize,
    busy: BinaryHeap<Reverse<(i64, usize)>>,
    batches: Vec<Vec<String>>,
    /// When each of B's messages was sent, and how long it took until it was done.
    waits: Vec<i64>,
    /// Messages of A that were handed out while one of B was waiting.
    overtaken: usize,
}

const CONSUMERS: usize = 50;
const BATCH: usize = 10;
const B_TAKES: i64 = 1_000;

impl Line {
    fn new(is_fair: bool) -> Self {
        let connection = Connection::open_in_memory().expect("SQLite");
        messages::prepare(&connection).expect("schema");
        let mut tenants = Tenants::default();
        tenants.play_fair(is_fair);
        let spec = Queue {
            name: "jobs".into(),
            visibility_timeout: Duration::from_secs(180),
            retention: Duration::from_secs(345_600),
            delay: Duration::ZERO,
            redrive: None,
        };
        let busy = BinaryHeap::new();
        Self { connection, spec, tenants, idle: CONSUMERS, busy, batches: vec![], waits: vec![], overtaken: 0 }
    }

    fn send(&mut self, group: &str, count: usize, now: i64) {
        let message = NewMessage {
            message_id: String::new(),
            body: "x".into(),
            attributes: None,
            group: group.into(),
            delay_ms: 0,
        };
        for _ in 0..count {
            messages::send(&self.connection, "jobs", &message, now).expect("sent");
        }
    }

    /// Idle consumers take batches. A's messages take a second to three, all of a batch at once.
    fn hand_out(&mut self, now: i64) {
        while self.idle > 0 {
            let taken = messages::receive(&self.connection, &self.spec, &mut self.tenants, BATCH, 180_000, now);
            let taken = taken.expect("received").messages;
            if taken.is_empty() {
                return;
            }
            let of_a = taken.iter().filter(|message| message.group == "a").count();
            let of_b = taken.iter().filter(|message| message.group == "b");
            self.waits.extend(of_b.map(|message| now - message.sent_at + B_TAKES));
            let waiting: i64 = self
                .connection
                .query_row("SELECT count(*) FROM message WHERE tenant = 'b' AND visible_at <= ?", [now], |row| {
                    row.get(0)
                })
                .expect("counted");
            self.overtaken += if waiting > 0 { of_a } else { 0 };
            let spread = i64::try_from(self.batches.len() * 7_919 % 2_001).expect("small");
            let takes = if of_a > 0 { 1_000 + spread } else { B_TAKES };
            self.busy.push(Reverse((now + takes, self.batches.len())));
            self.batches.push(taken.into_iter().map(|message| message.receipt_handle).collect());
            self.idle -= 1;
        }
    }

    /// Consumers end what they are at until then, and go on.
    fn run_until(&mut self, until: i64) {
        while let Some(Reverse((at, batch))) = self.busy.peek().copied().filter(|Reverse((at, _))| *at <= until) {
            self.busy.pop();
            self.idle += 1;
            for handle in std::mem::take(&mut self.batches[batch]) {
                self.tenants.done(&handle, at);
                messages::delete(&self.connection, "jobs", &handle).expect("asked").expect("deleted");
            }
            self.hand_out(at);
        }
        self.hand_out(until);
    }

    /// B sends a message every quarter of a second for a minute; its p99 from sent to done.
    fn p99_of_b(mut self, backlog_of_a: usize) -> (i64, usize) {
        self.send("a", backlog_of_a, 0);
        self.hand_out(0);
        self.run_until(5_000);
        let mut now = 5_000;
        for _ in 0..240 {
            self.send("b", 1, now);
            self.run_until(now);
            now += 250;
            self.run_until(now);
        }
        self.run_until(now + 600_000);
        assert_eq!(self.waits.len(), 240);
        self.waits.sort_unstable();
        (self.waits[237], self.overtaken)
    }
}

/// A has 20,000 waiting, and each takes the consumers long.
#[test]
fn a_tenants_backlog_costs_another_a_fifth_at_most_where_the_queue_is_fair() {
    let (alone, _) = Line::new(true).p99_of_b(0);
    assert_eq!(alone, B_TAKES);
    let (fair, overtaken) = Line::new(true).p99_of_b(20_000);
    assert!(fair <= alone * 12 / 10, "{fair} ms with fairness, {alone} ms alone");
    assert_eq!(overtaken, 0, "no message of a noisy tenant is handed out while a quiet one's waits");
    let (unfair, _) = Line::new(false).p99_of_b(20_000);
    assert!(unfair > alone * 50, "{unfair} ms without fairness, {alone} ms alone");
}
