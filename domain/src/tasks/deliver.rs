//! What webhooks are to be told.

use serde::{Deserialize, Serialize};

use super::{Group, Task};
use crate::ids::{AppId, EventId, WebhookId};
use crate::model::{Subject, Timestamp, Trigger};

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
    /// For the log, where the event is about something sent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub subject: Option<Subject>,
    pub body: String,
    pub at: Timestamp,
}

/// One dead endpoint is the usual noise, and no reason for the app's other webhooks to wait.
impl Task for DeliverTask {
    fn group(&self) -> Group {
        match self {
            Self::V1 { webhook_id, .. } => (*webhook_id).into(),
        }
    }
}
