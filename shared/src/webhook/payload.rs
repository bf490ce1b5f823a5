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
        "displayName": client.display_name,
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ids::{AppId, IntegrationId, NotificationId, WebhookId};
    use crate::model::{
        Address, ChannelType, ClientStatus, Destination, ExternalId, Failure, FailureCode, MessageWire, Secret,
        SourceWire, Timestamp, Trigger,
    };

    const AT: Timestamp = Timestamp::from_millis(1_790_000_000_123);

    fn id<T: std::str::FromStr<Err: std::fmt::Debug>>(last: u8) -> T {
        format!("64c0ffee01234567890000{last:02x}").parse().unwrap()
    }

    fn a_client() -> Client {
        Client {
            id: id(3),
            platform: ChannelType::Twilio,
            integration_id: id(2),
            external_id: Address::e164("+14165550142").unwrap(),
            display_name: "+1 416-555-0142".into(),
            status: ClientStatus::Active,
            primary: true,
            linked: AT,
            last_seen: Some(AT),
            raw: [("From".to_owned(), json!("+14165550142"))].into_iter().collect(),
        }
    }

    fn a_user() -> AppUser {
        AppUser {
            id: id(4),
            user_id: Some("lea".into()),
            given_name: Some("Lea".into()),
            surname: None,
            email: None,
            signed_up: AT,
            properties: Map::new(),
            conversation_id: id(5),
            conversation_started: true,
            clients: vec![a_client()],
        }
    }

    fn webhook(include_client: bool, include_full_app_user: bool) -> Webhook {
        Webhook {
            id: id::<WebhookId>(9),
            app_id: id(1),
            target: "https://business.example/hook".into(),
            triggers: vec![Trigger::All],
            secret: Secret::new("hush"),
            include_client,
            include_full_app_user,
        }
    }

    fn delivery(outcome: DeliveryOutcome) -> Event {
        Event::Delivery(DeliveryEvent {
            app_id: id::<AppId>(1),
            notification_id: NotificationId::from_bytes([7; 16]),
            destination: Destination {
                channel: ChannelType::Twilio,
                integration_id: id::<IntegrationId>(2),
                address: Address::e164("+14165550142").unwrap(),
            },
            external_ids: vec![ExternalId("SM01".into())],
            match_result: Some(MatchResult {
                app_user_id: id(4),
                user_id: None,
                conversation_id: id(5),
                conversation_started: true,
                client: a_client(),
            }),
            outcome,
            at: AT,
        })
    }

    fn said() -> Said {
        Said {
            app_id: id(1),
            user: a_user(),
            client: a_client(),
            channel: ChannelType::Twilio,
            integration_id: id(2),
            external_id: ExternalId("SM02".into()),
            at: AT,
        }
    }

    fn shown(event: &Event, webhook: &Webhook) -> Value {
        serde_json::from_str(&body(event, webhook)).unwrap()
    }

    #[test]
    fn delivery_to_the_channel() {
        insta::assert_json_snapshot!(shown(&delivery(DeliveryOutcome::Channel), &webhook(false, false)));
    }

    #[test]
    fn delivery_to_the_user() {
        insta::assert_json_snapshot!(shown(&delivery(DeliveryOutcome::User), &webhook(false, false)));
    }

    #[test]
    fn delivery_failure() {
        let failure = Failure {
            code: FailureCode::UncategorizedError,
            message: "Unknown destination handset".into(),
            underlying_error: Some(json!({ "code": 30005 })),
        };
        insta::assert_json_snapshot!(shown(&delivery(DeliveryOutcome::Failure(failure)), &webhook(false, false)));
    }

    #[test]
    fn a_reply_with_its_context() {
        let text = |text: &str, role: &str, source: &str| MessageWire {
            id: Some(id(6)),
            kind: Some("text".into()),
            role: Some(role.into()),
            text: Some(text.into()),
            received: Some(AT),
            source: Some(SourceWire { kind: source.into(), ..SourceWire::default() }),
            ..MessageWire::default()
        };
        let event = Event::MessageAppUser {
            said: said(),
            messages: vec![text("Thanks!", "appUser", "twilio")],
            recent: vec![text("Your parcel leaves today.", "appMaker", "notification")],
        };
        insta::assert_json_snapshot!(shown(&event, &webhook(true, true)));
    }

    #[test]
    fn a_person_who_starts_a_conversation() {
        insta::assert_json_snapshot!(shown(&Event::ConversationStart(said()), &webhook(false, false)));
    }

    #[test]
    fn a_reply_to_nothing_has_no_recent_notifications() {
        let event = Event::MessageAppUser { said: said(), messages: vec![], recent: vec![] };
        let shown = shown(&event, &webhook(false, false));
        assert!(shown.get("recentNotifications").is_none());
        assert!(shown.get("client").is_none());
    }

    #[test]
    fn a_repeat_of_an_event_has_the_same_id_and_other_events_have_others() {
        let channel = delivery(DeliveryOutcome::Channel);
        assert_eq!(channel.id(), delivery(DeliveryOutcome::Channel).id());
        assert_ne!(channel.id(), delivery(DeliveryOutcome::User).id());
    }
}
