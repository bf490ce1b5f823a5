//! From a function over one task to a function over a batch: isolated records, one publication, partial failures.
//!
//! A record that fails, cannot be read or panics is reported alone; the others are done. What records publish goes out
//! together, but never waits for a slow one among them; and a record with an event that could not be published is reported
//! too: tasks bear being repeated. What others published is not published again.

use std::collections::{BTreeSet, HashMap, VecDeque};
use std::future::Future;
use std::ops::Range;
use std::sync::Arc;
use std::time::Duration;

use aws_lambda_events::sqs::{SqsEvent, SqsMessage};
use serde::de::DeserializeOwned;
use serde_json::{Value, json};
use tokio::task::{Id, JoinSet};
use tokio::time::{Instant, timeout_at};

use crate::ids::EventId;
use crate::model::Timestamp;
use crate::publish::Publisher;
use crate::queue::Queue;
use crate::retry;
use crate::system::jitter;
use crate::telemetry::{Causes, Metric, Outcome};
use crate::webhook::Event;

/// What a record is done with waits at most so long for others to be published with it: the batch is no slower for it,
/// and a full one that is quick is published in one request.
const TOGETHER: Duration = Duration::from_secs(1);

/// One task out of a batch.
#[derive(Debug, Clone)]
pub struct Record<T> {
    pub task: T,
    /// How often the queue has given out this task, this time included.
    pub receives: u32,
    /// When it was put on the queue; a redrive puts it there anew.
    pub enqueued: Option<Timestamp>,
    /// Whether it had to wait for others of its lane.
    pub waited: bool,
}

/// Records of one lane are handled one after the other, by time; lanes go side by side.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LanePlace {
    pub lane: String,
    pub at: Timestamp,
}

impl<T> Record<T> {
    /// Whether an earlier reading of this task, made at `made`, may have died half-way.
    pub fn may_be_a_repeat(&self, made: Timestamp) -> bool {
        retry::may_be_a_repeat(self.receives, made, self.enqueued)
    }
}

/// The task is not done. It comes back, at the latest after the queue's visibility time-out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Later {
    /// For the log: a sentence without personal data.
    pub reason: String,
    /// Seconds until it comes back; `None` leaves it to the schedule of retries.
    pub wait: Option<u32>,
}

impl Later {
    pub fn because(reason: impl std::fmt::Display) -> Self {
        Self { reason: reason.to_string(), wait: None }
    }

    pub fn after(self, seconds: u32) -> Self {
        Self { wait: Some(seconds), ..self }
    }
}

impl<E: std::error::Error + 'static> From<E> for Later {
    fn from(error: E) -> Self {
        Self::because(Causes(&error))
    }
}

/// A message of SQS that this invocation answers for.
struct InFlight {
    message_id: String,
    handle: String,
    receives: u32,
    enqueued: Option<Timestamp>,
}

/// Runs `handle` on every record of the batch at once, publishes what they return, and answers as SQS event sources
/// expect: `{"batchItemFailures":[{"itemIdentifier"}]}`.
pub async fn run<T, F, Fut>(batch: SqsEvent, queue: &Queue, publisher: Option<&Publisher>, handle: F) -> Value
where
    T: DeserializeOwned,
    F: Fn(Record<T>) -> Fut,
    Fut: Future<Output = Handled> + Send + 'static,
{
    run_in_lanes(batch, queue, publisher, |_| None, handle).await
}

/// As [`run`], but records that have a place wait for those before them in their lane, whatever becomes of those.
pub async fn run_in_lanes<T, F, Fut>(
    batch: SqsEvent,
    queue: &Queue,
    publisher: Option<&Publisher>,
    place: impl Fn(&T) -> Option<LanePlace>,
    handle: F,
) -> Value
where
    T: DeserializeOwned,
    F: Fn(Record<T>) -> Fut,
    Fut: Future<Output = Handled> + Send + 'static,
{
    let (lanes, mut failed) = lanes(batch, place);
    let mut running = Running { tasks: JoinSet::new(), lanes: HashMap::new() };
    lanes.into_iter().for_each(|lane| running.start(lane, &handle));
    let mut done = Done::default();
    loop {
        let Ok(next) = timeout_at(done.due, running.next()).await else {
            failed.extend(std::mem::take(&mut done).publish(publisher).await);
            continue;
        };
        let Some((in_flight, result, mut lane)) = next else { break };
        match result {
            Ok(events) => done.add(in_flight, events),
            Err(later) => failed.push((in_flight, later)),
        }
        lane.iter_mut().for_each(|(_, record)| record.waited = true);
        running.start(lane, &handle);
    }
    failed.extend(done.publish(publisher).await);
    report(queue, failed).await
}

/// Records that wait for each other, first come first.
type Lane<T> = VecDeque<(InFlight, Record<T>)>;

type Handled = Result<Vec<Event>, Later>;

/// Records that are being handled, each with those that wait for it.
struct Running<T> {
    tasks: JoinSet<Handled>,
    lanes: HashMap<Id, (InFlight, Lane<T>)>,
}

impl<T> Running<T> {
    /// The first of a lane.
    fn start<F, Fut>(&mut self, mut lane: Lane<T>, handle: &F)
    where
        F: Fn(Record<T>) -> Fut,
        Fut: Future<Output = Handled> + Send + 'static,
    {
        if let Some((in_flight, record)) = lane.pop_front() {
            self.lanes.insert(self.tasks.spawn(handle(record)).id(), (in_flight, lane));
        }
    }

    /// The next that is done with, and the rest of its lane. May be dropped and called again.
    async fn next(&mut self) -> Option<(InFlight, Handled, Lane<T>)> {
        let (id, result) = match self.tasks.join_next_with_id().await? {
            Ok((id, result)) => (id, result),
            Err(panic) => (panic.id(), Err(Later::because("the task panicked"))),
        };
        let (in_flight, lane) = self.lanes.remove(&id)?;
        Some((in_flight, result, lane))
    }
}

/// The batch's lanes, one for each record without a place; and what cannot be read.
fn lanes<T: DeserializeOwned>(
    batch: SqsEvent,
    place: impl Fn(&T) -> Option<LanePlace>,
) -> (Vec<Lane<T>>, Vec<(InFlight, Later)>) {
    let (mut alone, mut failed) = (Vec::new(), Vec::new());
    let mut shared: HashMap<String, Vec<(Timestamp, InFlight, Record<T>)>> = HashMap::new();
    for message in batch.records {
        let (in_flight, task) = read::<T>(message);
        let task = match task {
            Ok(task) => task,
            Err(later) => {
                failed.push((in_flight, later));
                continue;
            }
        };
        let place = place(&task);
        let record = Record { task, receives: in_flight.receives, enqueued: in_flight.enqueued, waited: false };
        match place {
            None => alone.push(Lane::from([(in_flight, record)])),
            Some(LanePlace { lane, at }) => shared.entry(lane).or_default().push((at, in_flight, record)),
        }
    }
    let sorted = shared.into_values().map(|mut lane| {
        lane.sort_by_key(|(at, ..)| *at);
        lane.into_iter().map(|(_, in_flight, record)| (in_flight, record)).collect()
    });
    alone.extend(sorted);
    (alone, failed)
}

/// Records that are done, and their events, which are to be published.
struct Done {
    records: Vec<(InFlight, Range<usize>)>,
    events: Vec<Event>,
    due: Instant,
}

impl Default for Done {
    /// Nothing, which is never due.
    fn default() -> Self {
        Self { records: Vec::new(), events: Vec::new(), due: Instant::now() + Duration::from_secs(86_400) }
    }
}

impl Done {
    fn add(&mut self, in_flight: InFlight, events: Vec<Event>) {
        if events.is_empty() {
            return;
        }
        if self.records.is_empty() {
            self.due = Instant::now() + TOGETHER;
        }
        let start = self.events.len();
        self.events.extend(events);
        self.records.push((in_flight, start..self.events.len()));
    }

    /// All together. The records that are not done after all: where an event of theirs is not published.
    async fn publish(self, publisher: Option<&Publisher>) -> Vec<(InFlight, Later)> {
        let Some(publisher) = publisher.filter(|_| !self.events.is_empty()) else { return Vec::new() };
        let Err(error) = publisher.publish(&self.events).await else { return Vec::new() };
        self.without(&error.events).into_iter().map(|in_flight| (in_flight, Later::because(Causes(&error)))).collect()
    }

    /// The records that lack one of these events.
    fn without(self, unpublished: &BTreeSet<EventId>) -> Vec<InFlight> {
        let lacks = |events: Range<usize>| self.events[events].iter().any(|event| unpublished.contains(&event.id));
        self.records.into_iter().filter(|(_, events)| lacks(events.clone())).map(|(in_flight, _)| in_flight).collect()
    }
}

fn read<T: DeserializeOwned>(message: SqsMessage) -> (InFlight, Result<T, Later>) {
    let number = |name: &str| message.attributes.get(name).and_then(|value| value.parse::<i64>().ok());
    let receives = number("ApproximateReceiveCount").and_then(|count| u32::try_from(count).ok()).unwrap_or(1);
    let enqueued = number("SentTimestamp").map(Timestamp::from_millis);
    let in_flight = InFlight {
        message_id: message.message_id.unwrap_or_default(),
        handle: message.receipt_handle.unwrap_or_default(),
        receives,
        enqueued,
    };
    let task = serde_json::from_str(message.body.as_deref().unwrap_or_default()).map_err(|error| {
        Outcome::of(Metric::TaskPoisoned).with("messageId", &in_flight.message_id).log();
        Later::because(format!("the task cannot be read: {:?}", error.classify()))
    });
    (in_flight, task)
}

/// Seconds until a record comes back.
fn wait(in_flight: &InFlight, later: &Later, jitter: f64) -> u32 {
    later.wait.unwrap_or_else(|| retry::task_wait(in_flight.receives, None, jitter))
}

/// Sets when each failed record comes back and names them all.
async fn report(queue: &Queue, failed: Vec<(InFlight, Later)>) -> Value {
    let queue = Arc::new(queue.clone());
    let mut returning = JoinSet::new();
    let mut failures = Vec::new();
    for (in_flight, later) in failed {
        let wait = wait(&in_flight, &later, jitter());
        tracing::warn!(
            messageId = in_flight.message_id,
            receives = in_flight.receives,
            wait,
            reason = later.reason,
            "task comes back"
        );
        failures.push(json!({ "itemIdentifier": in_flight.message_id }));
        let queue = Arc::clone(&queue);
        returning.spawn(async move { queue.return_in(&in_flight.handle, wait).await });
    }
    while let Some(returned) = returning.join_next().await {
        if let Ok(Err(error)) = returned {
            tracing::warn!(%error, "task comes back after the visibility time-out only");
        }
    }
    json!({ "batchItemFailures": failures })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ids::{AppId, AppUserId, ConversationId};
    use crate::system::System;
    use crate::tasks::SendTask;
    use crate::webhook::Who;

    fn message(id: &str, body: &str) -> SqsMessage {
        let mut message = SqsMessage::default();
        (message.message_id, message.body) = (Some(id.to_owned()), Some(body.to_owned()));
        message
    }

    /// The ids of a batch's lanes; a task is `[lane, time]`, or a number that has no place.
    fn lanes_of(bodies: &[&str]) -> (Vec<Vec<String>>, usize) {
        let mut batch = SqsEvent::default();
        batch.records = (0..).zip(bodies).map(|(number, body)| message(&format!("{number}"), body)).collect();
        let (lanes, failed) = lanes::<Value>(batch, |task| {
            let at = Timestamp::from_millis(task.get(1)?.as_i64()?);
            Some(LanePlace { lane: task[0].as_str()?.to_owned(), at })
        });
        let ids = |lane: Lane<Value>| lane.into_iter().map(|(in_flight, _)| in_flight.message_id).collect();
        let mut lanes: Vec<Vec<String>> = lanes.into_iter().map(ids).collect();
        lanes.sort();
        (lanes, failed.len())
    }

    #[test]
    fn what_goes_to_one_address_stands_in_one_lane_by_its_time() {
        let (lanes, failed) = lanes_of(&[r#"["a", 5]"#, r#"["b", 1]"#, r#"["a", 3]"#, "7", r#"["a", 5]"#, "poison"]);
        assert_eq!(lanes, [vec!["1"], vec!["2", "0", "4"], vec!["3"]]);
        assert_eq!(failed, 1);
    }

    fn about(user: AppUserId) -> Event {
        let who = Who {
            app_user_id: user,
            user_id: None,
            conversation_started: true,
            conversation_id: ConversationId::generate(&System),
            client: None,
        };
        Event::read(AppId::generate(&System), who, Timestamp::from_millis(0))
    }

    #[tokio::test]
    async fn records_fail_whose_own_events_are_not_published_and_no_others() {
        let mut done = Done::default();
        let events: Vec<_> = (0..5).map(|_| about(AppUserId::generate(&System))).collect();
        for (id, events) in [("a", &events[..1]), ("b", &events[1..4]), ("c", &events[4..])] {
            done.add(read::<Value>(message(id, "1")).0, events.to_vec());
        }
        let failed = done.without(&BTreeSet::from([events[2].id]));
        assert_eq!(failed.iter().map(|in_flight| &*in_flight.message_id).collect::<Vec<_>>(), ["b"]);
    }

    /// Deployments roll: what reads it may come within minutes.
    #[test]
    fn a_task_that_cannot_be_read_waits_as_any_other_that_failed() {
        for (receives, seconds) in [(1, 2), (2, 4), (3, 8), (9, 512), (10, 900)] {
            let mut poison = message("a", r#"{"version":"99"}"#);
            poison.attributes.insert("ApproximateReceiveCount".to_owned(), receives.to_string());
            let (in_flight, task) = read::<SendTask>(poison);
            assert_eq!(wait(&in_flight, &task.unwrap_err(), 0.5), seconds, "after {receives}");
        }
        let total: u32 = (1..10).map(|receives| retry::task_wait(receives, None, 0.0)).sum();
        assert!(total > 600, "longer than a deployment takes: {total}");
    }
}
