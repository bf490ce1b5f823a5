//! How long a webhook's answer is waited for. One that lets posts hang keeps a slot for as long: for a while it is waited for
//! briefly. Every attempt is made and counts all the same.

use super::retry;

/// Seconds for which a webhook's answer is waited for (docs/REFERENCE.md, 6.4).
pub const PATIENCE: u64 = 20;
/// And for one that let a whole such wait pass, for a minute from then.
const BRIEF_PATIENCE: u64 = 2;
const SUSPICION: u64 = 60;

/// How long the `made`th attempt may wait for an answer, of a webhook that hung `since` seconds ago. The last attempt
/// waits in any case: one that always needs long must not lose an event for that. A minute is less than the first
/// three attempts take, so that it is not always the last one.
pub fn for_answer(made: u8, since: Option<u64>) -> u64 {
    match since {
        Some(seconds) if seconds < SUSPICION && !retry::is_last(made) => BRIEF_PATIENCE,
        _ => PATIENCE,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_webhook_that_hung_is_hurried_but_never_at_an_events_last_attempt() {
        assert_eq!(for_answer(1, None), 20);
        assert!((1..=4).all(|made| for_answer(made, Some(0)) == 2));
        assert_eq!(for_answer(5, Some(0)), 20);
        assert_eq!(for_answer(1, Some(60)), 20);
        let third: u32 = (1..=2).filter_map(|made| retry::wait(made, None, 0.0)).sum();
        assert!(u64::from(third) >= SUSPICION, "the third attempt waits again");
    }
}
