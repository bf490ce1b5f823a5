//! People and clients as v1.1 shows them (reference, 5.2 and 5.3), in answers and in webhooks alike.

use serde_json::{Value, json};

use super::{AppUser, Client, ClientStatus, MatchResult, Person};

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
    brief(&user.id.to_string(), user.user_id.as_deref(), user.conversation_started)
}

/// The same, of the person behind an address: a conversation has begun.
pub fn matched(result: &MatchResult) -> Value {
    brief(&result.app_user_id.to_string(), result.user_id.as_deref(), true)
}

fn brief(id: &str, user_id: Option<&str>, conversation_started: bool) -> Value {
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
        "info": { client.address_field(): client.external_id },
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

/// An entry of `GET …/channels`.
pub fn channel(client: &Client) -> Value {
    json!({
        "type": client.platform,
        "integrationId": client.integration_id,
        client.address_field(): client.external_id,
    })
}
