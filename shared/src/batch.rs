//! From a function over one task to a function over a batch: isolated records, one publication, partial failures.
//!
//! A record that fails, cannot be read or panics is reported alone; the others are done. What records publish goes out
//! together at the end, and a record whose events could not be published is reported too: tasks bear being repeated.

use std::collections::HashMap;
use std::future::Future;
use std::sync::Arc;

use aws_lambda_events::sqs::{SqsEvent, SqsMessage};
use serde::de::DeserializeOwned;
use serde_json::{Value, json};
use tokio::task::JoinSet;

use crate::flow::retry;
use crate::model::Timestamp;
use crate::publish::Publisher;
use crate::queue::Queue;
use crate::telemetry::{Metric, Outcome};
use crate::webhook::Event;

/// One task out of a batch.
#[derive(Debug, Clone)]
pub struct Record<T> {
    pub task: T,
    /// How often the queue has given out this task, this time included.
    pub receives: u32,
    /// When it was put on the queue; a redrive puts it there anew.
    pub enqueued: Option<Timestamp>,
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

impl<E: std::error::Error> From<E> for Later {
    fn from(error: E) -> Self {
        Self::because(error)
    }
}

/// A random number from 0 to 1, for [`retry`]'s spread.
pub fn jitter() -> f64 {
    rand::random()
}

struct Receipt {
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
    Fut: Future<Output = Result<Vec<Event>, Later>> + Send + 'static,
{
    let mut running = JoinSet::new();
    let mut receipts: HashMap<tokio::task::Id, Receipt> = HashMap::new();
    let mut failed: Vec<(Receipt, Later)> = Vec::new();
    for message in batch.records {
        let (receipt, task) = read::<T>(message);
        match task {
            Ok(task) => {
                let record = Record { task, receives: receipt.receives, enqueued: receipt.enqueued };
                let id = running.spawn(handle(record)).id();
                receipts.insert(id, receipt);
            }
            Err(later) => failed.push((receipt, later)),
        }
    }
    let mut events = Vec::new();
    let mut publishing = Vec::new();
    while let Some(joined) = running.join_next_with_id().await {
        let (id, result) = match joined {
            Ok((id, result)) => (id, result),
            Err(panic) => (panic.id(), Err(Later::because("the task panicked"))),
        };
        let Some(receipt) = receipts.remove(&id) else { continue };
        match result {
            Ok(published) if published.is_empty() => {}
            Ok(published) => {
                events.extend(published);
                publishing.push(receipt);
            }
            Err(later) => failed.push((receipt, later)),
        }
    }
    if let Some(publisher) = publisher
        && let Err(error) = publisher.publish(&events).await
    {
        failed.extend(publishing.into_iter().map(|receipt| (receipt, Later::because(&error))));
    }
    report(queue, failed).await
}

fn read<T: DeserializeOwned>(message: SqsMessage) -> (Receipt, Result<T, Later>) {
    let number = |name: &str| message.attributes.get(name).and_then(|value| value.parse::<i64>().ok());
    let receives = number("ApproximateReceiveCount").and_then(|count| u32::try_from(count).ok()).unwrap_or(1);
    let enqueued = number("SentTimestamp").map(Timestamp::from_millis);
    let receipt = Receipt {
        message_id: message.message_id.unwrap_or_default(),
        handle: message.receipt_handle.unwrap_or_default(),
        receives,
        enqueued,
    };
    let task = serde_json::from_str(message.body.as_deref().unwrap_or_default()).map_err(|error| {
        Outcome::of(Metric::TaskPoisoned).with("messageId", &receipt.message_id).log();
        Later::because(format!("the task cannot be read: {:?}", error.classify()))
    });
    (receipt, task)
}

/// Sets when each failed record comes back and names them all.
async fn report(queue: &Queue, failed: Vec<(Receipt, Later)>) -> Value {
    let queue = Arc::new(queue.clone());
    let mut returning = JoinSet::new();
    let mut failures = Vec::new();
    for (receipt, later) in failed {
        let wait = later.wait.unwrap_or_else(|| retry::task_wait(receipt.receives, None, jitter()));
        tracing::warn!(
            messageId = receipt.message_id,
            receives = receipt.receives,
            wait,
            reason = later.reason,
            "task comes back"
        );
        failures.push(json!({ "itemIdentifier": receipt.message_id }));
        let queue = Arc::clone(&queue);
        returning.spawn(async move { queue.return_in(&receipt.handle, wait).await });
    }
    while let Some(returned) = returning.join_next().await {
        if let Ok(Err(error)) = returned {
            tracing::warn!(%error, "task comes back after the visibility time-out only");
        }
    }
    json!({ "batchItemFailures": failures })
}
