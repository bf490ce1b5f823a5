//! The events and messages that a record of sending stands for.

use crate::ids::{AppId, MessageId};
use crate::model::{
    DeliveryEvent, DeliveryOutcome, DeliverySubject, Destination, MessageWire, SendRecord, SendState, SourceWire,
    Subject,
};

/// What sending led to: `:channel` if the carrier took it, whatever came of it later, else `:failure`. `None` while it
/// is claimed.
pub fn of_sending(record: &SendRecord, app_id: AppId, to: &Destination) -> Option<DeliveryEvent> {
    match (record.sent, record.state) {
        (Some(_), _) => event(record, app_id, to, DeliveryOutcome::Channel),
        (None, SendState::Failed) => of_end(record, app_id, to),
        (None, _) => None,
    }
}

/// The final event. `None` before the end.
pub fn of_end(record: &SendRecord, app_id: AppId, to: &Destination) -> Option<DeliveryEvent> {
    match (record.state, &record.failure) {
        (SendState::Delivered, _) => event(record, app_id, to, DeliveryOutcome::User),
        (SendState::Failed, Some(failure)) => event(record, app_id, to, DeliveryOutcome::Failure(failure.clone())),
        _ => None,
    }
}

/// `None` for a confirmation, whose link has events of its own.
fn event(record: &SendRecord, app_id: AppId, to: &Destination, outcome: DeliveryOutcome) -> Option<DeliveryEvent> {
    let subject = match record.subject {
        Subject::Notification(id) => DeliverySubject::Notification(id),
        Subject::Message(id) => DeliverySubject::Message(id),
        Subject::Confirmation(_) => return None,
    };
    let at = match outcome {
        DeliveryOutcome::Channel => record.sent,
        DeliveryOutcome::User | DeliveryOutcome::Failure(_) => record.ended,
    };
    Some(DeliveryEvent {
        app_id,
        subject,
        destination: to.clone(),
        external_ids: record.external_ids.clone(),
        match_result: record.match_result.clone(),
        outcome,
        at: at.unwrap_or(record.accepted),
    })
}

/// The id of a notification's message.
pub fn message_id(record: &SendRecord) -> MessageId {
    MessageId::at(record.accepted, &[&record.subject.to_bytes()])
}

/// An entry of `recentNotifications`: an ordinary message of the app maker (docs/REFERENCE.md, 8.1). Its `_id` is a
/// message's, not the notification's.
pub fn as_message(record: &SendRecord) -> MessageWire {
    let author = &record.author;
    MessageWire {
        id: Some(message_id(record)),
        role: Some("appMaker".into()),
        author_id: Some(author.id()),
        name: author.name.clone(),
        avatar_url: Some(author.picture()),
        received: Some(record.accepted),
        source: Some(SourceWire { kind: "notification".into(), ..SourceWire::default() }),
        ..record.message.clone()
    }
}
