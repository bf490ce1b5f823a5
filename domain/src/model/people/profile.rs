//! What the business says of a person: bodies of `POST …/appusers` and `PUT …/appusers/{userId}` (docs/REFERENCE.md, 5.1).

use serde::Deserialize;
use serde_json::{Map, Value};

use crate::entropy::Entropy;
use crate::model::{ApiError, AppUser, Change, Timestamp, check, json};

const USER_ID_LIMIT: usize = 1024;
const NAME_LIMIT: usize = 128;
/// All properties of a person together, as JSON.
const PROPERTIES_LIMIT: usize = 32 * 1024;

/// Somebody to be created.
#[derive(Debug, Clone, PartialEq)]
pub struct NewProfile(pub AppUser);

/// What an update says; fields not named stay.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct ProfileChange {
    pub given_name: Change<String>,
    pub surname: Change<String>,
    pub email: Change<String>,
    pub signed_up: Option<Timestamp>,
    pub credential_required: Option<bool>,
    /// Merged key by key; null takes a key away.
    pub properties: Map<String, Value>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", default)]
#[derive(Default)]
struct ProfileWire {
    user_id: Option<String>,
    given_name: Change<String>,
    surname: Change<String>,
    email: Change<String>,
    signed_up_at: Option<String>,
    credential_required: Option<bool>,
    properties: Option<Map<String, Value>>,
}

impl NewProfile {
    pub fn parse(entropy: &impl Entropy, body: &[u8], now: Timestamp) -> Result<Self, ApiError> {
        let wire: ProfileWire = json::parse(body)?;
        let user_id = check::text("userId", check::required("userId", wire.user_id.clone())?, USER_ID_LIMIT)?;
        let change = ProfileChange::try_from(wire)?;
        check::flat("properties", &change.properties)?;
        let signed_up = change.signed_up.unwrap_or(now);
        Ok(Self(AppUser {
            user_id: Some(user_id),
            given_name: change.given_name.apply(None),
            surname: change.surname.apply(None),
            email: change.email.apply(None),
            credential_required: change.credential_required.unwrap_or_default(),
            properties: change.properties,
            ..AppUser::new(entropy, signed_up)
        }))
    }
}

impl ProfileChange {
    /// What of it a person may say of themselves, by a token of their own. The rest is the business's to say, and is let
    /// go: SDKs send `signedUpAt` along with names whenever theirs differs.
    pub fn of_themselves(self) -> Self {
        Self { signed_up: None, credential_required: None, ..self }
    }

    /// `known`: the properties that the person has.
    pub fn parse(body: &[u8], known: &Map<String, Value>) -> Result<Self, ApiError> {
        let change = Self::try_from(json::parse::<ProfileWire>(body)?)?;
        // Two people who were merged may have more between them; what does not add to it is no fault.
        if !change.properties.is_empty() {
            let all = known.clone().into_iter().chain(change.properties.clone());
            if size(&all.filter(|(_, value)| !value.is_null()).collect()) > PROPERTIES_LIMIT {
                return Err(too_large());
            }
        }
        Ok(change)
    }

    /// The person after the change.
    pub fn apply(self, mut user: AppUser) -> AppUser {
        user.given_name = self.given_name.apply(user.given_name);
        user.surname = self.surname.apply(user.surname);
        user.email = self.email.apply(user.email);
        user.signed_up = self.signed_up.unwrap_or(user.signed_up);
        user.credential_required = self.credential_required.unwrap_or(user.credential_required);
        for (name, value) in self.properties {
            match value {
                Value::Null => user.properties.remove(&name),
                value => user.properties.insert(name, value),
            };
        }
        user
    }
}

impl TryFrom<ProfileWire> for ProfileChange {
    type Error = ApiError;

    fn try_from(wire: ProfileWire) -> Result<Self, ApiError> {
        let name = |field: &'static str, change: Change<String>| match change {
            // An empty name is none.
            Change::Set(text) if text.trim().is_empty() => Ok(Change::Unset),
            change => change.check(|text| check::text(field, text, NAME_LIMIT)),
        };
        let properties = wire.properties.unwrap_or_default();
        let set = properties.iter().filter(|(_, value)| !value.is_null());
        let set: Map<String, Value> = set.map(|(name, value)| (name.clone(), value.clone())).collect();
        check::flat("properties", &set)?;
        if size(&properties) > PROPERTIES_LIMIT {
            return Err(too_large());
        }
        Ok(Self {
            given_name: name("givenName", wire.given_name)?,
            surname: name("surname", wire.surname)?,
            email: name("email", wire.email)?,
            signed_up: wire.signed_up_at.map(|text| signed_up(&text)).transpose()?,
            credential_required: wire.credential_required,
            properties,
        })
    }
}

fn signed_up(text: &str) -> Result<Timestamp, ApiError> {
    Timestamp::from_iso(text)
        .ok_or_else(|| ApiError::field("signedUpAt", "must be an ISO 8601 time, such as 2026-11-24T09:30:00.000Z"))
}

fn size(map: &Map<String, Value>) -> usize {
    serde_json::to_vec(map).map_or(usize::MAX, |bytes| bytes.len())
}

fn too_large() -> ApiError {
    ApiError::field("properties", format!("is limited to {PROPERTIES_LIMIT} bytes in size, all of a person's together"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::entropy::Counter;
    use serde_json::json;

    const NOW: Timestamp = Timestamp::from_millis(1_790_000_000_000);

    #[test]
    fn a_person_is_read_with_every_field() {
        let body = json!({ "userId": "bob", "givenName": "Bob", "surname": "", "email": "b@x.example",
            "signedUpAt": "2020-01-02T03:04:05.678Z", "credentialRequired": true, "properties": { "vip": true } });
        let NewProfile(user) = NewProfile::parse(&Counter, body.to_string().as_bytes(), NOW).unwrap();
        assert_eq!((user.user_id.as_deref(), user.surname, user.credential_required), (Some("bob"), None, true));
        assert_eq!(user.signed_up.iso(), "2020-01-02T03:04:05.678Z");
        assert!(!user.conversation_started);
    }

    #[test]
    fn every_refusal_names_the_field() {
        let cases = [
            (json!({}), "userId"),
            (json!({ "userId": " " }), "userId"),
            (json!({ "userId": "x".repeat(1025) }), "userId"),
            (json!({ "userId": 7 }), "userId"),
            (json!({ "userId": "a", "givenName": "x".repeat(129) }), "givenName"),
            (json!({ "userId": "a", "email": 5 }), "email"),
            (json!({ "userId": "a", "signedUpAt": "yesterday" }), "signedUpAt"),
            (json!({ "userId": "a", "properties": { "a": {} } }), "properties"),
            (json!({ "userId": "a", "properties": { "a": "x".repeat(40_000) } }), "properties"),
        ];
        for (body, field) in cases {
            let error = NewProfile::parse(&Counter, body.to_string().as_bytes(), NOW).unwrap_err();
            assert!(error.description.starts_with(field), "{field}: {}", error.description);
        }
    }
}
