//! SQS's JSON protocol: one operation's request in JSON to its answer in JSON. HTTP is the caller's business.

use std::time::Duration;

use serde_json::{Map, Value, json};
use uuid::Uuid;

use super::requests::{Identified, ReceiptEntry, ReceiveRequest, SendEntry, VisibilityEntry, entries, parse, queue_of};
use super::{NewMessage, Queues, Receive, Received, SqsError, attributes};
use crate::lambda::template::{ACCOUNT, queue_arn, queue_url};

/// The largest message, and the largest batch, in bytes.
pub const MAX_BYTES: usize = 1_048_576;

/// What a request is to be done with.
pub struct Call<'a> {
    pub queues: &'a Queues,
    pub base_url: &'a str,
    /// Every message that this request sends comes twice.
    pub duplicate: bool,
}

impl Call<'_> {
    /// Does one operation, such as `SendMessage`.
    ///
    /// # Errors
    /// SQS's own refusals.
    pub async fn run(&self, operation: &str, request: Value) -> Result<Value, SqsError> {
        match operation {
            "SendMessage" => self.send_message(request).await,
            "SendMessageBatch" => self.send_message_batch(request).await,
            "ReceiveMessage" => self.receive_message(request).await,
            "DeleteMessage" => self.delete_message(request).await,
            "DeleteMessageBatch" => self.delete_message_batch(request).await,
            "ChangeMessageVisibility" => self.change_visibility(request).await,
            "ChangeMessageVisibilityBatch" => self.change_visibility_batch(request).await,
            "GetQueueUrl" => self.get_queue_url(request),
            "GetQueueAttributes" => self.get_queue_attributes(request).await,
            "ListQueues" => self.list_queues(request),
            "ListDeadLetterSourceQueues" => self.list_sources(&request),
            "PurgeQueue" => {
                self.queues.purge(&queue_of(&request)?).await?;
                Ok(json!({}))
            }
            "StartMessageMoveTask" => self.start_move(request).await,
            "ListMessageMoveTasks" => self.list_moves(&request),
            other => Err(SqsError::unknown_operation(other)),
        }
    }

    async fn send_message(&self, request: Value) -> Result<Value, SqsError> {
        let queue = queue_of(&request)?;
        let entry: SendEntry = parse(request)?;
        let prepared = self.prepare(&queue, entry)?;
        let answer = prepared.answer;
        self.store(&queue, vec![prepared.message]).await?;
        Ok(answer)
    }

    async fn send_message_batch(&self, request: Value) -> Result<Value, SqsError> {
        let queue = queue_of(&request)?;
        self.queues.spec(&queue)?;
        let entries: Vec<Identified<SendEntry>> = entries(request)?;
        let total: usize = entries.iter().map(|e| e.entry.bytes()).sum();
        if total > MAX_BYTES {
            return Err(SqsError::batch_too_long(total));
        }
        let (mut messages, mut successful, mut failed) = (Vec::new(), Vec::new(), Vec::new());
        for Identified { id, entry } in entries {
            match self.prepare(&queue, entry) {
                Ok(mut prepared) => {
                    prepared.answer["Id"] = id.into();
                    successful.push(prepared.answer);
                    messages.push(prepared.message);
                }
                Err(error) => failed.push(failure(&id, &error)),
            }
        }
        self.store(&queue, messages).await?;
        Ok(outcome(successful, failed))
    }

    async fn store(&self, queue: &str, mut messages: Vec<NewMessage>) -> Result<(), SqsError> {
        if self.duplicate {
            messages.extend(messages.clone());
        }
        if messages.is_empty() { Ok(()) } else { self.queues.send(queue, messages).await }
    }

    fn prepare(&self, queue: &str, entry: SendEntry) -> Result<Prepared, SqsError> {
        let delay = match entry.delay_seconds {
            None => self.queues.spec(queue)?.delay,
            Some(seconds @ 0..=900) => Duration::from_secs(seconds.unsigned_abs()),
            Some(other) => {
                let reason = "DelaySeconds must be >= 0 and <= 900";
                return Err(SqsError::invalid(format!(
                    "Value {other} for parameter DelaySeconds is invalid. Reason: {reason}."
                )));
            }
        };
        let group = entry.group()?;
        let body = entry.message_body.filter(|b| !b.is_empty()).ok_or_else(|| SqsError::missing("MessageBody"))?;
        if body.chars().any(|c| !matches!(c, '\t' | '\n' | '\r' | ' '..='\u{FFFD}' | '\u{10000}'..)) {
            return Err(SqsError::invalid_contents());
        }
        let checked = match &entry.message_attributes {
            Some(attributes) => attributes::check(attributes).map_err(SqsError::invalid)?,
            None => None,
        };
        if body.len() + checked.as_ref().map_or(0, |c| c.bytes) > MAX_BYTES {
            let reason = format!("Message must be shorter than {MAX_BYTES} bytes.");
            return Err(SqsError::invalid(format!("One or more parameters are invalid. Reason: {reason}")));
        }
        let message_id = Uuid::new_v4().to_string();
        let mut answer = json!({ "MessageId": message_id, "MD5OfMessageBody": attributes::md5_of(&body) });
        if let Some(checked) = &checked {
            answer["MD5OfMessageAttributes"] = checked.md5.clone().into();
        }
        let message = NewMessage {
            message_id,
            body,
            attributes: checked.map(|c| c.json),
            group,
            delay_ms: i64::try_from(delay.as_millis()).unwrap_or(0),
        };
        Ok(Prepared { message, answer })
    }

    async fn receive_message(&self, request: Value) -> Result<Value, SqsError> {
        let queue = queue_of(&request)?;
        let request: ReceiveRequest = parse(request)?;
        let within = |value: i64, most: i64, least: i64, parameter: &str| {
            let reason = format!("Must be between {least} and {most}, if provided.");
            let message = format!("Value {value} for parameter {parameter} is invalid. Reason: {reason}");
            if (least..=most).contains(&value) { Ok(value.unsigned_abs()) } else { Err(SqsError::invalid(message)) }
        };
        let visibility = request.visibility_timeout.map(|v| within(v, 43_200, 0, "VisibilityTimeout")).transpose()?;
        let max = within(request.max_number_of_messages.unwrap_or(1), 10, 1, "MaxNumberOfMessages")?;
        let how = Receive {
            max: usize::try_from(max).unwrap_or(1),
            visibility: visibility.map(Duration::from_secs),
            wait: Duration::from_secs(within(request.wait_time_seconds.unwrap_or(0), 20, 0, "WaitTimeSeconds")?),
            by_poller: false,
        };
        let system: Vec<String> =
            request.attribute_names.into_iter().chain(request.message_system_attribute_names).collect();
        let messages = self.queues.receive(&queue, how).await?;
        let messages: Vec<Value> =
            messages.iter().map(|m| message_json(m, &system, &request.message_attribute_names)).collect();
        Ok(if messages.is_empty() { json!({}) } else { json!({ "Messages": messages }) })
    }

    async fn delete_message(&self, request: Value) -> Result<Value, SqsError> {
        let queue = queue_of(&request)?;
        let entry: ReceiptEntry = parse(request)?;
        single(self.queues.delete(&queue, vec![entry.receipt_handle]).await?)
    }

    async fn delete_message_batch(&self, request: Value) -> Result<Value, SqsError> {
        let queue = queue_of(&request)?;
        let entries: Vec<Identified<ReceiptEntry>> = entries(request)?;
        let (ids, handles) = entries.into_iter().map(|e| (e.id, e.entry.receipt_handle)).unzip();
        Ok(outcomes(ids, self.queues.delete(&queue, handles).await?))
    }

    async fn change_visibility(&self, request: Value) -> Result<Value, SqsError> {
        let queue = queue_of(&request)?;
        let change = parse::<VisibilityEntry>(request)?.checked()?;
        single(self.queues.change_visibility(&queue, vec![change]).await?)
    }

    async fn change_visibility_batch(&self, request: Value) -> Result<Value, SqsError> {
        let queue = queue_of(&request)?;
        let entries: Vec<Identified<VisibilityEntry>> = entries(request)?;
        let (mut ids, mut changes, mut failed) = (Vec::new(), Vec::new(), Vec::new());
        for Identified { id, entry } in entries {
            match entry.checked() {
                Ok(change) => {
                    ids.push(id);
                    changes.push(change);
                }
                Err(error) => failed.push(failure(&id, &error)),
            }
        }
        let mut answer = outcomes(ids, self.queues.change_visibility(&queue, changes).await?);
        if let Some(list) = answer["Failed"].as_array_mut() {
            list.extend(failed);
        }
        Ok(answer)
    }

    fn get_queue_url(&self, request: Value) -> Result<Value, SqsError> {
        let name = request["QueueName"].as_str().ok_or_else(|| SqsError::missing("QueueName"))?;
        self.queues.spec(name)?;
        Ok(json!({ "QueueUrl": queue_url(self.base_url, name) }))
    }

    async fn get_queue_attributes(&self, request: Value) -> Result<Value, SqsError> {
        let name = queue_of(&request)?;
        let names: Vec<String> = list(&request["AttributeNames"]);
        let spec = self.queues.spec(&name)?;
        let counts = self.queues.counts(&name).await?;
        let mut attributes = Map::new();
        let mut add = |key: &str, value: String| {
            if names.iter().any(|n| n == "All" || n == key) {
                attributes.insert(key.to_owned(), value.into());
            }
        };
        add("ApproximateNumberOfMessages", counts.visible.to_string());
        add("ApproximateNumberOfMessagesNotVisible", counts.in_flight.to_string());
        add("ApproximateNumberOfMessagesDelayed", counts.delayed.to_string());
        add("QueueArn", queue_arn(&name));
        add("VisibilityTimeout", spec.visibility_timeout.as_secs().to_string());
        add("MessageRetentionPeriod", spec.retention.as_secs().to_string());
        add("DelaySeconds", spec.delay.as_secs().to_string());
        add("MaximumMessageSize", MAX_BYTES.to_string());
        add("ReceiveMessageWaitTimeSeconds", "0".to_owned());
        if let Some(redrive) = &spec.redrive {
            let target = queue_arn(&redrive.dead_letter_queue);
            let policy = json!({ "deadLetterTargetArn": target, "maxReceiveCount": redrive.max_receive_count });
            add("RedrivePolicy", policy.to_string());
        }
        Ok(json!({ "Attributes": attributes }))
    }

    fn list_queues(&self, request: Value) -> Result<Value, SqsError> {
        let prefix = request["QueueNamePrefix"].as_str().unwrap_or_default();
        let urls: Vec<String> =
            self.queues.names().filter(|n| n.starts_with(prefix)).map(|n| queue_url(self.base_url, n)).collect();
        Ok(json!({ "QueueUrls": urls }))
    }

    fn list_sources(&self, request: &Value) -> Result<Value, SqsError> {
        let name = queue_of(request)?;
        let urls: Vec<String> = self.queues.sources(&name)?.map(|source| queue_url(self.base_url, source)).collect();
        // SQS writes this one name so.
        Ok(json!({ "queueUrls": urls }))
    }

    fn by_arn(&self, request: &Value, key: &str) -> Result<Option<&str>, SqsError> {
        let Some(arn) = request[key].as_str() else { return Ok(None) };
        let name = self.queues.names().find(|name| queue_arn(name) == arn);
        name.map(Some).ok_or_else(|| SqsError::not_found(format!("There is no queue {arn}.")))
    }

    /// Moves at once, so that there never is a running task to cancel.
    async fn start_move(&self, request: Value) -> Result<Value, SqsError> {
        let from = self.by_arn(&request, "SourceArn")?.ok_or_else(|| SqsError::missing("SourceArn"))?;
        if !self.queues.is_dead_letter_queue(from)? {
            return Err(SqsError::invalid("Source queue must be configured as a Dead Letter Queue."));
        }
        self.queues.move_all(from, self.by_arn(&request, "DestinationArn")?).await?;
        Ok(json!({ "TaskHandle": Uuid::new_v4().to_string() }))
    }

    fn list_moves(&self, request: &Value) -> Result<Value, SqsError> {
        let from = self.by_arn(request, "SourceArn")?.ok_or_else(|| SqsError::missing("SourceArn"))?;
        let most = request["MaxResults"].as_u64().unwrap_or(1);
        let moves = self.queues.moves(from).into_iter().take(usize::try_from(most).unwrap_or(1));
        let results = moves.map(|m| {
            let mut result = json!({
                "Status": "COMPLETED",
                "SourceArn": queue_arn(&m.from),
                "ApproximateNumberOfMessagesMoved": m.moved,
                "ApproximateNumberOfMessagesToMove": m.moved,
                "StartedTimestamp": m.at,
            });
            if let Some(to) = &m.to {
                result["DestinationArn"] = queue_arn(to).into();
            }
            result
        });
        Ok(json!({ "Results": results.collect::<Vec<_>>() }))
    }
}

struct Prepared {
    message: NewMessage,
    answer: Value,
}

fn message_json(message: &Received, system: &[String], names: &[String]) -> Value {
    let mut json = json!({
        "MessageId": message.message_id,
        "ReceiptHandle": message.receipt_handle,
        "MD5OfBody": attributes::md5_of(&message.body),
        "Body": message.body,
    });
    let mut asked = system_attributes(message);
    asked.retain(|name, _| system.iter().any(|n| n == "All" || n == name));
    if !asked.is_empty() {
        json["Attributes"] = Value::Object(asked);
    }
    if let Some(wanted) = message.attributes.as_deref().and_then(|stored| attributes::wanted(stored, names)) {
        if let Ok(Some(checked)) = attributes::check(&wanted) {
            json["MD5OfMessageAttributes"] = checked.md5.into();
        }
        json["MessageAttributes"] = wanted;
    }
    json
}

/// What SQS itself knows about a message.
pub fn system_attributes(message: &Received) -> Map<String, Value> {
    let mut attributes = Map::new();
    let mut add = |key: &str, value: String| attributes.insert(key.to_owned(), value.into());
    add("ApproximateReceiveCount", message.receive_count.to_string());
    add("SentTimestamp", message.sent_at.to_string());
    add("SenderId", ACCOUNT.to_owned());
    add("ApproximateFirstReceiveTimestamp", message.first_received_at.to_string());
    if !message.group.is_empty() {
        add("MessageGroupId", message.group.clone());
    }
    if let Some(source) = &message.source {
        add("DeadLetterQueueSourceArn", queue_arn(source));
    }
    attributes
}

fn single(results: Vec<Result<(), SqsError>>) -> Result<Value, SqsError> {
    results.into_iter().collect::<Result<(), _>>()?;
    Ok(json!({}))
}

fn outcomes(ids: Vec<String>, results: Vec<Result<(), SqsError>>) -> Value {
    let (mut successful, mut failed) = (Vec::new(), Vec::new());
    for (id, result) in ids.into_iter().zip(results) {
        match result {
            Ok(()) => successful.push(json!({ "Id": id })),
            Err(error) => failed.push(failure(&id, &error)),
        }
    }
    outcome(successful, failed)
}

fn outcome(successful: Vec<Value>, failed: Vec<Value>) -> Value {
    json!({ "Successful": successful, "Failed": failed })
}

fn failure(id: &str, error: &SqsError) -> Value {
    json!({ "Id": id, "SenderFault": error.is_senders_fault(), "Code": error.code, "Message": error.message })
}

fn list(value: &Value) -> Vec<String> {
    value.as_array().into_iter().flatten().filter_map(Value::as_str).map(str::to_owned).collect()
}
