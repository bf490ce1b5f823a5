//! The events and messages that a record of sending stands for.

use crate::ids::{AppId, IntegrationId, MessageId};
use crate::model::{
    Address, ChannelType, DeliveryEvent, DeliveryOutcome, Destination, MessageWire, SendRecord, SendState, SourceWire,
    Subject, Told,
};
use sha2::{Digest, Sha256};

/// Where it went.
#[derive(Debug, Clone, PartialEq)]
pub struct Place {
    pub app_id: AppId,
    pub integration_id: IntegrationId,
    pub channel: ChannelType,
    pub address: Address,
}

/// What sending led to: `:channel` if the carrier took it, whatever came of it later, else `:failure`. `None` while it
/// is claimed.
pub fn of_sending(record: &SendRecord, place: &Place) -> Option<DeliveryEvent> {
    match (record.sent, record.state) {
        (Some(_), _) => event(record, place, DeliveryOutcome::Channel),
        (None, SendState::Failed) => of_end(record, place),
        (None, _) => None,
    }
}

/// The final event. `None` before the end.
pub fn of_end(record: &SendRecord, place: &Place) -> Option<DeliveryEvent> {
    match (record.state, &record.failure) {
        (SendState::Delivered, _) => event(record, place, DeliveryOutcome::User),
        (SendState::Failed, Some(failure)) => event(record, place, DeliveryOutcome::Failure(failure.clone())),
        _ => None,
    }
}

/// `None` for a confirmation, whose link has events of its own.
fn event(record: &SendRecord, place: &Place, outcome: DeliveryOutcome) -> Option<DeliveryEvent> {
    let subject = match record.subject {
        Subject::Notification(id) => Told::Notification(id),
        Subject::Message(id) => Told::Message(id),
        Subject::Confirmation(_) => return None,
    };
    let at = match outcome {
        DeliveryOutcome::Channel => record.sent,
        DeliveryOutcome::User | DeliveryOutcome::Failure(_) => record.ended,
    };
    Some(DeliveryEvent {
        app_id: place.app_id,
        subject,
        destination: Destination {
            channel: place.channel,
            integration_id: place.integration_id,
            address: place.address.clone(),
        },
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
        author_id: Some(author_id(author.email.as_deref())),
        name: author.name.clone(),
        avatar_url: Some(author.avatar_url.clone().unwrap_or_else(|| avatar(author.email.as_deref()))),
        received: Some(record.accepted),
        source: Some(SourceWire { kind: "notification".into(), ..SourceWire::default() }),
        ..record.message.clone()
    }
}

/// A hash of the author's e-mail (docs/REFERENCE.md, 3.2).
pub fn author_id(email: Option<&str>) -> String {
    hex::encode(&Sha256::digest(email.unwrap_or_default().trim().to_lowercase())[..12])
}

/// The gravatar of an e-mail address; all zeros, the standard silhouette, without one.
pub fn avatar(email: Option<&str>) -> String {
    let hash = email.map_or_else(|| "0".repeat(32), |email| hex::encode(Sha256::digest(email.trim().to_lowercase())));
    format!("https://www.gravatar.com/avatar/{hash}.png?s=200&d=mm")
}
