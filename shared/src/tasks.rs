//! What travels on the queues: versioned, tagged, and complete enough that nothing has to be looked up twice.
//!
//! A task written by one version of the code may be read by the next: fields are added with defaults, and a change of
//! meaning is a new version.

use serde::{Deserialize, Serialize};

use crate::channels::{Receipt, Reply};
use crate::ids::{AppId, AppUserId, ConversationId, EventId, IntegrationId, WebhookId};
use crate::model::{Address, Sending, Subject, Timestamp, Trigger};

/// Intake and conversations → `send_<channel>`: one message to one address.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "version")]
pub enum SendTask {
    #[serde(rename = "1")]
    V1 { sending: Sending },
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
    pub subject: Subject,
    pub accepted: Timestamp,
    pub address: Address,
    /// How many carrier messages it became.
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

/// Whoever deletes something → `upkeep`: what it leaves in the table is taken away step by step. A task that is not
/// done after one step is put back on the queue, and doing it twice does no harm.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "version")]
pub enum UpkeepTask {
    #[serde(rename = "1")]
    V1 { app_id: AppId, work: Work },
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Work {
    /// Everything of an app, once the app itself is deleted; of one that is still there, nothing.
    EraseApp {
        /// The shards of people before this one are done.
        #[serde(default)]
        shard: u16,
    },
    /// Everything of a person. An address that belongs to somebody else by now keeps what is theirs.
    EraseUser {
        user: AppUserId,
        user_id: Option<String>,
        conversations: Vec<ConversationId>,
        clients: Vec<(IntegrationId, Address)>,
    },
    /// Messages and notifications up to a moment, which are hidden already.
    EraseMessages { conversations: Vec<ConversationId>, clients: Vec<(IntegrationId, Address)>, until: Timestamp },
    /// A file that a deleted message showed, by its key.
    EraseFile { file: String },
}

impl Work {
    /// For the log.
    pub fn name(&self) -> &'static str {
        match self {
            Self::EraseApp { .. } => "eraseApp",
            Self::EraseUser { .. } => "eraseUser",
            Self::EraseMessages { .. } => "eraseMessages",
            Self::EraseFile { .. } => "eraseFile",
        }
    }
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

impl SendContext {
    /// Subject (13 or 17 bytes), acceptance in milliseconds (8), parts (1), address (the rest).
    pub fn to_bytes(&self) -> Vec<u8> {
        let mut bytes = self.subject.to_bytes();
        bytes.extend(self.accepted.millis().to_be_bytes());
        bytes.push(self.parts);
        bytes.extend(self.address.as_str().as_bytes());
        bytes
    }

    pub fn from_bytes(bytes: &[u8]) -> Option<Self> {
        let (subject, rest) = Subject::from_bytes(bytes)?;
        let (accepted, rest) = rest.split_first_chunk::<8>()?;
        let (parts, address) = rest.split_first()?;
        Some(Self {
            subject,
            accepted: Timestamp::from_millis(i64::from_be_bytes(*accepted)),
            address: Address::sender(std::str::from_utf8(address).ok()?).ok()?,
            parts: *parts,
        })
    }
}
