//! What SQS's requests look like, and what is wrong with them before any queue is asked.

use std::collections::HashSet;
use std::time::Duration;

use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::Value;

use super::{SqsError, attributes};

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct Identified<T> {
    pub id: String,
    #[serde(flatten)]
    pub entry: T,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct SendEntry {
    pub message_body: Option<String>,
    pub delay_seconds: Option<i64>,
    pub message_attributes: Option<Value>,
    pub message_group_id: Option<String>,
}

impl SendEntry {
    /// The tenant of a fair queue: letters, digits and punctuation, at most 128. Empty for none.
    pub fn group(&self) -> Result<String, SqsError> {
        let Some(group) = &self.message_group_id else { return Ok(String::new()) };
        let is_right = (1..=128).contains(&group.len()) && group.chars().all(|c| c.is_ascii_graphic());
        let reason = "MessageGroupId can only include alphanumeric and punctuation characters. 1 to 128 in length";
        let refusal = || format!("Value for parameter MessageGroupId is invalid. Reason: {reason}.");
        if is_right { Ok(group.clone()) } else { Err(SqsError::invalid(refusal())) }
    }

    pub fn bytes(&self) -> usize {
        let attributes = self.message_attributes.as_ref().and_then(|a| attributes::check(a).ok().flatten());
        self.message_body.as_ref().map_or(0, String::len) + attributes.map_or(0, |c| c.bytes)
    }
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct ReceiptEntry {
    pub receipt_handle: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct VisibilityEntry {
    pub receipt_handle: String,
    pub visibility_timeout: i64,
}

impl VisibilityEntry {
    pub fn checked(self) -> Result<(String, Duration), SqsError> {
        match self.visibility_timeout {
            seconds @ 0..=43_200 => Ok((self.receipt_handle, Duration::from_secs(seconds.unsigned_abs()))),
            other => {
                let reason = "VisibilityTimeout must be an integer between 0 and 43200";
                Err(SqsError::invalid(format!(
                    "Value {other} for parameter VisibilityTimeout is invalid. Reason: {reason}."
                )))
            }
        }
    }
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct ReceiveRequest {
    pub max_number_of_messages: Option<i64>,
    pub visibility_timeout: Option<i64>,
    pub wait_time_seconds: Option<i64>,
    #[serde(default)]
    pub attribute_names: Vec<String>,
    #[serde(default)]
    pub message_system_attribute_names: Vec<String>,
    #[serde(default)]
    pub message_attribute_names: Vec<String>,
}

/// The queue a request is for: the last segment of its URL.
///
/// # Errors
/// When the request names none.
pub fn queue_of(request: &Value) -> Result<String, SqsError> {
    let url = request["QueueUrl"].as_str().ok_or_else(|| SqsError::missing("QueueUrl"))?;
    Ok(url.rsplit('/').next().unwrap_or(url).to_owned())
}

pub fn parse<T: DeserializeOwned>(request: Value) -> Result<T, SqsError> {
    serde_json::from_value(request).map_err(|e| SqsError::invalid(format!("The request is malformed: {e}.")))
}

/// The entries of a batch request, whose ids and number are right.
pub fn entries<T: DeserializeOwned>(mut request: Value) -> Result<Vec<Identified<T>>, SqsError> {
    let entries: Vec<Identified<T>> = match request["Entries"].take() {
        Value::Null => Vec::new(),
        list => parse(list)?,
    };
    if entries.is_empty() {
        return Err(SqsError::empty_batch());
    }
    if entries.len() > 10 {
        return Err(SqsError::too_many_entries(entries.len()));
    }
    let mut seen = HashSet::new();
    for Identified { id, .. } in &entries {
        let is_plain = |c: char| c.is_ascii_alphanumeric() || c == '-' || c == '_';
        if id.is_empty() || id.len() > 80 || !id.chars().all(is_plain) {
            return Err(SqsError::invalid_entry_id());
        }
        if !seen.insert(id.as_str()) {
            return Err(SqsError::ids_not_distinct(id));
        }
    }
    Ok(entries)
}
