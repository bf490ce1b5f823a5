//! What a webhook's answer means, and when an event is posted again (docs/REFERENCE.md, 6.4).

use crate::retry::{LONGEST_DELAY, spread};

/// Waits before the 2nd, 3rd … attempt at a webhook: five attempts within 15 minutes.
const WAITS: [u32; 4] = [15, 60, 180, 480];

/// Whether the `made`th attempt is the last one.
pub(super) fn is_last(made: u8) -> bool {
    usize::from(made) > WAITS.len()
}

/// Before the next attempt after `made` attempts; `None` when they are used up. `wish` is the receiver's
/// `Retry-After`.
pub fn wait(made: u8, wish: Option<u32>, jitter: f64) -> Option<u32> {
    let wait = WAITS.get(usize::from(made).checked_sub(1)?)?;
    Some(spread(*wait, jitter).max(wish.unwrap_or(0)).min(LONGEST_DELAY))
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    Taken,
    /// The receiver refuses and would refuse again.
    Refused,
    TryAgain,
}

pub fn verdict(status: u16) -> Verdict {
    match status {
        200..=299 => Verdict::Taken,
        400 | 401 | 403 | 404 | 406 => Verdict::Refused,
        _ => Verdict::TryAgain,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_webhook_gets_five_attempts_within_fifteen_minutes() {
        let waits: Vec<_> = (1..=5).map(|made| wait(made, None, 1.0)).collect();
        assert_eq!(waits.iter().filter(|wait| wait.is_some()).count(), 4);
        assert_eq!(waits[4], None);
        assert!(waits.iter().flatten().sum::<u32>() <= 900);
    }

    #[test]
    fn a_wish_is_kept_up_to_what_a_queue_can_hold_back() {
        assert_eq!(wait(1, Some(40), 0.5), Some(40));
        assert_eq!(wait(1, Some(u32::MAX), 0.5), Some(LONGEST_DELAY));
    }

    #[test]
    fn only_refusals_that_mean_it_end_the_retries() {
        for status in [400, 401, 403, 404, 406] {
            assert_eq!(verdict(status), Verdict::Refused);
        }
        for status in [301, 302, 409, 410, 429, 500, 503] {
            assert_eq!(verdict(status), Verdict::TryAgain);
        }
        assert_eq!(verdict(204), Verdict::Taken);
    }
}
