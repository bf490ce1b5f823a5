//! Where an erasure stands: whatever lies before that place is gone, or waits. Travels in the erasure's task.

use serde::{Deserialize, Serialize};

/// How far a walk over all of an app's people came. It begins at the default.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Walk {
    #[serde(default)]
    pub shard: u16,
    /// The sort key after which it goes on.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub after: Option<String>,
}

/// How far the erasure of a person came: whatever is before it is gone, or waits. It begins at the default, and every step
/// brings it forward, so that it ends.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct PersonWalk {
    pub stage: PersonStage,
    /// Which of their ids, or of their conversations.
    pub place: usize,
    /// In that id's listing, the sort key after which it goes on.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub listed: Option<String>,
    /// And how far it came in the partition of the address that is listed there.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub at_address: Option<AddressWalk>,
    /// Whether a send is under way at an address before this.
    pub waits: bool,
    /// How often it began anew because of one.
    pub rounds: u16,
}

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PersonStage {
    #[default]
    Files,
    Addresses,
    Conversations,
    /// What leads to the rest goes last.
    Listings,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AddressWalk {
    pub after: String,
    pub waits: bool,
}

impl PersonWalk {
    pub fn enter(&mut self, stage: PersonStage) {
        *self = Self { stage, waits: self.waits, rounds: self.rounds, ..Self::default() };
    }

    /// To the next id, or conversation.
    pub fn move_on(&mut self) {
        *self = Self { place: self.place + 1, listed: None, at_address: None, ..self.clone() };
    }

    /// Over what waited.
    pub fn anew(&self) -> Self {
        Self { stage: PersonStage::Addresses, rounds: self.rounds + 1, ..Self::default() }
    }
}

/// How far the erasure of a history came.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct HistoryWalk {
    /// Whether all of it is hidden.
    pub hidden: bool,
    /// Which of its parts.
    pub part: usize,
    /// The sort key after which it goes on there.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub after: Option<String>,
}
