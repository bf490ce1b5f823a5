//! The outbox: what follows from a write lies on a queue before the write is made, and is done once the write's mark is
//! there. Here: what an entry holds, and what becomes of one that was looked at.

use serde::{Deserialize, Serialize};

use crate::entropy::Entropy;
use crate::ids::{AppUserId, ConversationId, IntegrationId, MarkId, MessageId};
use crate::linking::Link;
use crate::model::{Address, ChannelType, Timestamp};
use crate::tasks::SendTask;
use crate::webhook::Event;

/// What a write leaves behind, whatever becomes of what it wrote: "not there any more" is not "never made".
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Mark {
    pub conversation: ConversationId,
    pub id: MarkId,
}

impl Mark {
    /// For one write about the person whose conversation that is. A write that is tried anew has another.
    pub fn new(entropy: &impl Entropy, conversation: ConversationId) -> Self {
        Self { conversation, id: MarkId::generate(entropy) }
    }
}

/// What follows from a write.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Follows {
    #[serde(default)]
    pub sends: Vec<(ChannelType, SendTask)>,
    #[serde(default)]
    pub events: Vec<Event>,
}

/// A write that may have been made, and what follows from it if it was, as [`crate::tasks::ReceiveTask::Outbox1`] has it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum OutboxEntry {
    /// A message of a conversation: by its place, what goes out to the person's channels, and what is told.
    Message {
        conversation: ConversationId,
        received: Timestamp,
        id: MessageId,
        sends: Vec<(ChannelType, SendTask)>,
        event: Box<Event>,
    },
    /// A link that was begun: its confirmation's message, without which it completes; and the open one that it replaced.
    Link { link: Box<Link>, confirmation: Option<Box<SendTask>>, gives_way: Option<Box<Link>> },
    /// An address that is this person's no more.
    Unlinking { user: AppUserId, integration: IntegrationId, address: Address, event: Box<Event> },
    /// A person who is somebody else by now.
    Merge { discarded: AppUserId, event: Box<Event> },
}

/// Longer than a function of the API runs that makes such writes, and than clocks differ: a write that is not there by
/// then was never made. `tests/template` holds their `Timeout` to it.
pub const PATIENCE_SECONDS: i64 = 17;

/// An entry may lie for four days on its queue and for fourteen among the dead letters: so long it finds the mark.
pub const MARK_DAYS: i64 = 18;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Look {
    /// The write was made: what follows from it is due.
    Follow,
    /// Look again, after so many seconds.
    Again { seconds: u32 },
    /// It was refused, or whoever prepared it died before it.
    Drop,
}

pub fn look(is_made: bool, prepared: Timestamp, now: Timestamp) -> Look {
    let age = now.seconds() - prepared.seconds();
    match (is_made, age) {
        (true, _) => Look::Follow,
        (false, PATIENCE_SECONDS..) => Look::Drop,
        // Nearly every write is made within a second.
        (false, ..2) => Look::Again { seconds: 2 },
        (false, _) => Look::Again { seconds: u32::try_from(PATIENCE_SECONDS - age).unwrap_or(1) },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const PREPARED: Timestamp = Timestamp::from_millis(1_790_000_000_000);

    fn after(seconds: i64) -> Look {
        look(false, PREPARED, PREPARED.plus_seconds(seconds))
    }

    #[test]
    fn a_write_that_does_not_come_is_looked_for_three_times() {
        assert_eq!(after(0), Look::Again { seconds: 2 });
        assert_eq!(after(2), Look::Again { seconds: 15 });
        assert_eq!(after(17), Look::Drop);
        assert_eq!(after(-5), Look::Again { seconds: 2 }, "clocks differ");
    }

    #[test]
    fn a_write_that_was_made_is_followed_however_late() {
        assert_eq!(look(true, PREPARED, PREPARED.plus_seconds(86_400)), Look::Follow);
    }
}
