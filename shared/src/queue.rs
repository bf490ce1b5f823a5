//! Queues: typed tasks in, one SQS request for as many as fit.

use std::time::Duration;

use aws_sdk_sqs::Client;
use aws_sdk_sqs::types::{BatchResultErrorEntry, SendMessageBatchRequestEntry};
use serde::Serialize;

use crate::config::{self, ConfigError};
use crate::model::ChannelType;
use crate::store::error_code;
use crate::tasks::{SendTask, Task};

const BATCH_ENTRIES: usize = 10;
/// SQS takes 1 MiB in one message, and in one request; there, some room is left.
const MESSAGE_BYTES: usize = 1024 * 1024;
const BATCH_BYTES: usize = 900 * 1024;
/// What SQS says of a message that it will never take.
const REFUSALS: [&str; 2] = ["InvalidMessageContents", "InvalidParameterValue"];
/// Before an entry that SQS itself failed is sent once more.
const ENTRY_WAITS: [Duration; 2] = [Duration::from_millis(50), Duration::from_millis(200)];

#[derive(Debug, Clone, thiserror::Error)]
pub enum QueueError {
    #[error("SQS {operation} failed: {code}")]
    Aws { operation: &'static str, code: String },
    #[error("SQS could not take an entry of a batch: {0}")]
    Entry(String),
    #[error("SQS refuses the task: {0}")]
    Refused(String),
    #[error("the task cannot be written as JSON")]
    Unwritable,
    #[error("the task has {0} bytes, which is more than a queue takes")]
    TooLarge(usize),
}

impl QueueError {
    /// Of one request for one task.
    fn of_task(code: String) -> Self {
        match REFUSALS.iter().any(|refusal| code.contains(refusal)) {
            true => Self::Refused(code),
            false => Self::Aws { operation: "SendMessage", code },
        }
    }

    /// Whether it is the task's own fault, so that another try can't help.
    pub fn is_refusal(&self) -> bool {
        matches!(self, Self::Refused(_) | Self::Unwritable | Self::TooLarge(_))
    }
}

/// One of several tasks that is not on the queue, by its place among them.
#[derive(Debug)]
pub struct Unsent {
    pub index: usize,
    pub error: QueueError,
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
    pub async fn send<T: Task>(&self, task: &T) -> Result<(), QueueError> {
        self.send_later(task, 0).await
    }

    /// Visible only after `delay` seconds, at most 900.
    pub async fn send_later<T: Task>(&self, task: &T, delay: u32) -> Result<(), QueueError> {
        let Message { body, group, .. } = Message::of(0, task)?;
        let request = self.client.send_message().queue_url(&self.url).message_body(body).message_group_id(group);
        let delay = (delay > 0).then(|| i32::try_from(delay.min(900)).unwrap_or(900));
        request.set_delay_seconds(delay).send().await.map_err(|error| QueueError::of_task(error_code(&error)))?;
        Ok(())
    }

    /// All or an error: if an entry fails the caller tries them all again, and tasks are made to bear that.
    pub async fn send_all<T: Task>(&self, tasks: &[T]) -> Result<(), QueueError> {
        match self.send_each(tasks).await.into_iter().next() {
            None => Ok(()),
            Some(Unsent { error, .. }) => Err(error),
        }
    }

    /// Sends what can be sent, in as few requests as the limits allow, and says which could not.
    pub async fn send_each<T: Task>(&self, tasks: &[T]) -> Vec<Unsent> {
        if let [task] = tasks {
            return self.send(task).await.err().map(|error| Unsent { index: 0, error }).into_iter().collect();
        }
        let (mut messages, mut unsent) = (Vec::new(), Vec::new());
        for (index, task) in tasks.iter().enumerate() {
            match Message::of(index, task) {
                Ok(message) => messages.push(message),
                Err(error) => unsent.push(Unsent { index, error }),
            }
        }
        for batch in batches(messages) {
            unsent.extend(self.send_batch(batch).await);
        }
        unsent
    }

    /// The SDK repeats a request that failed, but not an entry that failed within one.
    async fn send_batch(&self, mut batch: Vec<Message>) -> Vec<Unsent> {
        let mut unsent = Vec::new();
        for wait in ENTRY_WAITS.into_iter().map(Some).chain([None]) {
            let failures = match self.request_batch(&batch).await {
                Ok(failures) => failures,
                Err(error) => {
                    let all = batch.iter().map(|message| Unsent { index: message.index, error: error.clone() });
                    unsent.extend(all);
                    return unsent;
                }
            };
            let (again, lost): (Vec<_>, Vec<_>) =
                failures.into_iter().partition(|failure| wait.is_some() && !failure.sender_fault());
            let index = |failure: &BatchResultErrorEntry| failure.id().parse::<usize>().ok();
            unsent.extend(lost.iter().filter_map(|failure| {
                let why = if failure.sender_fault() { QueueError::Refused } else { QueueError::Entry };
                Some(Unsent { index: index(failure)?, error: why(failure.code().to_owned()) })
            }));
            batch.retain(|message| again.iter().any(|failure| index(failure) == Some(message.index)));
            match wait {
                Some(wait) if !batch.is_empty() => tokio::time::sleep(wait).await,
                _ => break,
            }
        }
        unsent
    }

    async fn request_batch(&self, batch: &[Message]) -> Result<Vec<BatchResultErrorEntry>, QueueError> {
        let entries = batch.iter().map(|message| {
            let entry = SendMessageBatchRequestEntry::builder().id(message.index.to_string());
            let entry = entry.message_body(&message.body).message_group_id(&message.group);
            entry.build().map_err(|_| QueueError::Unwritable)
        });
        let entries = entries.collect::<Result<Vec<_>, _>>()?;
        let request = self.client.send_message_batch().queue_url(&self.url).set_entries(Some(entries));
        let output = request
            .send()
            .await
            .map_err(|error| QueueError::Aws { operation: "SendMessageBatch", code: error_code(&error) })?;
        Ok(output.failed)
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

/// The queues of all sending functions: one for each channel, and no list of them. Clone is cheap.
#[derive(Clone)]
pub struct SendQueues {
    client: Client,
    /// With [`CHANNEL`] where the channel's name goes.
    url: String,
}

const CHANNEL: &str = "{channel}";

impl SendQueues {
    /// With the queues that `SEND_QUEUE_URL` spells.
    pub fn from_env(sqs: &Sqs) -> Result<Self, ConfigError> {
        const NAME: &str = "SEND_QUEUE_URL";
        let url = config::text(NAME)?;
        match url.contains(CHANNEL) {
            true => Ok(Self { client: sqs.0.clone(), url }),
            false => Err(ConfigError::Malformed { name: NAME, expected: "a URL with {channel} in it" }),
        }
    }

    pub fn of(&self, channel: ChannelType) -> Queue {
        Queue { client: self.client.clone(), url: self.url.replace(CHANNEL, channel.as_str()) }
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

    /// All of them are behind one connection.
    pub async fn warm(&self) {
        self.of(ChannelType::ALL[0]).warm().await;
    }
}

/// A task as SQS takes it.
struct Message {
    /// The task's place among those that are sent together.
    index: usize,
    body: String,
    group: String,
}

impl Message {
    fn of<T: Task>(index: usize, task: &T) -> Result<Self, QueueError> {
        let body = text(task)?;
        if body.len() > MESSAGE_BYTES {
            return Err(QueueError::TooLarge(body.len()));
        }
        Ok(Self { index, body, group: task.group().as_str().to_owned() })
    }
}

/// A task as JSON that SQS takes. Two characters are legal in JSON and refused by SQS: U+FFFE and U+FFFF. In JSON they
/// occur in strings only, where an escape means the same.
fn text<T: Serialize>(task: &T) -> Result<String, QueueError> {
    let json = serde_json::to_string(task).map_err(|_| QueueError::Unwritable)?;
    Ok(match json.contains(['\u{FFFE}', '\u{FFFF}']) {
        true => json.replace('\u{FFFE}', "\\ufffe").replace('\u{FFFF}', "\\uffff"),
        false => json,
    })
}

/// As few batches as SQS's limits on entries and bytes allow, in order.
fn batches(messages: Vec<Message>) -> Vec<Vec<Message>> {
    let mut batches: Vec<Vec<Message>> = Vec::new();
    let mut room = 0;
    for message in messages {
        match batches.last_mut() {
            Some(batch) if batch.len() < BATCH_ENTRIES && message.body.len() <= room => {
                room -= message.body.len();
                batch.push(message);
            }
            _ => {
                room = BATCH_BYTES.saturating_sub(message.body.len());
                batches.push(vec![message]);
            }
        }
    }
    batches
}

#[cfg(test)]
pub(crate) mod tests {
    use std::io::{BufRead, BufReader, Read, Write};
    use std::net::TcpListener;
    use std::sync::mpsc;

    use aws_sdk_sqs::config::{BehaviorVersion, Config, Credentials, Region};
    use proptest::prelude::*;
    use serde_json::Value;

    use super::*;
    use crate::ids::AppId;
    use crate::system::System;
    use crate::tasks::{UpkeepTask, Work};

    /// A queue that gives these answers, one after the other, and passes on what it was asked.
    pub(crate) fn answering(answers: &'static [&str]) -> (Queue, mpsc::Receiver<Value>) {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let (asked, requests) = mpsc::channel();
        std::thread::spawn(move || {
            for answer in answers {
                let mut request = BufReader::new(listener.accept().unwrap().0);
                let (mut length, mut line) = (0, String::new());
                while request.read_line(&mut line).unwrap() > 2 {
                    let header = line.to_lowercase();
                    length = header.strip_prefix("content-length:").map_or(length, |text| text.trim().parse().unwrap());
                    line.clear();
                }
                let mut body = vec![0; length];
                request.read_exact(&mut body).unwrap();
                asked.send(serde_json::from_slice(&body).unwrap()).unwrap();
                let size = answer.len();
                let mut stream = request.into_inner();
                write!(stream, "HTTP/1.1 200 OK\r\nconnection: close\r\ncontent-length: {size}\r\n\r\n{answer}")
                    .unwrap();
            }
        });
        let config = Config::builder()
            .behavior_version(BehaviorVersion::latest())
            .region(Region::new("us-east-1"))
            .http_client(crate::http::aws().unwrap())
            .credentials_provider(Credentials::new("test", "test", None, None, "test"))
            .endpoint_url(&url);
        (Queue { client: Client::from_conf(config.build()), url }, requests)
    }

    fn tasks(count: usize, length: usize) -> Vec<UpkeepTask> {
        let work =
            || Work::ErasePhoto { integration: "64c0ffee0123456789abcdef".parse().unwrap(), file: "x".repeat(length) };
        (0..count).map(|_| UpkeepTask::V1 { app_id: AppId::generate(&System), work: work() }).collect()
    }

    #[tokio::test]
    async fn an_entry_that_fails_is_sent_again_where_that_may_help_and_fails_alone_where_not() {
        let (queue, requests) = answering(&[
            r#"{"Successful":[{"Id":"0","MessageId":"m","MD5OfMessageBody":"x"}],"Failed":[
                {"Id":"1","SenderFault":false,"Code":"InternalFailure"},
                {"Id":"2","SenderFault":true,"Code":"InvalidMessageContents"}]}"#,
            r#"{"Successful":[{"Id":"1","MessageId":"m","MD5OfMessageBody":"x"}],"Failed":[]}"#,
        ]);
        let tasks = tasks(3, 1);
        let unsent = queue.send_each(&tasks).await;
        assert_eq!(unsent.iter().map(|unsent| unsent.index).collect::<Vec<_>>(), [2]);
        assert!(matches!(&unsent[0].error, QueueError::Refused(code) if code == "InvalidMessageContents"));
        let (first, second) = (requests.recv().unwrap(), requests.recv().unwrap());
        assert_eq!(first["Entries"].as_array().unwrap().len(), 3);
        assert_eq!(second["Entries"].as_array().unwrap().len(), 1);
        assert_eq!(second["Entries"][0]["Id"], "1");
        assert_eq!(second["Entries"][0]["MessageGroupId"], tasks[1].group().as_str());
    }

    #[tokio::test]
    async fn a_task_that_no_queue_takes_fails_alone() {
        let (queue, requests) =
            answering(&[r#"{"Successful":[{"Id":"0","MessageId":"m","MD5OfMessageBody":"x"}],"Failed":[]}"#]);
        let mut both = tasks(1, 1);
        both.extend(tasks(1, MESSAGE_BYTES));
        let unsent = queue.send_each(&both).await;
        assert_eq!(unsent.iter().map(|unsent| unsent.index).collect::<Vec<_>>(), [1]);
        assert!(matches!(unsent[0].error, QueueError::TooLarge(_)));
        assert_eq!(requests.recv().unwrap()["Entries"].as_array().unwrap().len(), 1);
    }

    fn message(index: usize, body: String) -> Message {
        Message { index, body, group: String::new() }
    }

    /// What SQS says it takes.
    fn is_taken(character: char) -> bool {
        matches!(character, '\t' | '\n' | '\r' | ' '..='\u{D7FF}' | '\u{E000}'..='\u{FFFD}' | '\u{10000}'..)
    }

    #[test]
    fn batches_keep_order_and_stay_within_both_limits() {
        let cut = batches((0..25).map(|index| message(index, index.to_string())).collect());
        assert_eq!(cut.iter().map(Vec::len).collect::<Vec<_>>(), [10, 10, 5]);
        assert!(cut.iter().flatten().map(|message| message.index).eq(0..25));
        let large = (0..3).map(|index| message(index, "x".repeat(400 * 1024))).collect();
        assert_eq!(batches(large).iter().map(Vec::len).collect::<Vec<_>>(), [2, 1]);
    }

    proptest! {
        /// Also a text within a text, as the body of an event is one.
        #[test]
        fn every_string_passes_the_queue_and_arrives_unchanged(
            plain in any::<String>(), odd in "[\u{0}-\u{1f}\u{7f}-\u{9f}\u{fdd0}\u{fffd}-\u{ffff}\u{1fffe}\"\\\\]*"
        ) {
            let said = format!("{plain}{odd}");
            let inner = serde_json::to_string(&said).unwrap();
            let body = text(&(&said, &inner)).unwrap();
            prop_assert!(body.chars().all(is_taken));
            prop_assert_eq!(serde_json::from_str::<(String, String)>(&body).unwrap(), (said, inner));
        }
    }
}
