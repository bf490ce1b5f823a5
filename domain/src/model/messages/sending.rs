//! What travels to a person: one message to one address, and what it is about.

use serde::{Deserialize, Serialize};

use crate::ids::{AppId, AppUserId, IntegrationId, LinkId, MessageId, NotificationId};
use crate::model::{Address, Author, Message, Timestamp};

/// What is sent, and so what the business is told of.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Subject {
    /// `POST …/notifications`: events are `notification:delivery:*`.
    Notification(NotificationId),
    /// A message of a conversation, to one of the person's clients: events are `message:delivery:*`.
    Message(MessageId),
    /// The message of a link's confirmation: events are `link:*`. It is no part of the conversation.
    Confirmation(LinkId),
}

impl Subject {
    /// The name of its id in a log line.
    pub fn id_name(self) -> &'static str {
        match self {
            Self::Notification(_) => "notificationId",
            Self::Message(_) => "messageId",
            Self::Confirmation(_) => "linkId",
        }
    }

    /// A tag and the id: what a callback's token carries.
    pub fn to_bytes(self) -> Vec<u8> {
        match self {
            Self::Notification(id) => [b"n".as_slice(), id.as_bytes().as_slice()].concat(),
            Self::Message(id) => [b"m".as_slice(), id.as_bytes().as_slice()].concat(),
            Self::Confirmation(id) => [b"c".as_slice(), id.as_bytes().as_slice()].concat(),
        }
    }

    /// Reads what [`Self::to_bytes`] wrote, and gives the bytes after it.
    pub fn from_bytes(bytes: &[u8]) -> Option<(Self, &[u8])> {
        let (tag, rest) = bytes.split_first()?;
        match tag {
            b'n' => {
                rest.split_first_chunk().map(|(id, rest)| (Self::Notification(NotificationId::from_bytes(*id)), rest))
            }
            b'm' => rest.split_first_chunk().map(|(id, rest)| (Self::Message(MessageId::from_bytes(*id)), rest)),
            b'c' => rest.split_first_chunk().map(|(id, rest)| (Self::Confirmation(LinkId::from_bytes(*id)), rest)),
            _ => None,
        }
    }
}

impl std::fmt::Display for Subject {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Notification(id) => id.fmt(f),
            Self::Message(id) => id.fmt(f),
            Self::Confirmation(id) => id.fmt(f),
        }
    }
}

/// Accepted for sending: everything about it has been checked.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Sending {
    pub subject: Subject,
    pub app_id: AppId,
    pub integration_id: IntegrationId,
    pub address: Address,
    /// Whom a message of a conversation is for: it is not sent to whoever owns the address by then.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub app_user_id: Option<AppUserId>,
    /// How the address is shown to people. Made at intake, so that sending need not load phone number metadata.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub display_name: Option<String>,
    pub author: Author,
    #[serde(with = "crate::model::as_wire")]
    pub message: Message,
    pub accepted: Timestamp,
}
