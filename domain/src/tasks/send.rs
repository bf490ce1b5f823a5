//! What is to be sent.

use serde::{Deserialize, Serialize};

use super::{Group, Task};
use crate::ids::MessageId;
use crate::model::Sending;

/// Intake and `receive` → `send_<channel>`: what goes to one address.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "version")]
pub enum SendTask {
    #[serde(rename = "1")]
    V1 {
        sending: Sending,
        #[serde(default, skip_serializing_if = "Way::is_new")]
        way: Way,
    },
    /// Several messages in order: each is sent when the one before it has come to its end.
    #[serde(rename = "2")]
    V2 {
        sending: Sending,
        then: Vec<Sending>,
        #[serde(default, skip_serializing_if = "Way::is_new")]
        way: Way,
    },
}

/// What a send has behind it.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Way {
    /// Tries that earlier tasks for it used up: one that goes on as a new task is not counted by the queue.
    #[serde(skip_serializing_if = "is_nought")]
    tries: u32,
    /// Messages posted before it that go to the same client: it waits for them.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    behind: Vec<MessageId>,
}

impl Way {
    fn is_new(&self) -> bool {
        *self == Self::default()
    }
}

fn is_nought(number: &u32) -> bool {
    *number == 0
}

impl SendTask {
    pub fn new(sending: Sending) -> Self {
        Self::V1 { sending, way: Way::default() }
    }

    /// `None` of nothing.
    pub fn in_order(sendings: impl IntoIterator<Item = Sending>) -> Option<Self> {
        let mut sendings = sendings.into_iter();
        let sending = sendings.next()?;
        let (then, way): (Vec<_>, _) = (sendings.collect(), Way::default());
        Some(if then.is_empty() { Self::V1 { sending, way } } else { Self::V2 { sending, then, way } })
    }

    /// What is to be sent now.
    pub fn sending(&self) -> &Sending {
        match self {
            Self::V1 { sending, .. } | Self::V2 { sending, .. } => sending,
        }
    }

    /// What is to be sent after it.
    pub fn rest(&self) -> Option<Self> {
        match self {
            Self::V1 { .. } => None,
            Self::V2 { then, .. } => Self::in_order(then.iter().cloned()),
        }
    }

    pub fn tries(&self) -> u32 {
        self.way().tries
    }

    pub fn behind(&self) -> &[MessageId] {
        &self.way().behind
    }

    /// The same, once so many tries have been used up.
    #[must_use]
    pub fn after_tries(mut self, tries: u32) -> Self {
        self.way_mut().tries = tries;
        self
    }

    /// The same, to be sent after these.
    #[must_use]
    pub fn after_messages(mut self, behind: Vec<MessageId>) -> Self {
        self.way_mut().behind = behind;
        self
    }

    fn way(&self) -> &Way {
        match self {
            Self::V1 { way, .. } | Self::V2 { way, .. } => way,
        }
    }

    fn way_mut(&mut self) -> &mut Way {
        match self {
            Self::V1 { way, .. } | Self::V2 { way, .. } => way,
        }
    }
}

impl Task for SendTask {
    fn group(&self) -> Group {
        match self {
            Self::V1 { sending, .. } | Self::V2 { sending, .. } => sending.app_id.into(),
        }
    }
}
