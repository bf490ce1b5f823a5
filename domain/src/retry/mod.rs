//! When a task comes back. All waits are in seconds; `jitter` is a random number from 0 to 1, drawn by the caller. What
//! only sends or only webhooks do is theirs to say ([`crate::sending::retry`], [`crate::webhook::retry`]).

mod retry_after;

pub use retry_after::retry_after;

use crate::timestamp::Timestamp;

/// A queue holds a message back for at most this long in one step.
pub const LONGEST_DELAY: u32 = 900;
/// A carrier's longer wish is cut, so that all tries together end within [`crate::sending::recent`]'s six hours.
pub(crate) const LONGEST_WISH: u32 = 2_400;

/// A task is enqueued this long after its making at most, unless it is enqueued again.
const ENQUEUED_WITHIN_MILLIS: i64 = 3_000;

/// Before a queue's task is read again: 2, 4, 8 … seconds by how often it was read, at most 15 minutes, spread. A
/// carrier's own wish is a floor.
pub fn task_wait(receives: u32, wish: Option<u32>, jitter: f64) -> u32 {
    let backoff = 1_u32.checked_shl(receives.clamp(1, 10)).unwrap_or(LONGEST_DELAY).min(LONGEST_DELAY);
    spread(backoff, jitter).max(wish.unwrap_or(0).min(LONGEST_WISH))
}

/// A task that was read before. A redriven dead letter is a new message to the queue and counts from one again: it is
/// known by having been enqueued long after it was made. What its earlier reading published may be lost, and is
/// published again, under the same id.
pub fn may_be_a_repeat(receives: u32, made: Timestamp, enqueued: Option<Timestamp>) -> bool {
    let waited = enqueued.map_or(0, |enqueued| enqueued.millis() - made.millis());
    receives > 1 || waited > ENQUEUED_WITHIN_MILLIS
}

/// Spread by a quarter, so that what failed together does not return together.
pub(crate) fn spread(wait: u32, jitter: f64) -> u32 {
    (f64::from(wait) * (0.875 + 0.25 * jitter.clamp(0.0, 1.0))).round().max(1.0) as u32
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn a_redriven_task_counts_as_a_repeat() {
        let made = Timestamp::from_millis(1_790_000_000_000);
        let (at_once, later) = (made.plus_seconds(1), made.plus_seconds(60));
        assert!(!may_be_a_repeat(1, made, Some(at_once)));
        assert!(!may_be_a_repeat(1, made, None));
        assert!(may_be_a_repeat(2, made, Some(at_once)));
        assert!(may_be_a_repeat(1, made, Some(later)));
    }

    proptest! {
        #[test]
        fn waits_grow_stay_spread_and_never_undercut_the_carriers_wish(
            receives in 0_u32..40, wish in prop::option::of(0_u32..100_000), jitter in 0.0_f64..=1.0
        ) {
            let wait = task_wait(receives, wish, jitter);
            prop_assert!(wait >= 1 && wait >= wish.unwrap_or(0).min(LONGEST_WISH));
            prop_assert!(wait <= LONGEST_WISH.max(LONGEST_DELAY + LONGEST_DELAY / 8 + 1));
            prop_assert!(task_wait(receives + 2, None, 0.0) >= task_wait(receives, None, 0.0));
        }
    }
}
