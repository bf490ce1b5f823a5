//! A notification: one message to one address, asked for by the business.

use serde::Deserialize;

use crate::ids::IntegrationId;
use crate::model::{ApiError, Author, Message, MessageWire, json};

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
        let wire: RequestWire = json::parse(body)?;
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
    Author::read("author.", wire.name, wire.email, wire.avatar_url)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use serde_json::{Value, json};

    fn good() -> Value {
        json!({
            "destination": { "integrationId": "64c0ffee0123456789abcdef", "destinationId": "+14165550142" },
            "author": { "role": "appMaker", "name": "Nadia" },
            "message": { "type": "text", "text": "Your parcel leaves today." }
        })
    }

    /// The description of the refusal of a good body with one thing changed.
    fn refusal(change: impl FnOnce(&mut Value)) -> String {
        let mut body = good();
        change(&mut body);
        NotificationRequest::parse(body.to_string().as_bytes()).unwrap_err().description
    }

    #[test]
    fn a_good_request_is_read() {
        let request = NotificationRequest::parse(good().to_string().as_bytes()).unwrap();
        assert_eq!(request.destination_id, "+14165550142");
        assert_eq!(request.author.name.as_deref(), Some("Nadia"));
        assert_eq!(request.message.content.type_name(), "text");
    }

    #[test]
    fn fields_nobody_knows_are_ignored() {
        let mut body = good();
        body["brandNew"] = json!({ "a": [1] });
        body["message"]["brandNew"] = json!(true);
        assert!(NotificationRequest::parse(body.to_string().as_bytes()).is_ok());
    }

    #[test]
    fn what_is_no_json_object_is_refused_without_being_repeated() {
        for body in ["", "{", "[]", "null", "\"x\"", "12", "{\"a\":}", "\u{feff}", "{\"secret\":tru"] {
            let error = NotificationRequest::parse(body.as_bytes()).unwrap_err();
            assert!(error.description.starts_with("body must be"), "{body:?}: {}", error.description);
            assert!(!error.description.contains("secret"));
        }
        assert!(NotificationRequest::parse(&[0xff, 0xfe, 0x00]).is_err());
    }

    #[test]
    fn every_refusal_names_the_field_and_the_fix() {
        let text = |length: usize| json!({ "type": "text", "text": "x".repeat(length) });
        let action = |kind: &str| json!({ "type": kind, "text": "Go", "uri": "https://a.example/", "payload": "P" });
        let cases: Vec<(&str, String)> = vec![
            ("no destination", refusal(|body| body["destination"] = Value::Null)),
            ("destination mistyped", refusal(|body| body["destination"] = json!("x"))),
            ("no integrationId", refusal(|body| body["destination"]["integrationId"] = Value::Null)),
            ("integrationId malformed", refusal(|body| body["destination"]["integrationId"] = json!("64c0"))),
            ("integrationId mistyped", refusal(|body| body["destination"]["integrationId"] = json!(7))),
            ("destinationId blank", refusal(|body| body["destination"]["destinationId"] = json!(" "))),
            ("no author", refusal(|body| body["author"] = Value::Null)),
            ("author.role other", refusal(|body| body["author"]["role"] = json!("appUser"))),
            ("messageSchema unknown", refusal(|body| body["messageSchema"] = json!("line"))),
            ("messageSchema on SMS", refusal(|body| body["messageSchema"] = json!("whatsapp"))),
            ("no message", refusal(|body| body["message"] = Value::Null)),
            ("item is a list", refusal(|body| body["message"] = json!({ "type": "list", "items": [["Tea"]] }))),
            ("message mistyped", refusal(|body| body["message"] = json!([]))),
            ("type unknown", refusal(|body| body["message"] = json!({ "type": "hologram" }))),
            ("type missing", refusal(|body| body["message"] = json!({ "text": "x" }))),
            ("text missing", refusal(|body| body["message"] = json!({ "type": "text" }))),
            ("text empty", refusal(|body| body["message"] = json!({ "type": "text", "text": "" }))),
            ("text mistyped", refusal(|body| body["message"]["text"] = json!(5))),
            ("text over 4096", refusal(|body| body["message"] = text(4097))),
            ("image without URL", refusal(|body| body["message"] = json!({ "type": "image" }))),
            ("mediaUrl no URL", refusal(|body| body["message"] = json!({ "type": "file", "mediaUrl": "x.jpg" }))),
            (
                "location without lat",
                refusal(|body| {
                    body["message"] = json!({ "type": "location", "coordinates": { "long": 3 } });
                }),
            ),
            (
                "location off the globe",
                refusal(|body| {
                    body["message"] = json!({ "type": "location", "coordinates": { "lat": 91, "long": 3 } });
                }),
            ),
            ("carousel empty", refusal(|body| body["message"] = json!({ "type": "carousel", "items": [] }))),
            (
                "item without title",
                refusal(|body| {
                    body["message"] = json!({ "type": "list", "items": [{ "actions": [action("link")] }] });
                }),
            ),
            (
                "item without actions",
                refusal(|body| {
                    body["message"] = json!({ "type": "list", "items": [{ "title": "Tea" }] });
                }),
            ),
            (
                "actions mixed",
                refusal(|body| {
                    body["message"]["actions"] = json!([action("reply"), action("link")]);
                }),
            ),
            (
                "link without uri",
                refusal(|body| {
                    body["message"]["actions"] = json!([{ "type": "link", "text": "Go" }]);
                }),
            ),
            (
                "buy without amount",
                refusal(|body| {
                    body["message"]["actions"] = json!([{ "type": "buy", "text": "Go" }]);
                }),
            ),
            ("metadata nested", refusal(|body| body["message"]["metadata"] = json!({ "a": { "b": 1 } }))),
            ("metadata over 4 kB", refusal(|body| body["message"]["metadata"] = json!({ "a": "x".repeat(4096) }))),
        ];
        let lines: Vec<String> = cases.into_iter().map(|(case, problem)| format!("{case}: {problem}")).collect();
        insta::assert_snapshot!(lines.join("\n"));
    }

    #[test]
    fn a_message_survives_the_queue() {
        let actions = json!([{ "type": "link", "text": "Go", "uri": "https://a.example/", "default": true }]);
        for message in [
            json!({ "type": "text", "text": "Ça va? 🙂", "actions": actions, "metadata": { "order": 7, "vip": true } }),
            json!({ "type": "image", "mediaUrl": "https://a.example/x.jpg", "mediaType": "image/jpeg", "altText": "x" }),
            json!({ "type": "file", "mediaUrl": "https://a.example/x.pdf", "text": "The bill" }),
            json!({ "type": "location", "coordinates": { "lat": 45.5, "long": -73.25 }, "location": { "name": "Here" } }),
            json!({ "type": "carousel", "items": [{ "title": "Tea", "actions": actions }],
                    "displaySettings": { "imageAspectRatio": "square" } }),
            json!({ "type": "list", "items": [{ "title": "Tea", "description": "Hot", "actions": actions }] }),
            json!({ "type": "form", "fields": [{ "type": "text", "name": "a", "label": "A" }] }),
        ] {
            let wire: MessageWire = serde_json::from_value(message.clone()).unwrap();
            let parsed: Message = wire.try_into().unwrap();
            assert_eq!(serde_json::to_value(MessageWire::from(&parsed)).unwrap(), message);
        }
    }

    fn any_json() -> impl Strategy<Value = Value> {
        let leaf = prop_oneof![
            Just(Value::Null),
            any::<bool>().prop_map(Value::from),
            any::<i64>().prop_map(Value::from),
            "\\PC{0,12}".prop_map(Value::from),
        ];
        leaf.prop_recursive(4, 32, 6, |inner| {
            let names = prop::sample::select(vec![
                "destination",
                "integrationId",
                "destinationId",
                "author",
                "role",
                "message",
                "type",
                "text",
                "items",
                "actions",
                "coordinates",
                "metadata",
                "title",
                "uri",
                "amount",
                "x",
            ]);
            prop_oneof![
                prop::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
                prop::collection::vec((names, inner), 0..6)
                    .prop_map(|pairs| pairs.into_iter().map(|(name, value)| (name.to_owned(), value)).collect()),
            ]
        })
    }

    proptest! {
        #[test]
        fn no_body_makes_parsing_panic(bytes in prop::collection::vec(any::<u8>(), 0..300)) {
            let _ = NotificationRequest::parse(&bytes);
        }

        #[test]
        fn no_json_makes_parsing_panic_and_every_refusal_is_a_400(body in any_json(), message in any_json()) {
            for value in [body, { let mut body = good(); body["message"] = message; body }] {
                if let Err(error) = NotificationRequest::parse(value.to_string().as_bytes()) {
                    prop_assert_eq!(error.code.status(), 400);
                    prop_assert!(!error.description.is_empty());
                }
            }
        }
    }
}
