//! When to try again. All waits are in seconds; `jitter` is a random number from 0 to 1, drawn by the caller.

use crate::channels::{SendError, SendErrorKind};
use crate::model::Timestamp;

/// A queue holds a message back for at most this long in one step.
const LONGEST_DELAY: u32 = 900;
/// A carrier's longer wish is cut, so that all tries together end within [`super::recent`]'s six hours.
const LONGEST_WISH: u32 = 2_400;

/// What may have gone out is sent once more only, so not before a carrier that broke down has had time to get up.
const BEFORE_A_REPEAT: u32 = 30;

/// A task is enqueued this long after its making at most, unless it is enqueued again.
const ENQUEUED_WITHIN_MILLIS: i64 = 3_000;

/// Waits before the 2nd, 3rd … attempt at a webhook: five attempts within 15 minutes (docs/REFERENCE.md, 6.4).
const WEBHOOK_WAITS: [u32; 4] = [15, 60, 180, 480];

/// Before a queue's task is read again: 2, 4, 8 … seconds by how often it was read, at most 15 minutes, spread by a
/// quarter so that tasks which failed together do not return together. A carrier's own wish is a floor.
pub fn task_wait(receives: u32, wish: Option<u32>, jitter: f64) -> u32 {
    let backoff = 1_u32.checked_shl(receives.clamp(1, 10)).unwrap_or(LONGEST_DELAY).min(LONGEST_DELAY);
    spread(backoff, jitter).max(wish.unwrap_or(0).min(LONGEST_WISH))
}

/// Before a send is tried again after `attempt` tries.
pub fn send_wait(attempt: u32, error: &SendError, jitter: f64) -> u32 {
    let wait = task_wait(attempt, error.retry_after, jitter);
    if error.kind == SendErrorKind::Undecided { wait.max(BEFORE_A_REPEAT) } else { wait }
}

/// Before the next attempt at a webhook after `made` attempts; `None` when they are used up. `wish` is the receiver's
/// `Retry-After`.
pub fn webhook_wait(made: u8, wish: Option<u32>, jitter: f64) -> Option<u32> {
    let wait = WEBHOOK_WAITS.get(usize::from(made).checked_sub(1)?)?;
    Some(spread(*wait, jitter).max(wish.unwrap_or(0)).min(LONGEST_DELAY))
}

/// Seconds for which a webhook's answer is waited for (docs/REFERENCE.md, 6.4).
pub const WEBHOOK_PATIENCE: u64 = 20;
/// And for one that let a whole such wait pass, for a minute from then.
const BRIEF_PATIENCE: u64 = 2;
const SUSPICION: u64 = 60;

/// How long the `made`th attempt may wait for an answer, of a webhook that hung `since` seconds ago. The last attempt
/// waits in any case: one that always needs long must not lose an event for that. A minute is less than the first
/// three attempts take, so that it is not always the last one.
pub fn webhook_patience(made: u8, since: Option<u64>) -> u64 {
    let is_last = usize::from(made) > WEBHOOK_WAITS.len();
    match since {
        Some(seconds) if seconds < SUSPICION && !is_last => BRIEF_PATIENCE,
        _ => WEBHOOK_PATIENCE,
    }
}

/// A task that was read before. A redriven dead letter is a new message to the queue and counts from one again: it is
/// known by having been enqueued long after it was made. What its earlier reading published may be lost, and is
/// published again, under the same id.
pub fn may_be_a_repeat(receives: u32, made: Timestamp, enqueued: Option<Timestamp>) -> bool {
    let waited = enqueued.map_or(0, |enqueued| enqueued.millis() - made.millis());
    receives > 1 || waited > ENQUEUED_WITHIN_MILLIS
}

fn spread(wait: u32, jitter: f64) -> u32 {
    (f64::from(wait) * (0.875 + 0.25 * jitter.clamp(0.0, 1.0))).round().max(1.0) as u32
}

/// What a webhook's answer means (docs/REFERENCE.md, 6.4).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    Taken,
    /// The receiver refuses and would refuse again.
    Refused,
    TryAgain,
}

pub fn webhook_verdict(status: u16) -> Verdict {
    match status {
        200..=299 => Verdict::Taken,
        400 | 401 | 403 | 404 | 406 => Verdict::Refused,
        _ => Verdict::TryAgain,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn a_webhook_gets_five_attempts_within_fifteen_minutes() {
        let waits: Vec<_> = (1..=5).map(|made| webhook_wait(made, None, 1.0)).collect();
        assert_eq!(waits.iter().filter(|wait| wait.is_some()).count(), 4);
        assert_eq!(waits[4], None);
        assert!(waits.iter().flatten().sum::<u32>() <= 900);
    }

    #[test]
    fn a_webhook_that_hung_is_hurried_but_never_at_an_events_last_attempt() {
        assert_eq!(webhook_patience(1, None), 20);
        assert!((1..=4).all(|made| webhook_patience(made, Some(0)) == 2));
        assert_eq!(webhook_patience(5, Some(0)), 20);
        assert_eq!(webhook_patience(1, Some(60)), 20);
        let third: u32 = (1..=2).filter_map(|made| webhook_wait(made, None, 0.0)).sum();
        assert!(u64::from(third) >= SUSPICION, "the third attempt waits again");
    }

    #[test]
    fn wishes_are_kept_up_to_a_cap_and_what_may_have_gone_out_takes_its_time() {
        let failed = |kind, retry_after| SendError { retry_after, ..SendError::new(kind, "No") };
        let wait = |kind, wish| send_wait(1, &failed(kind, wish), 0.5);
        assert_eq!(wait(SendErrorKind::Unavailable, None), 2);
        assert_eq!(wait(SendErrorKind::Unavailable, Some(40)), 40);
        assert_eq!(wait(SendErrorKind::Throttled {}, Some(u32::MAX)), LONGEST_WISH);
        assert_eq!(wait(SendErrorKind::Undecided, None), 30);
        assert_eq!(wait(SendErrorKind::Undecided, Some(90)), 90);
        assert_eq!(webhook_wait(1, Some(u32::MAX), 0.5), Some(LONGEST_DELAY));
    }

    #[test]
    fn a_redriven_task_counts_as_a_repeat() {
        let made = Timestamp::from_millis(1_790_000_000_000);
        let (at_once, later) = (made.plus_seconds(1), made.plus_seconds(60));
        assert!(!may_be_a_repeat(1, made, Some(at_once)));
        assert!(!may_be_a_repeat(1, made, None));
        assert!(may_be_a_repeat(2, made, Some(at_once)));
        assert!(may_be_a_repeat(1, made, Some(later)));
    }

    #[test]
    fn only_refusals_that_mean_it_end_the_retries() {
        for status in [400, 401, 403, 404, 406] {
            assert_eq!(webhook_verdict(status), Verdict::Refused);
        }
        for status in [301, 302, 409, 410, 429, 500, 503] {
            assert_eq!(webhook_verdict(status), Verdict::TryAgain);
        }
        assert_eq!(webhook_verdict(204), Verdict::Taken);
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
