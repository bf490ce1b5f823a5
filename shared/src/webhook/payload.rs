//! The body of a webhook request: v1.1's payloads (reference, 6.5), written for one webhook's wishes.
//!
//! Additive to v1.1: `eventId`, the same for every repeat of an event, so that a receiver can drop repeats.

use serde_json::{Map, Value, json};

use super::Event;
use super::event::Said;
use crate::model::{AppUser, Client, DeliveryEvent, DeliveryOutcome, MatchResult, Webhook};

/// The request body, a JSON object.
pub fn body(event: &Event, webhook: &Webhook) -> String {
    let mut body = Map::new();
    body.insert("trigger".into(), event.trigger().as_str().into());
    body.insert("eventId".into(), event.id().to_string().into());
    body.insert("app".into(), json!({ "_id": event.app_id() }));
    body.insert("version".into(), "v1.1".into());
    match event {
        Event::Delivery(delivery) => write_delivery(&mut body, delivery),
        Event::ConversationStart(said) => {
            body.insert("source".into(), json!({ "type": said.channel, "integrationId": said.integration_id }));
            write_person(&mut body, said, webhook);
        }
        Event::MessageAppUser { said, messages, recent } => {
            body.insert("messages".into(), json!(messages));
            write_person(&mut body, said, webhook);
            if !recent.is_empty() {
                body.insert("recentNotifications".into(), json!(recent));
            }
        }
    }
    body.insert("timestamp".into(), json!(event.at()));
    Value::Object(body).to_string()
}

fn write_delivery(body: &mut Map<String, Value>, event: &DeliveryEvent) {
    let destination = &event.destination;
    body.insert(
        "destination".into(),
        json!({
            "type": destination.channel,
            "integrationId": destination.integration_id,
            "destinationId": destination.address,
        }),
    );
    body.insert("isFinalEvent".into(), event.is_final().into());
    body.insert("externalMessages".into(), event.external_ids.iter().map(|id| json!({ "id": id })).collect());
    body.insert("notification".into(), json!({ "_id": event.notification_id }));
    if let Some(result) = &event.match_result {
        body.insert("matchResult".into(), match_result(result));
    }
    if let DeliveryOutcome::Failure(failure) = &event.outcome {
        body.insert("error".into(), json!(failure));
    }
}

fn match_result(result: &MatchResult) -> Value {
    let mut user = json!({ "_id": result.app_user_id, "conversationStarted": result.conversation_started });
    if let Some(user_id) = &result.user_id {
        user["userId"] = user_id.as_str().into();
    }
    json!({
        "appUser": user,
        "conversation": { "_id": result.conversation_id },
        "client": client(&result.client),
    })
}

fn write_person(body: &mut Map<String, Value>, said: &Said, webhook: &Webhook) {
    let user = if webhook.include_full_app_user { full_user(said) } else { truncated_user(&said.user) };
    body.insert("appUser".into(), user);
    body.insert("conversation".into(), json!({ "_id": said.user.conversation_id }));
    if webhook.include_client {
        body.insert("client".into(), client(&said.client));
    }
}

fn truncated_user(user: &AppUser) -> Value {
    let mut value = json!({ "_id": user.id, "conversationStarted": user.conversation_started });
    if let Some(user_id) = &user.user_id {
        value["userId"] = user_id.as_str().into();
    }
    value
}

fn full_user(said: &Said) -> Value {
    let user = &said.user;
    let mut value = truncated_user(user);
    for (name, text) in [("givenName", &user.given_name), ("surname", &user.surname), ("email", &user.email)] {
        if let Some(text) = text {
            value[name] = text.as_str().into();
        }
    }
    value["signedUpAt"] = user.signed_up.iso().into();
    value["properties"] = Value::Object(user.properties.clone());
    // The client that wrote is newer than its copy in the profile.
    let newest = |known: &Client| client(if known.id == said.client.id { &said.client } else { known });
    value["clients"] = user.clients.iter().map(newest).collect();
    value["pendingClients"] = json!([]);
    value
}

fn client(client: &Client) -> Value {
    let mut value = json!({
        "_id": client.id,
        "id": client.id,
        "platform": client.platform,
        "integrationId": client.integration_id,
        "externalId": client.external_id,
        "displayName": client.external_id.display_name(),
        "status": client.status,
        "active": client.status == crate::model::ClientStatus::Active,
        "blocked": client.status == crate::model::ClientStatus::Blocked,
        "primary": client.primary,
        "linkedAt": client.linked.iso(),
        "info": { "phoneNumber": client.external_id },
        "raw": client.raw,
    });
    if let Some(seen) = client.last_seen {
        value["lastSeen"] = seen.iso().into();
    }
    value
}
