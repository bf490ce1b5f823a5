//! Queues that feed functions, as Lambda's own pollers do it: take a batch, invoke, delete what succeeded; what failed
//! becomes visible again by itself. Their requests are counted under the function that they feed.

use std::collections::HashSet;
use std::sync::Arc;
use std::time::Duration;

use axum::body::Bytes;
use serde_json::{Value, json};
use tokio::sync::Semaphore;
use tokio::task::JoinSet;
use tokio::time::{Instant, sleep};

use crate::aws::queues::protocol::system_attributes;
use crate::aws::queues::{Queues, Receive, Received, SqsError, attributes};
use crate::control::ledger::Ledger;
use crate::control::logs::Logs;
use crate::lambda::runtime::Runtime;
use crate::lambda::template::{EventSource, REGION, queue_arn};

/// The most that one receive returns, and one delete takes.
const RECEIVE: usize = 10;

/// How long a receive waits for messages.
const LONG_POLL: Duration = Duration::from_secs(20);

/// Before a queue that couldn't be read is tried again.
const AFTER_ERROR: Duration = Duration::from_millis(200);

/// Everything that a poller needs. Cloning gives another handle.
#[derive(Clone)]
pub struct Pollers {
    pub queues: Queues,
    pub runtime: Runtime,
    pub ledger: Ledger,
    pub logs: Logs,
}

impl Pollers {
    /// Feeds a function from a queue until dropped, with at most `concurrency` batches at once.
    pub async fn run(self, source: EventSource, concurrency: usize) {
        let slots = Arc::new(Semaphore::new(concurrency));
        let source = Arc::new(source);
        let mut batches = JoinSet::new();
        loop {
            let Ok(slot) = Arc::clone(&slots).acquire_owned().await else { return };
            match self.gather(&source).await {
                Ok(batch) if batch.is_empty() => {}
                Ok(batch) => {
                    let (pollers, source) = (self.clone(), Arc::clone(&source));
                    batches.spawn(async move {
                        pollers.process(&source, batch).await;
                        drop(slot);
                    });
                }
                Err(error) => {
                    self.logs.note(&source.function, "ERROR", &format!("reading {} failed: {error}", source.queue));
                    sleep(AFTER_ERROR).await;
                }
            }
            while batches.try_join_next().is_some() {}
        }
    }

    /// One batch: what the first receive returns, and with a window what comes in until it is over.
    async fn gather(&self, source: &EventSource) -> Result<Vec<Received>, SqsError> {
        let mut batch = self.receive(source, source.batch_size, LONG_POLL).await?;
        let end = Instant::now() + source.window;
        while !batch.is_empty() && batch.len() < source.batch_size && Instant::now() < end {
            let wait = end.saturating_duration_since(Instant::now());
            batch.extend(self.receive(source, source.batch_size - batch.len(), wait).await?);
        }
        Ok(batch)
    }

    async fn receive(&self, source: &EventSource, max: usize, wait: Duration) -> Result<Vec<Received>, SqsError> {
        let how = Receive { max: max.min(RECEIVE), visibility: None, wait, by_poller: true };
        let messages = self.queues.receive(&source.queue, how).await?;
        if messages.is_empty() {
            self.ledger.empty_receive(&source.function);
        } else {
            let bytes = messages.iter().map(|m| m.body.len()).sum();
            self.ledger.sqs(&source.function, "ReceiveMessage", bytes);
        }
        Ok(messages)
    }

    async fn process(&self, source: &EventSource, batch: Vec<Received>) {
        self.ledger.batch(&source.function, batch.len());
        let records: Vec<Value> = batch.iter().map(|message| record(message, &source.queue)).collect();
        let event = Bytes::from(json!({ "Records": records }).to_string());
        let answer = self.runtime.invoke(&source.function, event).await;
        let done: Vec<String> = match answer {
            Ok(answer) => {
                let failed = if source.report_batch_item_failures { failures(&answer, &batch) } else { Failures::None };
                let done = batch.iter().filter(|message| !failed.includes(&message.message_id));
                done.map(|message| message.receipt_handle.clone()).collect()
            }
            Err(_) => Vec::new(),
        };
        for chunk in done.chunks(RECEIVE) {
            self.ledger.sqs(&source.function, "DeleteMessageBatch", 0);
            if let Err(error) = self.queues.delete(&source.queue, chunk.to_vec()).await {
                self.logs.note(&source.function, "ERROR", &format!("deleting from {} failed: {error}", source.queue));
            }
        }
        self.queues.release(&batch.iter().map(|message| message.row).collect::<Vec<_>>());
    }
}

/// Which records of a batch failed.
#[derive(Debug, PartialEq, Eq)]
enum Failures {
    None,
    Some(HashSet<String>),
    All,
}

impl Failures {
    fn includes(&self, message_id: &str) -> bool {
        match self {
            Self::None => false,
            Self::Some(ids) => ids.contains(message_id),
            Self::All => true,
        }
    }
}

/// Reads `batchItemFailures`. An empty or null list, or an empty answer, means that all went well; an unknown or empty
/// id, or anything that isn't such a list, that all failed.
/// <https://docs.aws.amazon.com/lambda/latest/dg/services-sqs-errorhandling.html#services-sqs-batchfailurereporting>
fn failures(answer: &[u8], batch: &[Received]) -> Failures {
    if answer.is_empty() {
        return Failures::None;
    }
    let answer = match serde_json::from_slice(answer) {
        Ok(Value::Null) => return Failures::None,
        Ok(Value::Object(answer)) => answer,
        _ => return Failures::All,
    };
    let items = match answer.get("batchItemFailures") {
        None | Some(Value::Null) => return Failures::None,
        Some(Value::Array(items)) if items.is_empty() => return Failures::None,
        Some(Value::Array(items)) => items,
        Some(_) => return Failures::All,
    };
    let known = |id: &&str| batch.iter().any(|message| message.message_id == *id);
    let ids: Option<HashSet<String>> = items
        .iter()
        .map(|item| item.get("itemIdentifier").and_then(Value::as_str).filter(known).map(str::to_owned))
        .collect();
    ids.map_or(Failures::All, Failures::Some)
}

fn record(message: &Received, queue: &str) -> Value {
    json!({
        "messageId": message.message_id,
        "receiptHandle": message.receipt_handle,
        "body": message.body,
        "attributes": system_attributes(message),
        "messageAttributes": message.attributes.as_deref().map_or_else(|| json!({}), event_attributes),
        "md5OfBody": attributes::md5_of(&message.body),
        "eventSource": "aws:sqs",
        "eventSourceARN": queue_arn(queue),
        "awsRegion": REGION,
    })
}

/// Events spell attributes in another case than the queue's own protocol.
fn event_attributes(stored: &str) -> Value {
    let Ok(Value::Object(attributes)) = serde_json::from_str(stored) else { return json!({}) };
    let respelled = attributes.into_iter().map(|(name, attribute)| {
        let mut event = json!({
            "stringListValues": [],
            "binaryListValues": [],
            "dataType": attribute["DataType"],
        });
        for (from, to) in [("StringValue", "stringValue"), ("BinaryValue", "binaryValue")] {
            if let Some(value) = attribute.get(from) {
                event[to] = value.clone();
            }
        }
        (name, event)
    });
    Value::Object(respelled.collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn message(id: &str) -> Received {
        Received {
            row: 1,
            message_id: id.into(),
            receipt_handle: "h".into(),
            body: "b".into(),
            attributes: None,
            sent_at: 1,
            first_received_at: 2,
            receive_count: 3,
            source: None,
            group: "app".into(),
        }
    }

    fn read(answer: &str) -> Failures {
        failures(answer.as_bytes(), &[message("a"), message("b")])
    }

    #[test]
    fn no_failures_in_all_their_spellings() {
        for fine in ["", "null", "{}", r#"{"batchItemFailures":[]}"#, r#"{"batchItemFailures":null}"#] {
            assert_eq!(read(fine), Failures::None, "{fine}");
        }
    }

    #[test]
    fn only_the_named_records_failed() {
        let answer = r#"{"batchItemFailures":[{"itemIdentifier":"b"}]}"#;
        assert_eq!(read(answer), Failures::Some(HashSet::from(["b".to_owned()])));
    }

    #[test]
    fn a_malformed_report_fails_the_whole_batch() {
        for bad in [
            "nonsense",
            "[]",
            r#""ok""#,
            r#"{"batchItemFailures":"a"}"#,
            r#"{"batchItemFailures":[{"itemIdentifier":"unknown"}]}"#,
            r#"{"batchItemFailures":[{"itemIdentifier":""}]}"#,
            r#"{"batchItemFailures":[{"itemIdentifier":null}]}"#,
            r#"{"batchItemFailures":[{"id":"a"}]}"#,
        ] {
            assert_eq!(read(bad), Failures::All, "{bad}");
        }
    }

    #[test]
    fn a_record_has_lambdas_shape() {
        let mut message = message("a");
        message.attributes = Some(r#"{"t":{"DataType":"String","StringValue":"x"}}"#.into());
        let record = record(&message, "Jobs");
        assert_eq!(record["eventSourceARN"], queue_arn("Jobs"));
        assert_eq!(record["attributes"]["ApproximateReceiveCount"], "3");
        assert_eq!(record["attributes"]["MessageGroupId"], "app");
        assert_eq!(record["messageAttributes"]["t"]["stringValue"], "x");
        assert_eq!(record["md5OfBody"], "92eb5ffee6ae2fec3ad71c777531578f");
    }
}
