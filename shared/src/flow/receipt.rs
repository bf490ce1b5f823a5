//! What a receipt's conditional write means for what is published.

use crate::model::{SendRecord, SendState};

/// What a receipt says of the message, reduced to the state it would lead to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Claim {
    Delivered,
    Failed,
}

#[derive(Debug, Clone, PartialEq)]
pub enum Step {
    /// The notification has come to its end: publish what the record says.
    Publish(Box<SendRecord>),
    /// The send is not recorded yet. A receipt for an id not yet known is tried later, not dropped.
    Later,
    /// It says nothing new.
    Nothing,
}

/// The write went through: an end, or one of several parts.
pub fn written(record: Box<SendRecord>) -> Step {
    if record.state.is_final() { Step::Publish(record) } else { Step::Nothing }
}

/// The write was refused by `found`. A final record is published again only when this very receipt was read before
/// and led there: its first reading may have died before it could publish.
pub fn refused(found: Option<Box<SendRecord>>, claim: Claim, redelivered: bool) -> Step {
    match found {
        // A claim comes before every send: what left no record has been erased since, or has ended its days.
        None => Step::Nothing,
        Some(record) => match (record.state, claim) {
            (SendState::Claimed, _) => Step::Later,
            (SendState::Delivered, Claim::Delivered) | (SendState::Failed, Claim::Failed) if redelivered => {
                Step::Publish(record)
            }
            _ => Step::Nothing,
        },
    }
}
