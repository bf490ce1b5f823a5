//! The body of a webhook request: v1.1's payloads (docs/REFERENCE.md, 6.5), written for one webhook's wishes.
//!
//! Additive to v1.1: `eventId`, the same for every repeat of an event, so that a receiver can drop repeats.

use serde_json::{Map, Value, json};

use super::Event;
use crate::model::{Person, Subscription, user_wire};

/// The request body, a JSON object. `full`: the person, read for a webhook that wants the full app user.
pub fn body(event: &Event, wanted: &Subscription, full: Option<&Person>) -> String {
    let mut body = Map::new();
    body.insert("trigger".into(), event.trigger.as_str().into());
    body.insert("eventId".into(), event.id.to_string().into());
    body.insert("app".into(), json!({ "_id": event.app_id }));
    body.insert("version".into(), "v1.1".into());
    body.extend(event.fields.clone());
    if let Some(who) = &event.who {
        let full = full.filter(|_| wanted.include_full_app_user).map(user_wire::full);
        body.insert(
            "appUser".into(),
            full.unwrap_or_else(|| user_wire::brief(who.app_user_id, who.user_id.as_deref(), who.conversation_started)),
        );
        body.insert("conversation".into(), json!({ "_id": who.conversation_id }));
        if let Some((client, primary)) = who.client.as_ref().filter(|_| wanted.include_client) {
            body.insert("client".into(), user_wire::client(client, *primary));
        }
    }
    body.insert("timestamp".into(), json!(event.at));
    Value::Object(body).to_string()
}

/// A field that is longer has no place in a brief body.
const BRIEF_FIELD_BYTES: usize = 16 * 1024;

/// Of an event that is too long to be told whole: what happened and to whom, by their ids.
pub fn brief(event: &Event, wanted: &Subscription) -> String {
    let mut event = event.clone();
    event.fields.retain(|_, value| value.to_string().len() <= BRIEF_FIELD_BYTES);
    body(&event, &Subscription { include_client: false, ..wanted.clone() }, None)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::entropy::Counter;
    use crate::ids::{AppId, IntegrationId, NotificationId, WebhookId};
    use crate::model::{
        Address, AppUser, ChannelType, Client, ClientStatus, DeliveryEvent, DeliveryOutcome, DeliverySubject,
        Destination, ExternalId, Failure, FailureCode, MatchResult, MessageWire, SourceWire, Timestamp, Trigger,
    };
    use crate::webhook::{InboundSource, Who};

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
            display_name: Some("+1 416-555-0142".into()),
            status: ClientStatus::Active,
            linked: AT,
            secondary: false,
            last_seen: Some(AT),
            raw: [("From".to_owned(), json!("+14165550142"))].into_iter().collect(),
        }
    }

    fn a_user() -> AppUser {
        AppUser {
            id: id(4),
            user_id: Some("lea".into()),
            given_name: Some("Lea".into()),
            conversation_id: id(5),
            conversation_started: true,
            ..AppUser::new(&Counter, AT)
        }
    }

    fn webhook(include_client: bool, include_full_app_user: bool) -> Subscription {
        let triggers = vec![Trigger::All];
        Subscription { webhook: id::<WebhookId>(9), app_id: id(1), triggers, include_client, include_full_app_user }
    }

    fn delivery(outcome: DeliveryOutcome) -> Event {
        Event::delivery(&DeliveryEvent {
            app_id: id::<AppId>(1),
            subject: DeliverySubject::Notification(NotificationId::from_bytes([7; 16])),
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
                client: a_client(),
            }),
            outcome,
            at: AT,
        })
    }

    fn a_source() -> InboundSource {
        InboundSource { channel: ChannelType::Twilio, integration_id: id(2), external_id: ExternalId("SM02".into()) }
    }

    fn a_person() -> Person {
        Person { user: a_user(), clients: vec![a_client()], pending: vec![] }
    }

    fn shown(event: &Event, webhook: &Subscription) -> Value {
        serde_json::from_str(&body(event, webhook, Some(&a_person()))).unwrap()
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
        let messages = [text("Thanks!", "appUser", "twilio")];
        let recent = [text("Your parcel leaves today.", "appMaker", "notification")];
        let event = Event::reply(id(1), Who::of(&a_person()), &a_source(), &messages, &recent, AT);
        insta::assert_json_snapshot!(shown(&event, &webhook(true, true)));
    }

    #[test]
    fn a_person_who_starts_a_conversation() {
        insta::assert_json_snapshot!(shown(
            &Event::conversation_start(id(1), Who::of(&a_person()), &a_source(), AT),
            &webhook(false, false)
        ));
    }

    #[test]
    fn a_reply_to_nothing_has_no_recent_notifications() {
        let event = Event::reply(id(1), Who::of(&a_person()), &a_source(), &[], &[], AT);
        let shown = shown(&event, &webhook(false, false));
        assert!(shown.get("recentNotifications").is_none());
        assert!(shown.get("client").is_none());
    }

    #[test]
    fn a_repeat_of_an_event_has_the_same_id_and_other_events_have_others() {
        let channel = delivery(DeliveryOutcome::Channel);
        assert_eq!(channel.id, delivery(DeliveryOutcome::Channel).id);
        assert_ne!(channel.id, delivery(DeliveryOutcome::User).id);
    }
}
