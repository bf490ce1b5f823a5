//! What a receipt's conditional write means for what is published.

use super::recent;
use crate::model::{SendRecord, SendState, Timestamp};
use crate::retry::LONGEST_DELAY;

/// A receipt waits for its send no longer in one step.
const LONGEST_WAIT: i64 = LONGEST_DELAY as i64;

/// What a receipt says of the message, reduced to the state it would lead to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum End {
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

/// Seconds until a receipt that came before its send has ended is looked at again: as long as it has waited already. It
/// waits for as long as a send may take (parts that a carrier asked to hold back); `None` after that.
pub fn wait(received: Timestamp, accepted: Timestamp, now: Timestamp) -> Option<u32> {
    let has_waited = (now.millis() - received.millis()) / 1000;
    let may_be_sent = now < accepted.plus_seconds(recent::LATEST_SEND_SECONDS + LONGEST_WAIT);
    may_be_sent.then(|| u32::try_from(has_waited.clamp(1, LONGEST_WAIT)).unwrap_or(1))
}

/// The write went through: an end, or one of several parts.
pub fn written(record: Box<SendRecord>) -> Step {
    if record.state.is_final() { Step::Publish(record) } else { Step::Nothing }
}

/// The write was refused by `found`. A final record is published again only when this very receipt was read before
/// and led there: its first reading may have died before it could publish.
pub fn refused(found: Option<Box<SendRecord>>, end: End, redelivered: bool) -> Step {
    match found {
        // A claim comes before every send: what left no record has been erased since, or has ended its days.
        None => Step::Nothing,
        Some(record) => match (record.state, end) {
            (SendState::Claimed, _) => Step::Later,
            (SendState::Delivered, End::Delivered) | (SendState::Failed, End::Failed) if redelivered => {
                Step::Publish(record)
            }
            _ => Step::Nothing,
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// A carrier may ask to wait for forty minutes between two parts.
    #[test]
    fn a_receipt_waits_as_long_as_a_send_may_take_in_few_looks() {
        let received = Timestamp::from_millis(1_790_000_000_000);
        let (mut now, mut looks) = (received, 0);
        while let Some(seconds) = wait(received, received, now) {
            now = now.plus_seconds(i64::from(seconds));
            looks += 1;
        }
        assert!(now >= received.plus_seconds(recent::LATEST_SEND_SECONDS));
        assert!(looks < 40, "{looks}");
    }

    proptest! {
        #[test]
        fn no_wait_is_longer_than_a_queue_holds_back(received in 0_i64..100_000_000, accepted in 0_i64..100_000_000, now in 0_i64..200_000_000) {
            let at = Timestamp::from_millis;
            let seconds = wait(at(received), at(accepted), at(now));
            prop_assert!(seconds.is_none_or(|seconds| (1..=900).contains(&seconds)));
        }
    }
}
