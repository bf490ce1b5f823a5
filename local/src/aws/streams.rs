//! A table's stream, as far as it feeds functions: new items whose sort key begins as an event source's filter says, in
//! order, and again until the function is done with them.
//!
//! Items come by `PutItem`; those of an earlier run that are still in the table come again. Nothing ends after a day here.

use std::collections::VecDeque;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use axum::body::Bytes;
use serde_json::{Value, json};
use tokio::sync::Notify;
use tokio::task::JoinHandle;
use tokio::time::sleep;

use crate::control::activity::Activity;
use crate::lambda::runtime::Runtime;
use crate::lambda::template::{REGION, StreamSource};

/// Before a batch comes again. Lambda waits longer each time.
const AFTER_FAILURE: Duration = Duration::from_millis(500);

/// All streams. Cloning gives another handle.
#[derive(Clone, Default)]
pub struct Streams(Arc<Vec<Arc<Stream>>>);

struct Stream {
    source: StreamSource,
    waiting: Mutex<VecDeque<Waiting>>,
    news: Notify,
    next: AtomicU64,
}

#[derive(Clone)]
struct Waiting {
    sequence: u64,
    keys: Value,
}

impl Streams {
    pub fn new(sources: &[StreamSource]) -> Self {
        let stream = |source: &StreamSource| {
            let (waiting, news, next) = (Mutex::default(), Notify::new(), AtomicU64::new(1));
            Arc::new(Stream { source: source.clone(), waiting, news, next })
        };
        Self(Arc::new(sources.iter().map(stream).collect()))
    }

    /// An item was written.
    pub fn wrote(&self, item: &Value) {
        let keys = json!({ "pk": item["pk"], "sk": item["sk"] });
        let begins = |prefix: &str| item["sk"]["S"].as_str().is_some_and(|key| key.starts_with(prefix));
        self.0.iter().filter(|stream| begins(&stream.source.prefix)).for_each(|stream| stream.push(keys.clone()));
    }

    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Items that no function is done with yet.
    pub fn pending(&self) -> usize {
        self.0.iter().map(|stream| stream.waiting().len()).sum()
    }

    /// Feeds the functions, each from a task that runs until it is aborted.
    pub fn spawn(&self, runtime: &Runtime, activity: &Activity) -> Vec<JoinHandle<()>> {
        let feed = |stream: &Arc<Stream>| tokio::spawn(Arc::clone(stream).feed(runtime.clone(), activity.clone()));
        self.0.iter().map(feed).collect()
    }
}

impl Stream {
    fn waiting(&self) -> std::sync::MutexGuard<'_, VecDeque<Waiting>> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn push(&self, keys: Value) {
        let sequence = self.next.fetch_add(1, Ordering::Relaxed);
        self.waiting().push_back(Waiting { sequence, keys });
        self.news.notify_one();
    }

    async fn feed(self: Arc<Self>, runtime: Runtime, activity: Activity) {
        loop {
            let batch: Vec<_> = self.waiting().iter().take(self.source.batch_size).cloned().collect();
            if batch.is_empty() {
                self.news.notified().await;
                continue;
            }
            let event = json!({ "Records": batch.iter().map(record).collect::<Vec<_>>() });
            let answer = runtime.invoke(&self.source.function, Bytes::from(event.to_string())).await;
            let done = answer.map_or(0, |answer| done(&answer, &batch));
            self.waiting().drain(..done);
            activity.bump();
            if done < batch.len() {
                sleep(AFTER_FAILURE).await;
            }
        }
    }
}

/// How many of a batch the function is done with: those before the first that it names.
fn done(answer: &[u8], batch: &[Waiting]) -> usize {
    let answer: Value = serde_json::from_slice(answer).unwrap_or(Value::Null);
    let failed = answer["batchItemFailures"].as_array().map_or(&[][..], Vec::as_slice);
    let named = |waiting: &Waiting| {
        failed.iter().any(|item| item["itemIdentifier"].as_str() == Some(&waiting.sequence.to_string()))
    };
    match batch.iter().position(named) {
        Some(first) => first,
        None if failed.is_empty() => batch.len(),
        // An unknown item: all come again.
        None => 0,
    }
}

fn record(waiting: &Waiting) -> Value {
    json!({
        "eventID": format!("{:032x}", waiting.sequence),
        "eventName": "INSERT",
        "eventVersion": "1.1",
        "eventSource": "aws:dynamodb",
        "awsRegion": REGION,
        "dynamodb": {
            "Keys": waiting.keys,
            "SequenceNumber": waiting.sequence.to_string(),
            "StreamViewType": "KEYS_ONLY",
        },
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn batch() -> Vec<Waiting> {
        (7..10).map(|sequence| Waiting { sequence, keys: json!({}) }).collect()
    }

    #[test]
    fn what_is_named_and_what_follows_comes_again() {
        let done = |answer: &str| done(answer.as_bytes(), &batch());
        assert_eq!(done(r#"{"batchItemFailures":[]}"#), 3);
        assert_eq!(done(r#"{"batchItemFailures":[{"itemIdentifier":"8"}]}"#), 1);
        assert_eq!(done(r#"{"batchItemFailures":[{"itemIdentifier":"unknown"}]}"#), 0);
    }

    #[test]
    fn only_what_begins_as_the_filter_says_is_brought() {
        let source = StreamSource { function: "f".into(), table: "T".into(), prefix: "PARKED#".into(), batch_size: 10 };
        let streams = Streams::new(&[source]);
        for key in ["PARKED#1", "MATCH", "NOT#PARKED#"] {
            streams.wrote(&json!({ "pk": { "S": "p" }, "sk": { "S": key } }));
        }
        assert_eq!(streams.pending(), 1);
    }
}
