//! A link from an address to a person, and how a business asks for one.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::ids::{AppUserId, IntegrationId, LinkId};
use crate::model::{
    ApiError, ChannelType, Client, Content, ExternalId, MatchResult, Message, MessageWire, Timestamp, check, json,
};

/// How long an unanswered link waits, and an ended one is remembered.
const LINK_DAYS: i64 = 7;

/// What makes a link good.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Confirmation {
    /// The business's word; if there is a message, that it could be sent.
    Immediate,
    /// The person writes back.
    UserActivity,
    /// The person says yes to a question of ours.
    Prompt,
}

/// How far a link has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum LinkState {
    /// The confirmation's message is on its way.
    Asked,
    /// It was sent.
    Matched,
    Done,
    Failed,
}

/// A link from an address to a person, while it is made and for some days after.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Link {
    pub id: LinkId,
    pub app_user_id: AppUserId,
    pub confirmation: Confirmation,
    pub state: LinkState,
    /// As it will be, or was, linked.
    pub client: Client,
    /// What the request named the person by, for the events.
    pub criteria: Map<String, Value>,
    /// The reply that ended it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ended_by: Option<ExternalId>,
    /// Whose the address was until then.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub taken_from: Option<MatchResult>,
    pub ttl: i64,
}

impl Link {
    /// When one that was begun then is waited for no more, in Unix seconds.
    pub fn ends(begun: Timestamp) -> i64 {
        begun.plus_seconds(LINK_DAYS * 86_400).seconds()
    }

    pub fn is_open(&self) -> bool {
        matches!(self.state, LinkState::Asked | LinkState::Matched)
    }

    /// Whether whoever has the address said no.
    pub fn was_declined(&self) -> bool {
        self.state == LinkState::Failed && self.ended_by.is_some()
    }

    /// Whether its days are over: the table may hold it a little longer.
    pub fn is_over(&self, now: Timestamp) -> bool {
        self.ttl <= now.seconds()
    }
}

/// `POST …/channels`, before its integration is known.
#[derive(Debug, Clone, PartialEq)]
pub struct LinkRequest {
    pub channel: ChannelType,
    pub integration_id: Option<IntegrationId>,
    /// The name of the field that holds the address, and what it says.
    pub address: (&'static str, String),
    pub confirmation: Confirmation,
    pub message: Option<Message>,
    pub primary: bool,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct LinkWire {
    #[serde(rename = "type")]
    kind: Option<String>,
    integration_id: Option<String>,
    phone_number: Option<String>,
    confirmation: Option<ConfirmationWire>,
    primary: Option<bool>,
}

#[derive(Deserialize)]
struct ConfirmationWire {
    #[serde(rename = "type")]
    kind: Option<String>,
    message: Option<MessageWire>,
}

impl LinkRequest {
    /// Reads a request body. Errors are 400s that name the field.
    pub fn parse(body: &[u8]) -> Result<Self, ApiError> {
        json::parse::<LinkWire>(body)?.try_into()
    }
}

impl TryFrom<LinkWire> for LinkRequest {
    type Error = ApiError;

    fn try_from(wire: LinkWire) -> Result<Self, ApiError> {
        let kind = check::required("type", wire.kind)?;
        let channel = ChannelType::from_name(&kind)
            .ok_or_else(|| ApiError::field("type", "must be a channel that can be linked: twilio or messagebird"))?;
        let integration_id = wire.integration_id.map(|id| id.parse()).transpose();
        let confirmation = check::required("confirmation", wire.confirmation)?;
        let (confirmation, message) = confirmed(confirmation)?;
        let address = match channel {
            ChannelType::Twilio | ChannelType::Messagebird => {
                ("phoneNumber", check::required("phoneNumber", wire.phone_number)?)
            }
        };
        Ok(Self {
            channel,
            integration_id: integration_id.map_err(|error| ApiError::field("integrationId", error))?,
            address,
            confirmation,
            message,
            primary: wire.primary.unwrap_or(true),
        })
    }
}

fn confirmed(wire: ConfirmationWire) -> Result<(Confirmation, Option<Message>), ApiError> {
    let kind = match check::required("confirmation.type", wire.kind)?.as_str() {
        "immediate" => Confirmation::Immediate,
        "userActivity" => Confirmation::UserActivity,
        "prompt" => Confirmation::Prompt,
        _ => return Err(ApiError::field("confirmation.type", "must be immediate, userActivity or prompt")),
    };
    let inside = |error: ApiError| ApiError::new(error.code, format!("confirmation.{}", error.description));
    let message = wire.message.map(Message::try_from).transpose().map_err(inside)?;
    match (&message, kind) {
        (None, Confirmation::UserActivity) => {
            return Err(ApiError::field("confirmation.message", "is required for confirmation of type userActivity"));
        }
        (Some(_), Confirmation::Prompt) => {
            return Err(ApiError::field("confirmation.message", "is not taken by confirmation of type prompt"));
        }
        (Some(message), _) if !matches!(message.content, Content::Text { .. } | Content::Image { .. }) => {
            return Err(ApiError::field("confirmation.message.type", "must be text or image"));
        }
        _ => {}
    }
    Ok((kind, message))
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn refusal(change: Value) -> String {
        let mut body =
            json!({ "type": "twilio", "phoneNumber": "+1 212-555-2368", "confirmation": { "type": "prompt" } });
        if let (Value::Object(body), Value::Object(change)) = (&mut body, change) {
            body.extend(change);
        }
        LinkRequest::parse(body.to_string().as_bytes()).map_or_else(|error| error.description, |_| "taken".into())
    }

    #[test]
    fn a_link_is_read_and_what_is_wrong_is_named() {
        assert_eq!(refusal(json!({})), "taken");
        let text = json!({ "type": "text", "text": "Hi" });
        for (change, field) in [
            (json!({ "type": "pigeon" }), "type"),
            (json!({ "phoneNumber": null }), "phoneNumber"),
            (json!({ "integrationId": "x" }), "integrationId"),
            (json!({ "confirmation": null }), "confirmation"),
            (json!({ "confirmation": { "type": "perhaps" } }), "confirmation.type"),
            (json!({ "confirmation": { "type": "userActivity" } }), "confirmation.message"),
            (json!({ "confirmation": { "type": "prompt", "message": text } }), "confirmation.message"),
            (
                json!({ "confirmation": { "type": "immediate", "message": { "type": "text" } } }),
                "confirmation.message.text",
            ),
            (
                json!({ "confirmation": { "type": "immediate",
                    "message": { "type": "location", "coordinates": { "lat": 1, "long": 2 } } } }),
                "confirmation.message.type",
            ),
        ] {
            assert!(refusal(change).starts_with(&format!("{field} ")), "{field}");
        }
    }
}
