//! What is to be deleted, and what a deletion leaves to be erased.

use serde::{Deserialize, Serialize};

use super::{Group, Task};
use crate::erasure::{HistoryWalk, PersonWalk, Walk};
use crate::ids::{AppId, AppUserId, ConversationId, IntegrationId, MessageId};
use crate::model::{Address, Timestamp};

/// Whoever deletes something → `upkeep`: the deletion itself, should whoever asked for it have died, and then, step by
/// step, what it leaves in the table. A task that is not done after one step is put back on the queue, and doing it twice
/// does no harm.
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
        /// So many conversations of the first person there are done.
        #[serde(default)]
        conversations: usize,
    },
    /// Everything of a person, who is hidden first. Their addresses keep what others were sent there.
    EraseUser {
        user: AppUserId,
        /// Whether they are hidden, and the business has been told.
        #[serde(default)]
        told: bool,
        #[serde(default)]
        walk: PersonWalk,
    },
    /// What an integration left with people, once it is deleted itself; of one that is still there, nothing.
    EraseIntegration {
        integration: IntegrationId,
        #[serde(default)]
        walk: Walk,
    },
    /// Messages and notifications up to a moment, which are hidden first, and what files of the person's they show.
    EraseMessages {
        user: AppUserId,
        conversations: Vec<ConversationId>,
        clients: Vec<(IntegrationId, Address)>,
        until: Timestamp,
        #[serde(default)]
        walk: HistoryWalk,
    },
    /// A message, and the file of the person's that it shows, by its key.
    EraseMessage { user: AppUserId, message: MessageId, file: String },
    /// A photo of an integration's profile, by its key, unless it is shown.
    ErasePhoto { integration: IntegrationId, file: String },
    /// A picture that came with its message, unless the message was kept.
    ErasePicture { file: String, message: MessagePlace },
}

impl Work {
    /// For the log.
    pub fn name(&self) -> &'static str {
        match self {
            Self::EraseApp { .. } => "eraseApp",
            Self::EraseUser { .. } => "eraseUser",
            Self::EraseIntegration { .. } => "eraseIntegration",
            Self::EraseMessages { .. } => "eraseMessages",
            Self::EraseMessage { .. } => "eraseMessage",
            Self::ErasePhoto { .. } => "erasePhoto",
            Self::ErasePicture { .. } => "erasePicture",
        }
    }
}

/// Where a message lies, if it was kept.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct MessagePlace {
    pub conversation: ConversationId,
    pub received: Timestamp,
    pub id: MessageId,
}

impl Task for UpkeepTask {
    fn group(&self) -> Group {
        match self {
            Self::V1 { app_id, .. } => (*app_id).into(),
        }
    }
}
