//! What came in, from a carrier or out of our own outbox.

use serde::{Deserialize, Serialize};

use super::{Group, Task};
use crate::channels::{Receipt, Reply};
use crate::ids::{AppId, IntegrationId};
use crate::model::{Address, ChannelType, Subject, Timestamp};
use crate::outbox::{Follows, Mark, OutboxEntry};

/// → `receive`: from `callbacks`, one thing a carrier told us, its signature checked; from the API, what a write leads to.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "version")]
pub enum ReceiveTask {
    #[serde(rename = "1")]
    V1 {
        app_id: AppId,
        integration_id: IntegrationId,
        /// So that the task can be done when the integration is gone. Older tasks don't have it.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        channel: Option<ChannelType>,
        received: Timestamp,
        /// How many messages of the same callback stand before it.
        #[serde(default)]
        place: u16,
        /// When it was last put back to wait for its send. That it is read again for that is no repeat.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        put_back: Option<Timestamp>,
        what: Received,
    },
    /// As an earlier version wrote it: whether the write was made is seen by what it wrote.
    #[serde(rename = "outbox1")]
    Outbox1 { app_id: AppId, prepared: Timestamp, entry: OutboxEntry },
    /// Put on the queue before the write is made, so that no death between the two loses what follows from it.
    #[serde(rename = "outbox2")]
    Outbox2 { app_id: AppId, prepared: Timestamp, mark: Mark, follows: Follows },
}

impl Task for ReceiveTask {
    fn group(&self) -> Group {
        match self {
            Self::V1 { app_id, .. } | Self::Outbox1 { app_id, .. } | Self::Outbox2 { app_id, .. } => (*app_id).into(),
        }
    }
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
