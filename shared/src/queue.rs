//! Queues: typed tasks in, one SQS request for as many as fit.

use std::time::Duration;

use aws_sdk_sqs::Client;
use aws_sdk_sqs::types::SendMessageBatchRequestEntry;
use serde::Serialize;

use crate::config::{self, ConfigError};
use crate::model::ChannelType;
use crate::store::error_code;
use crate::tasks::SendTask;

const BATCH_ENTRIES: usize = 10;
/// SQS takes 1 MiB in one request; what JSON escaping adds is left room for.
const BATCH_BYTES: usize = 900 * 1024;

#[derive(Debug, thiserror::Error)]
pub enum QueueError {
    #[error("SQS {operation} failed: {code}")]
    Aws { operation: &'static str, code: String },
    #[error("SQS refused an entry of a batch: {0}")]
    Entry(String),
    #[error("the task cannot be written as JSON")]
    Unwritable,
}

/// A function's client of SQS, which all its queues share.
pub struct Sqs(Client);

impl Sqs {
    pub fn new(aws: &aws_config::SdkConfig) -> Self {
        Self(Client::new(aws))
    }

    /// The queue whose URL the variable holds.
    pub fn queue(&self, variable: &'static str) -> Result<Queue, ConfigError> {
        Ok(Queue { client: self.0.clone(), url: config::text(variable)? })
    }
}

/// One queue. Clone is cheap.
#[derive(Clone)]
pub struct Queue {
    client: Client,
    url: String,
}

impl Queue {
    pub async fn send<T: Serialize>(&self, task: &T) -> Result<(), QueueError> {
        self.send_later(task, 0).await
    }

    /// Visible only after `delay` seconds, at most 900.
    pub async fn send_later<T: Serialize>(&self, task: &T, delay: u32) -> Result<(), QueueError> {
        let request = self.client.send_message().queue_url(&self.url).message_body(json(task)?);
        let delay = (delay > 0).then(|| i32::try_from(delay.min(900)).unwrap_or(900));
        request
            .set_delay_seconds(delay)
            .send()
            .await
            .map_err(|error| QueueError::Aws { operation: "SendMessage", code: error_code(&error) })?;
        Ok(())
    }

    /// All or an error: if an entry fails the caller tries them all again, and tasks are made to bear that.
    pub async fn send_all<T: Serialize>(&self, tasks: &[T]) -> Result<(), QueueError> {
        if let [task] = tasks {
            return self.send(task).await;
        }
        let bodies = tasks.iter().map(json).collect::<Result<Vec<_>, _>>()?;
        for batch in batches(bodies) {
            self.send_batch(batch).await?;
        }
        Ok(())
    }

    async fn send_batch(&self, bodies: Vec<String>) -> Result<(), QueueError> {
        let entries = bodies.into_iter().enumerate().map(|(index, body)| {
            let entry = SendMessageBatchRequestEntry::builder().id(index.to_string()).message_body(body);
            entry.build().map_err(|_| QueueError::Unwritable)
        });
        let entries = entries.collect::<Result<Vec<_>, _>>()?;
        let request = self.client.send_message_batch().queue_url(&self.url).set_entries(Some(entries));
        let output = request
            .send()
            .await
            .map_err(|error| QueueError::Aws { operation: "SendMessageBatch", code: error_code(&error) })?;
        match output.failed().first() {
            None => Ok(()),
            Some(failed) => Err(QueueError::Entry(failed.code().to_owned())),
        }
    }

    /// Lets a message that we are reading come back in `seconds` instead of after the visibility time-out.
    pub async fn return_in(&self, receipt_handle: &str, seconds: u32) -> Result<(), QueueError> {
        let seconds = i32::try_from(seconds).unwrap_or(43_200).min(43_200);
        let request = self.client.change_message_visibility().queue_url(&self.url);
        request
            .receipt_handle(receipt_handle)
            .visibility_timeout(seconds)
            .send()
            .await
            .map_err(|error| QueueError::Aws { operation: "ChangeMessageVisibility", code: error_code(&error) })?;
        Ok(())
    }

    /// Opens the connection before the first event needs it. Bounded, and harmless when it fails, as it does where
    /// the function may not read the queue's attributes: the connection is open all the same.
    pub async fn warm(&self) {
        let request = self.client.get_queue_attributes().queue_url(&self.url).send();
        let _ = tokio::time::timeout(Duration::from_secs(1), request).await;
    }
}

/// The queues of all sending functions: one for each channel.
#[derive(Clone)]
pub struct SendQueues {
    twilio: Queue,
    messagebird: Queue,
}

impl SendQueues {
    /// With the queues that `SEND_<CHANNEL>_QUEUE_URL` name.
    pub fn from_env(sqs: &Sqs) -> Result<Self, ConfigError> {
        Ok(Self { twilio: sqs.queue("SEND_TWILIO_QUEUE_URL")?, messagebird: sqs.queue("SEND_MESSAGEBIRD_QUEUE_URL")? })
    }

    fn of(&self, channel: ChannelType) -> &Queue {
        match channel {
            ChannelType::Twilio => &self.twilio,
            ChannelType::Messagebird => &self.messagebird,
        }
    }

    /// Enqueues each for its channel.
    pub async fn send(&self, tasks: &[(ChannelType, SendTask)]) -> Result<(), QueueError> {
        for channel in ChannelType::ALL {
            let of_channel = tasks.iter().filter(|(other, _)| *other == channel);
            let tasks: Vec<_> = of_channel.map(|(_, task)| task).collect();
            if !tasks.is_empty() {
                self.of(channel).send_all(&tasks).await?;
            }
        }
        Ok(())
    }

    pub async fn warm(&self) {
        self.twilio.warm().await;
    }
}

fn json<T: Serialize>(task: &T) -> Result<String, QueueError> {
    serde_json::to_string(task).map_err(|_| QueueError::Unwritable)
}

/// As few batches as SQS's limits on entries and bytes allow, in order.
fn batches(bodies: Vec<String>) -> Vec<Vec<String>> {
    let mut batches: Vec<Vec<String>> = Vec::new();
    let mut room = 0;
    for body in bodies {
        match batches.last_mut() {
            Some(batch) if batch.len() < BATCH_ENTRIES && body.len() <= room => {
                room -= body.len();
                batch.push(body);
            }
            _ => {
                room = BATCH_BYTES.saturating_sub(body.len());
                batches.push(vec![body]);
            }
        }
    }
    batches
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn batches_keep_order_and_stay_within_both_limits() {
        let bodies: Vec<String> = (0..25).map(|index| index.to_string()).collect();
        let cut = batches(bodies.clone());
        assert_eq!(cut.iter().map(Vec::len).collect::<Vec<_>>(), [10, 10, 5]);
        assert_eq!(cut.concat(), bodies);
        let large = "x".repeat(400 * 1024);
        assert_eq!(batches(vec![large.clone(), large.clone(), large]).iter().map(Vec::len).collect::<Vec<_>>(), [2, 1]);
    }
}
