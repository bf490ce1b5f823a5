//! A message that a simulated carrier has taken, and what it still has to tell about it.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use shared::ids::{AppId, IntegrationId};
use shared::model::ChannelType;

/// One entry of the outbox, as `GET /_local/outbox` shows it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Message {
    pub external_id: String,
    pub app_id: AppId,
    pub integration_id: IntegrationId,
    pub channel: ChannelType,
    /// As the carrier writes numbers: with `+` at Twilio, without at MessageBird.
    pub to: String,
    pub from: String,
    pub text: String,
    pub media_urls: Vec<String>,
    /// The request's fields.
    pub raw: Map<String, Value>,
    /// Unix milliseconds.
    pub at: i64,
    /// The carrier's word for what became of it so far.
    pub status: String,
    /// Where receipts go, below the public URL; none are sent without.
    pub callback_path: Option<String>,
    /// Ours, for the carrier's reports.
    pub reference: Option<String>,
}

/// One receipt to send.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Step {
    /// Milliseconds after the step before.
    pub after: u64,
    /// The carrier's status word.
    pub status: String,
    #[serde(default)]
    pub error: Option<u32>,
}

impl Step {
    pub fn new(after: u64, status: &str, error: Option<u32>) -> Self {
        Self { after, status: status.to_owned(), error }
    }
}

/// A message whose receipts are still to be sent.
#[derive(Debug, Clone)]
pub struct Work {
    /// Its row in the journal.
    pub row: i64,
    pub message: Message,
    pub steps: Vec<Step>,
}
