//! The messages of a conversation, in time order.

use serde::{Deserialize, Serialize};

use super::keys::{self, Key};
use crate::ids::{AppId, ConversationId};
use crate::model::{MessageWire, Timestamp};

/// A message as it is kept: v1.1's object, under a key that sorts by time.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct StoredMessage {
    pub message: MessageWire,
}

impl StoredMessage {
    /// Where it lies. A message without id or time, which none of ours is, has no place.
    pub(super) fn key(&self, app: AppId, conversation: ConversationId) -> Option<Key> {
        let received: Timestamp = self.message.received?;
        Some(keys::message(app, conversation, received, self.message.id?))
    }
}
