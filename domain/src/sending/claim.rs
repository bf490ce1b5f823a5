//! What to do with a notification that somebody has claimed before.
//!
//! ```text
//!  claim ──▶ refused by …
//!            CLAIMED, deadline ahead     another invocation is at it: wait for its deadline
//!            CLAIMED, given back         take it over
//!            CLAIMED, deadline passed    its invocation died; the carrier may have taken the message:
//!                                        the integration says whether to resend, once, or to fail
//!            SENT, DELIVERED, FAILED     done; say it again only if this task was read before (its events may be lost)
//! ```

use std::time::Duration;

use crate::model::{ExpiredClaim, SendRecord, SendState, Timestamp};
use crate::retry::LONGEST_DELAY;

/// What the record of a part that was taken gets at least, after the longest wait for the carrier.
const TO_RECORD: Duration = Duration::from_secs(1);

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ClaimStep {
    /// Try again in so many seconds.
    Wait { seconds: u32 },
    /// Take the claim from its dead or resigned owner; `old` is the deadline it must still have.
    Retake { old: i64 },
    /// Nobody knows whether it went out, and the integration wants no doubles.
    GiveUp { old: i64 },
    /// Publish once more what the record says.
    Republish,
    /// All is done.
    Nothing,
}

/// `redelivered`: the queue has given out this very task before.
pub fn on_found(record: &SendRecord, policy: ExpiredClaim, redelivered: bool, now: Timestamp) -> ClaimStep {
    if record.state != SendState::Claimed {
        return if redelivered { ClaimStep::Republish } else { ClaimStep::Nothing };
    }
    let old = record.deadline.unwrap_or(0);
    let left = old - now.millis();
    match old {
        0 => ClaimStep::Retake { old },
        _ if left > 0 => {
            ClaimStep::Wait { seconds: u32::try_from(left / 1000 + 1).unwrap_or(u32::MAX).min(LONGEST_DELAY) }
        }
        _ if may_repeat(policy, record.repeated) => ClaimStep::Retake { old },
        _ => ClaimStep::GiveUp { old },
    }
}

/// Whether what may have gone out is sent once more: the person gets it twice at most, and where the integration wants no
/// doubles once.
pub fn may_repeat(policy: ExpiredClaim, repeated: bool) -> bool {
    policy == ExpiredClaim::Resend && !repeated
}

/// Whether a carrier's request may be begun that is answered, or given up, within `timeout`: only if the invocation that
/// `ends` then sees its end.
pub fn may_begin(now: Timestamp, ends: Timestamp, timeout: Duration) -> bool {
    let left = Duration::from_millis(u64::try_from(ends.millis() - now.millis()).unwrap_or(0));
    left >= timeout + TO_RECORD
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::entropy::Counter;
    use crate::ids::NotificationId;
    use crate::model::{Author, MessageWire, Subject};

    const NOW: Timestamp = Timestamp::from_millis(1_790_000_000_000);

    fn record(state: SendState, deadline: Option<i64>) -> SendRecord {
        SendRecord {
            subject: Subject::Notification(NotificationId::generate(&Counter)),
            state,
            deadline,
            repeated: false,
            accepted: NOW,
            message: MessageWire::default(),
            author: Author::default(),
            external_ids: vec![],
            confirmed: Default::default(),
            match_result: None,
            sent: None,
            ended: None,
            exchanges: Vec::new(),
            failure: None,
            answered_by: None,
            hidden: false,
            ttl: 0,
        }
    }

    #[test]
    fn a_living_claim_is_waited_for_and_never_taken() {
        let claimed = record(SendState::Claimed, Some(NOW.millis() + 4_200));
        for policy in [ExpiredClaim::Resend, ExpiredClaim::Fail] {
            assert_eq!(on_found(&claimed, policy, true, NOW), ClaimStep::Wait { seconds: 5 });
        }
    }

    #[test]
    fn an_expired_claim_follows_the_integrations_policy() {
        let old = NOW.millis() - 1;
        let expired = record(SendState::Claimed, Some(old));
        assert_eq!(on_found(&expired, ExpiredClaim::Resend, true, NOW), ClaimStep::Retake { old });
        assert_eq!(on_found(&expired, ExpiredClaim::Fail, true, NOW), ClaimStep::GiveUp { old });
    }

    #[test]
    fn what_was_repeated_once_is_not_repeated_again() {
        let old = NOW.millis() - 1;
        let repeated = SendRecord { repeated: true, ..record(SendState::Claimed, Some(old)) };
        assert_eq!(on_found(&repeated, ExpiredClaim::Resend, true, NOW), ClaimStep::GiveUp { old });
        let resigned = SendRecord { deadline: Some(0), ..repeated };
        assert_eq!(
            on_found(&resigned, ExpiredClaim::Resend, true, NOW),
            ClaimStep::Retake { old: 0 },
            "it is its repeat"
        );
    }

    #[test]
    fn nothing_is_begun_whose_end_the_invocation_may_not_see() {
        let timeout = Duration::from_secs(10);
        assert!(may_begin(NOW, NOW.plus_seconds(15), timeout));
        assert!(may_begin(NOW, NOW.plus_seconds(11), timeout));
        assert!(!may_begin(NOW, Timestamp::from_millis(NOW.millis() + 10_999), timeout));
        assert!(!may_begin(NOW, NOW.plus_seconds(-1), timeout));
    }

    #[test]
    fn a_claim_given_back_is_taken_whatever_the_policy() {
        let resigned = record(SendState::Claimed, Some(0));
        assert_eq!(on_found(&resigned, ExpiredClaim::Fail, true, NOW), ClaimStep::Retake { old: 0 });
    }

    #[test]
    fn what_is_done_is_said_again_only_to_make_up_for_a_crash() {
        for state in [SendState::Sent, SendState::Delivered, SendState::Failed] {
            assert_eq!(on_found(&record(state, None), ExpiredClaim::Resend, false, NOW), ClaimStep::Nothing);
            assert_eq!(on_found(&record(state, None), ExpiredClaim::Resend, true, NOW), ClaimStep::Republish);
        }
    }
}
