//! A notification: one message to one address, asked for by the business.

use serde::{Deserialize, Serialize};

use super::{Address, ApiError, Message, MessageWire, Timestamp};
use crate::ids::{AppId, IntegrationId, NotificationId};

/// Who speaks for the business. Shown to the person where the channel can.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Author {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub email: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub avatar_url: Option<String>,
}

/// An accepted notification: everything about it has been checked.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Notification {
    #[serde(rename = "_id")]
    pub id: NotificationId,
    pub app_id: AppId,
    pub integration_id: IntegrationId,
    pub address: Address,
    pub author: Author,
    #[serde(with = "as_wire")]
    pub message: Message,
    pub accepted: Timestamp,
}

/// What `POST …/notifications` asks for, before its integration is known: the address is not yet read, since how it is
/// spelled depends on the channel.
#[derive(Debug, Clone, PartialEq)]
pub struct NotificationRequest {
    pub integration_id: IntegrationId,
    pub destination_id: String,
    pub author: Author,
    pub message: Message,
}

impl NotificationRequest {
    /// Reads a request body. Errors are 400s that name the field.
    pub fn parse(body: &[u8]) -> Result<Self, ApiError> {
        let value: serde_json::Value = serde_json::from_slice(body)
            .map_err(|error| ApiError::field("body", format!("must be JSON: {}", json_problem(&error))))?;
        if !value.is_object() {
            return Err(ApiError::field("body", "must be a JSON object"));
        }
        let wire: RequestWire = serde_path_to_error::deserialize(value)
            .map_err(|error| ApiError::field(&error.path().to_string(), mistyped(error.inner())))?;
        wire.try_into()
    }
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct RequestWire {
    destination: Option<DestinationWire>,
    author: Option<AuthorWire>,
    message_schema: Option<String>,
    message: Option<MessageWire>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct DestinationWire {
    integration_id: Option<String>,
    destination_id: Option<String>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct AuthorWire {
    role: Option<String>,
    name: Option<String>,
    email: Option<String>,
    avatar_url: Option<String>,
}

impl TryFrom<RequestWire> for NotificationRequest {
    type Error = ApiError;

    fn try_from(wire: RequestWire) -> Result<Self, ApiError> {
        let destination = wire.destination.ok_or_else(|| ApiError::field("destination", "is required"))?;
        let integration_id = destination
            .integration_id
            .ok_or_else(|| ApiError::field("destination.integrationId", "is required"))?
            .parse()
            .map_err(|error| ApiError::field("destination.integrationId", error))?;
        let destination_id = destination
            .destination_id
            .filter(|id| !id.trim().is_empty())
            .ok_or_else(|| ApiError::field("destination.destinationId", "is required"))?;
        let author = author(wire.author.ok_or_else(|| ApiError::field("author", "is required"))?)?;
        match wire.message_schema.as_deref() {
            None => {}
            Some("whatsapp") => {
                let problem = "whatsapp needs an integration of type whatsapp; leave it out for this one";
                return Err(ApiError::field("messageSchema", problem));
            }
            Some(_) => return Err(ApiError::field("messageSchema", "must be whatsapp, or left out")),
        }
        let message = wire.message.ok_or_else(|| ApiError::field("message", "is required"))?.try_into()?;
        Ok(Self { integration_id, destination_id, author, message })
    }
}

fn author(wire: AuthorWire) -> Result<Author, ApiError> {
    match wire.role.as_deref() {
        None => return Err(ApiError::field("author.role", "is required")),
        Some("appMaker") => {}
        Some(_) => return Err(ApiError::field("author.role", "must be appMaker")),
    }
    let limited = |field: &str, text: Option<String>, limit: usize| match text {
        Some(text) if text.chars().count() > limit => {
            Err(ApiError::field(field, format!("must have at most {limit} characters")))
        }
        text => Ok(text),
    };
    Ok(Author {
        name: limited("author.name", wire.name, 128)?,
        email: limited("author.email", wire.email, 128)?,
        avatar_url: limited("author.avatarUrl", wire.avatar_url, 2048)?,
    })
}

/// serde_json's words without the caller's own data, which an error must not repeat.
fn json_problem(error: &serde_json::Error) -> String {
    match error.classify() {
        serde_json::error::Category::Eof => {
            format!("it ends early, at line {} column {}", error.line(), error.column())
        }
        _ => format!("line {} column {}", error.line(), error.column()),
    }
}

fn mistyped(error: &serde_json::Error) -> String {
    let text = error.to_string();
    match text.split_once("expected ") {
        Some((_, expected)) => {
            format!("has the wrong type, expected {}", expected.split(" at line").next().unwrap_or(expected))
        }
        None => "has the wrong type".to_owned(),
    }
}

/// A message inside a task travels in its wire form, so that queues and logs of queues show v1.1's spelling.
mod as_wire {
    use serde::{Deserialize, Deserializer, Serialize, Serializer, de::Error};

    use super::{Message, MessageWire};

    pub fn serialize<S: Serializer>(message: &Message, serializer: S) -> Result<S::Ok, S::Error> {
        MessageWire::from(message).serialize(serializer)
    }

    pub fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Message, D::Error> {
        MessageWire::deserialize(deserializer)?.try_into().map_err(D::Error::custom)
    }
}
