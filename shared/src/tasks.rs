//! What travels on the queues: versioned, tagged, and complete enough that nothing has to be looked up twice.
//!
//! A task written by one version of the code may be read by the next: fields are added with defaults, and a change of
//! meaning is a new version.

use serde::{Deserialize, Serialize};

use crate::channels::{Receipt, Reply};
use crate::ids::{AppId, EventId, IntegrationId, NotificationId, WebhookId};
use crate::model::{Address, Notification, Timestamp, Trigger};

/// Intake → `send_<channel>`: one notification to send.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "version")]
pub enum SendTask {
    #[serde(rename = "1")]
    V1 { notification: Notification },
}

/// Callbacks → `receive`: one thing a carrier told us, its signature checked.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "version")]
pub enum ReceiveTask {
    #[serde(rename = "1")]
    V1 { app_id: AppId, integration_id: IntegrationId, received: Timestamp, what: Received },
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Received {
    Receipt { context: SendContext, receipt: Receipt },
    Reply(Reply),
}

/// What a receipt carries back of the send it is about, sealed in the callback URL, so that it needs no lookup.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct SendContext {
    pub notification_id: NotificationId,
    pub accepted: Timestamp,
    pub address: Address,
    /// How many carrier messages the notification became.
    pub parts: u8,
}

/// Publishing → `deliver`: events for one webhook, from one batch. More than one only at the first attempt: an event
/// that fails goes on alone.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "version")]
pub enum DeliverTask {
    #[serde(rename = "1")]
    V1 {
        app_id: AppId,
        webhook_id: WebhookId,
        /// Attempts already made.
        attempts: u8,
        events: Vec<WebhookEvent>,
        /// Why it lies in the dead-letter queue, when it does.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        dead: Option<String>,
    },
}

/// One event, written for one webhook: the body is posted as it stands.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct WebhookEvent {
    pub id: EventId,
    pub trigger: Trigger,
    /// For the log, where the event is about a notification.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub notification_id: Option<NotificationId>,
    pub body: String,
    pub at: Timestamp,
}

impl SendContext {
    /// Notification id (16 bytes), acceptance in milliseconds (8), parts (1), address (the rest).
    pub fn to_bytes(&self) -> Vec<u8> {
        let mut bytes = self.notification_id.as_bytes().to_vec();
        bytes.extend(self.accepted.millis().to_be_bytes());
        bytes.push(self.parts);
        bytes.extend(self.address.as_str().as_bytes());
        bytes
    }

    pub fn from_bytes(bytes: &[u8]) -> Option<Self> {
        let (id, rest) = bytes.split_first_chunk::<16>()?;
        let (accepted, rest) = rest.split_first_chunk::<8>()?;
        let (parts, address) = rest.split_first()?;
        Some(Self {
            notification_id: NotificationId::from_bytes(*id),
            accepted: Timestamp::from_millis(i64::from_be_bytes(*accepted)),
            address: Address::sender(std::str::from_utf8(address).ok()?).ok()?,
            parts: *parts,
        })
    }
}
