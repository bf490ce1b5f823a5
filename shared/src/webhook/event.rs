//! What happened, before it is written for a webhook.

use crate::ids::{AppId, EventId, IntegrationId, NotificationId};
use crate::model::{AppUser, ChannelType, Client, DeliveryEvent, ExternalId, MessageWire, Timestamp, Trigger};

#[derive(Debug, Clone, PartialEq)]
pub enum Event {
    /// `notification:delivery:*`
    Delivery(DeliveryEvent),
    /// `conversation:start`: a person wrote who was not known.
    ConversationStart(Said),
    /// `message:appUser`: a person wrote, with what they had been sent since they last did.
    MessageAppUser { said: Said, messages: Vec<MessageWire>, recent: Vec<MessageWire> },
}

/// Who wrote, where, and when.
#[derive(Debug, Clone, PartialEq)]
pub struct Said {
    pub app_id: AppId,
    pub user: AppUser,
    pub client: Client,
    pub channel: ChannelType,
    pub integration_id: IntegrationId,
    /// The carrier's id of what was said.
    pub external_id: ExternalId,
    pub at: Timestamp,
}

impl Event {
    pub fn app_id(&self) -> AppId {
        match self {
            Self::Delivery(event) => event.app_id,
            Self::ConversationStart(said) | Self::MessageAppUser { said, .. } => said.app_id,
        }
    }

    pub fn trigger(&self) -> Trigger {
        match self {
            Self::Delivery(event) => event.trigger(),
            Self::ConversationStart(_) => Trigger::ConversationStart,
            Self::MessageAppUser { .. } => Trigger::MessageAppUser,
        }
    }

    pub fn notification_id(&self) -> Option<NotificationId> {
        match self {
            Self::Delivery(event) => Some(event.notification_id),
            Self::ConversationStart(_) | Self::MessageAppUser { .. } => None,
        }
    }

    pub fn at(&self) -> Timestamp {
        match self {
            Self::Delivery(event) => event.at,
            Self::ConversationStart(said) | Self::MessageAppUser { said, .. } => said.at,
        }
    }

    /// The same for every repeat of the event.
    pub fn id(&self) -> EventId {
        match self {
            Self::Delivery(event) => event.event_id(),
            Self::ConversationStart(said) => EventId::derive(&said.user.id.to_string(), "conversation:start", ""),
            Self::MessageAppUser { said, .. } => {
                let subject = format!("{}/{}", said.app_id, said.integration_id);
                EventId::derive(&subject, "message:appUser", &said.external_id.0)
            }
        }
    }
}
