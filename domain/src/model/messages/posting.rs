//! `POST …/messages` and `…/images`: a message as it is posted, before it is known to whom it goes
//! (docs/REFERENCE.md, 3; 4.1 and 4.4).

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::{Map, Value};

use crate::ids::IntegrationId;
use crate::model::{ApiError, Author, ChannelType, Content, MediaType, Message, MessageWire, json};

/// Who writes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Role {
    AppMaker,
    AppUser,
}

impl Role {
    pub fn as_str(self) -> &'static str {
        match self {
            Self::AppMaker => "appMaker",
            Self::AppUser => "appUser",
        }
    }

    pub fn parse(role: Option<&str>) -> Result<Self, ApiError> {
        match role {
            None => Err(ApiError::field("role", "is required")),
            Some("appMaker") => Ok(Self::AppMaker),
            Some("appUser") => Ok(Self::AppUser),
            Some(_) => Err(ApiError::field("role", "must be appMaker or appUser")),
        }
    }
}

/// One channel that a message shall go by.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Target {
    pub integration_id: Option<IntegrationId>,
    pub channel: Option<String>,
}

/// A message to be posted.
#[derive(Debug, Clone, PartialEq)]
pub struct Posting {
    pub role: Role,
    pub author: Author,
    pub message: Message,
    /// Of a reply action that the person tapped.
    pub payload: Option<String>,
    pub target: Option<Target>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct PostingWire {
    role: Option<String>,
    name: Option<String>,
    email: Option<String>,
    avatar_url: Option<String>,
    payload: Option<String>,
    /// An object, and let go: no channel that is served has a payload of its own.
    #[serde(rename = "override")]
    _overrides: Option<Map<String, Value>>,
    destination: Option<TargetWire>,
    message_schema: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct TargetWire {
    integration_id: Option<String>,
    integration_type: Option<String>,
}

/// Of a form's fields, those that hold JSON; the others are texts.
const JSON_FIELDS: [&str; 4] = ["actions", "destination", "metadata", "override"];

impl Posting {
    /// Reads the fields of a form that brings a picture: they are those of a message. An empty one is as good as none.
    pub fn of_picture(fields: BTreeMap<String, String>, url: &str, kind: &MediaType) -> Result<Self, ApiError> {
        if fields.get("type").is_some_and(|named| !matches!(named.as_str(), "" | "image")) {
            return Err(ApiError::field("type", "must be image, or be left out"));
        }
        let mut body = Map::new();
        for (name, text) in fields.into_iter().filter(|(_, text)| !text.is_empty()) {
            let value = if JSON_FIELDS.contains(&name.as_str()) {
                json::value(text.as_bytes()).map_err(|_| ApiError::field(&name, "must be written as JSON"))?
            } else {
                Value::String(text)
            };
            body.insert(name, value);
        }
        let own = [("type", "image"), ("mediaUrl", url), ("mediaType", kind.as_str())];
        body.extend(own.map(|(name, text)| (name.to_owned(), Value::from(text))));
        Self::parse(Value::Object(body).to_string().as_bytes())
    }

    /// Reads a request body. Errors are 400s that name the field.
    pub fn parse(body: &[u8]) -> Result<Self, ApiError> {
        let value = json::object(body)?;
        let wire: PostingWire = json::read(value.clone())?;
        let role = Role::parse(wire.role.as_deref())?;
        if wire.message_schema.is_some() {
            return Err(ApiError::field("messageSchema", "is not taken here: no channel of this app has one"));
        }
        let message = Message::try_from(json::read::<MessageWire>(value)?).map_err(at_root)?;
        if role == Role::AppUser && has_actions(&message.content) {
            return Err(ApiError::field("actions", "are taken of role appMaker only"));
        }
        let author = Author::read("", wire.name, wire.email, wire.avatar_url)?;
        let target = wire.destination.map(Target::try_from).transpose()?;
        if target.is_some() && role == Role::AppUser {
            return Err(ApiError::field("destination", "is taken of role appMaker only"));
        }
        Ok(Self { role, author, message, payload: wire.payload, target })
    }
}

impl TryFrom<TargetWire> for Target {
    type Error = ApiError;

    fn try_from(wire: TargetWire) -> Result<Self, ApiError> {
        let integration_id = wire.integration_id.map(|id| id.parse()).transpose();
        let integration_id = integration_id.map_err(|error| ApiError::field("destination.integrationId", error))?;
        match (integration_id, wire.integration_type) {
            (None, None) => Err(ApiError::field("destination", "must have an integrationId or an integrationType")),
            (integration_id, channel) => Ok(Self { integration_id, channel }),
        }
    }
}

impl Target {
    pub fn is(&self, channel: ChannelType, integration: IntegrationId) -> bool {
        self.integration_id.is_none_or(|wanted| wanted == integration)
            && self.channel.as_deref().is_none_or(|wanted| wanted == channel.as_str())
    }
}

/// Here the message is the body itself: `message.text` is `text`.
fn at_root(error: ApiError) -> ApiError {
    let description = error.description.strip_prefix("message.").unwrap_or(&error.description).to_owned();
    ApiError::new(error.code, description)
}

fn has_actions(content: &Content) -> bool {
    match content {
        Content::Text { actions, .. } | Content::Image { actions, .. } | Content::List { actions, .. } => {
            !actions.is_empty()
        }
        Content::File { .. } | Content::Carousel { .. } | Content::Location { .. } | Content::Form { .. } => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::entropy::Counter;
    use serde_json::json;

    fn parse(body: Value) -> Result<Posting, String> {
        Posting::parse(body.to_string().as_bytes()).map_err(|error| error.description)
    }

    #[test]
    fn a_message_is_the_body_itself() {
        let posting = parse(json!({ "role": "appMaker", "type": "text", "text": "Hi", "name": "Nadia",
            "destination": { "integrationType": "twilio" } }))
        .unwrap();
        assert_eq!((posting.role, posting.author.name.as_deref()), (Role::AppMaker, Some("Nadia")));
        assert!(posting.target.unwrap().is(ChannelType::Twilio, IntegrationId::generate(&Counter)));
    }

    #[test]
    fn limits_count_characters_and_blank_choices_are_none() {
        let picture = |url: String, kind: &str| {
            parse(json!({ "role": "appMaker", "type": "image", "mediaUrl": url, "mediaType": kind }))
        };
        let url = |letters: usize| format!("https://a.example/{}", "報".repeat(letters));
        assert!(picture(url(2_030), "").is_ok(), "2048 characters");
        assert!(picture(url(2_031), "").is_err(), "one more");
        assert!(picture(url(1), "binary/octet-stream").is_ok(), "what stores say of what they were not told about");
        let item =
            json!({ "title": "Mint", "actions": [{ "type": "postback", "text": "Take it", "payload": "MINT" }] });
        for ratio in ["", " ", "square"] {
            let body = json!({ "role": "appMaker", "type": "carousel", "items": [item],
                "displaySettings": { "imageAspectRatio": ratio } });
            assert!(parse(body).is_ok(), "{ratio:?}");
        }
    }

    fn of_picture(fields: &[(&str, &str)]) -> Result<Posting, String> {
        let fields = fields.iter().map(|(name, text)| ((*name).to_owned(), (*text).to_owned())).collect();
        let posting = Posting::of_picture(fields, "https://a.example/tea.png", &MediaType::parse("image/png"));
        posting.map_err(|error| error.description)
    }

    #[test]
    fn a_form_with_a_picture_is_read_as_the_message_that_shows_it() {
        let fields = [
            ("role", "appMaker"),
            ("text", "Mint"),
            ("email", ""),
            ("type", "image"),
            ("mediaUrl", "https://elsewhere.example/"),
            ("actions", r#"[{"type":"link","text":"Go","uri":"https://a.example/"}]"#),
            ("metadata", r#"{"table":7}"#),
            ("destination", r#"{"integrationType":"twilio"}"#),
        ];
        let body = json!({
            "role": "appMaker", "type": "image", "text": "Mint", "mediaUrl": "https://a.example/tea.png",
            "mediaType": "image/png", "actions": [{ "type": "link", "text": "Go", "uri": "https://a.example/" }],
            "metadata": { "table": 7 }, "destination": { "integrationType": "twilio" },
        });
        assert_eq!(of_picture(&fields), parse(body));
    }

    #[test]
    fn every_refusal_of_a_form_names_the_field() {
        let cases: [(&[(&str, &str)], &str); 6] = [
            (&[], "role"),
            (&[("role", "boss")], "role"),
            (&[("role", "appUser"), ("type", "file")], "type"),
            (&[("role", "appUser"), ("metadata", "[object Object]")], "metadata"),
            (&[("role", "appUser"), ("metadata", "[1]")], "metadata"),
            (&[("role", "appUser"), ("actions", r#"[{"type":"share"}]"#)], "actions"),
        ];
        for (fields, field) in cases {
            assert!(of_picture(fields).unwrap_err().starts_with(&format!("{field} ")), "{fields:?}");
        }
    }

    #[test]
    fn every_refusal_names_the_field() {
        let action = json!([{ "type": "link", "text": "Go", "uri": "https://a.example/" }]);
        for (body, field) in [
            (json!({ "type": "text", "text": "Hi" }), "role"),
            (json!({ "role": "boss", "type": "text", "text": "Hi" }), "role"),
            (json!({ "role": "appMaker" }), "type"),
            (json!({ "role": "appMaker", "type": "text" }), "text"),
            (json!({ "role": "appUser", "type": "text", "text": "Hi", "actions": action }), "actions"),
            (json!({ "role": "appMaker", "type": "text", "text": "Hi", "destination": {} }), "destination"),
            (
                json!({ "role": "appMaker", "type": "text", "text": "Hi", "destination": { "integrationId": "x" } }),
                "destination.integrationId",
            ),
            (
                json!({ "role": "appUser", "type": "text", "text": "Hi", "destination": { "integrationType": "twilio" } }),
                "destination",
            ),
        ] {
            assert!(parse(body).unwrap_err().starts_with(&format!("{field} ")), "{field}");
        }
    }
}
