//! People and clients as v1.1 shows them (docs/REFERENCE.md, 5.2 and 5.3), in answers and in webhooks alike.

use serde_json::{Value, json};

use crate::ids::AppUserId;
use crate::model::{AppUser, Client, ClientStatus, MatchResult, Person};

/// The whole app user.
pub fn full(person: &Person) -> Value {
    let user = &person.user;
    let mut value = truncated(user);
    for (name, text) in [("givenName", &user.given_name), ("surname", &user.surname), ("email", &user.email)] {
        if let Some(text) = text {
            value[name] = text.as_str().into();
        }
    }
    value["signedUpAt"] = user.signed_up.iso().into();
    value["properties"] = Value::Object(user.properties.clone());
    value["credentialRequired"] = user.credential_required.into();
    value["hasPaymentInfo"] = false.into();
    value["clients"] = person.clients.iter().map(|one| client(one, person.is_primary(one))).collect();
    value["pendingClients"] = person.pending.iter().map(|one| client(one, false)).collect();
    value
}

/// What webhooks show that did not ask for more.
pub fn truncated(user: &AppUser) -> Value {
    brief(user.id, user.user_id.as_deref(), user.conversation_started)
}

/// The same, of the person behind an address: a conversation has begun.
pub fn matched(result: &MatchResult) -> Value {
    brief(result.app_user_id, result.user_id.as_deref(), true)
}

/// The same, of somebody of whom no more is known.
pub fn brief(id: AppUserId, user_id: Option<&str>, conversation_started: bool) -> Value {
    let mut value = json!({ "_id": id, "conversationStarted": conversation_started });
    if let Some(user_id) = user_id {
        value["userId"] = user_id.into();
    }
    value
}

pub fn client(client: &Client, primary: bool) -> Value {
    let mut value = json!({
        "_id": client.id,
        "id": client.id,
        "platform": client.platform,
        "integrationId": client.integration_id,
        "externalId": client.external_id,
        "status": client.status,
        "active": client.status == ClientStatus::Active,
        "blocked": client.status == ClientStatus::Blocked,
        "primary": primary,
        "linkedAt": client.linked.iso(),
        "info": info(client),
        "raw": client.raw,
    });
    if let Some(name) = &client.display_name {
        value["displayName"] = name.as_str().into();
    }
    if let Some(seen) = client.last_seen {
        value["lastSeen"] = seen.iso().into();
    }
    value
}

/// How the person is reached, by the channel's word for it. A sender's name is no phone number.
fn info(client: &Client) -> Value {
    match client.external_id.is_number() {
        true => json!({ client.address_field(): client.external_id }),
        false => json!({}),
    }
}

/// An entry of `GET …/channels`.
pub fn channel(client: &Client) -> Value {
    let mut value = json!({ "type": client.platform, "integrationId": client.integration_id });
    if client.external_id.is_number() {
        value[client.address_field()] = json!(client.external_id);
    }
    value
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::entropy::Counter;
    use crate::ids::{ClientId, IntegrationId};
    use crate::model::{Address, ChannelType, Timestamp};

    fn at(address: Address) -> Client {
        Client {
            id: ClientId::generate(&Counter),
            platform: ChannelType::Twilio,
            integration_id: IntegrationId::generate(&Counter),
            external_id: address,
            display_name: None,
            status: ClientStatus::Active,
            linked: Timestamp::from_millis(0),
            secondary: false,
            last_seen: None,
            raw: serde_json::Map::new(),
        }
    }

    #[test]
    fn a_senders_name_is_no_phone_number() {
        let named = at(Address::sender("DHL (DE)").unwrap());
        assert_eq!((&client(&named, true)["info"], channel(&named).get("phoneNumber")), (&json!({}), None));
        let numbered = at(Address::e164("+14165550142").unwrap());
        assert_eq!(client(&numbered, true)["info"], json!({ "phoneNumber": "+14165550142" }));
        assert_eq!(channel(&numbered)["phoneNumber"], "+14165550142");
    }
}
