//! What a carrier calls us with, and what it turns out to say.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::SendError;
use crate::model::{Address, ExternalId, Timestamp};

/// A carrier's request to us, untouched and not yet believed.
#[derive(Debug, Clone)]
pub struct Callback {
    pub method: http::Method,
    /// As the carrier called it: our configured public base, then path and query byte for byte.
    pub url: String,
    pub headers: http::HeaderMap,
    pub body: Vec<u8>,
    pub received: Timestamp,
}

/// A callback whose signature was right. Only a channel's `verify` makes one, and only from one does `parse` read.
#[derive(Debug, Clone)]
pub struct Verified(Callback);

impl Verified {
    /// For a channel's `signature` module, after its check.
    pub(in crate::channels) fn new(callback: Callback) -> Self {
        Self(callback)
    }

    pub fn callback(&self) -> &Callback {
        &self.0
    }
}

/// Why a callback is not believed. Answered with 401 or 403; nothing is stored.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Unverified {
    #[error("the signature is missing")]
    Missing,
    #[error("the signature is wrong")]
    Wrong,
    #[error("the signature is stale")]
    Stale,
    #[error("the integration has no key to verify callbacks with")]
    NoKey,
    #[error("the integration is of another channel")]
    WrongChannel,
}

/// A verified callback that makes no sense: the carrier is told 400, so that it shows in its console.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct Malformed(pub String);

/// One thing a carrier told us.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Incoming {
    Receipt(Receipt),
    Reply(Reply),
}

/// What became of a message that the carrier had accepted.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Receipt {
    pub external_id: ExternalId,
    pub status: ReceiptStatus,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ReceiptStatus {
    /// On its way: queued, sent, buffered. Says nothing that the business was not told with `:channel`.
    Progress,
    /// The person's device has it. Final.
    Delivered,
    /// It will not arrive. Final.
    Failed(SendError),
}

/// A message from a person.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Reply {
    /// The carrier's id of the message: the same callback twice has the same one.
    pub external_id: ExternalId,
    pub from: Address,
    /// How the address is shown to people. Made by `callbacks`, so that `receive` need not load phone number metadata.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub display_name: Option<String>,
    /// At least one part. A text with media is several: each medium a message, the text with the first.
    pub parts: Vec<ReplyPart>,
    /// When the carrier says it was sent; carriers that give no time leave it out.
    pub sent: Option<Timestamp>,
    /// What the channel tells of the person (`client.raw`).
    pub raw: Map<String, Value>,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ReplyPart {
    Text(String),
    /// `image` when the type is `image/*`, else `file`.
    Media {
        url: String,
        media_type: Option<String>,
        text: Option<String>,
    },
}
