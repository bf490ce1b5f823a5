//! How long a webhook's answer is waited for. One that lets posts hang keeps a slot for as long: for a while it is waited for
//! briefly. Every attempt is made and counts all the same.

use std::time::Duration;

use super::retry;

/// How long a webhook's answer is waited for (docs/REFERENCE.md, 6.4).
pub const LONG: Duration = Duration::from_secs(20);
/// And for one that let a whole such wait pass, for a minute from then.
const BRIEF: Duration = Duration::from_secs(2);
const SUSPICION: Duration = Duration::from_secs(60);

/// How long the `made`th attempt may wait for an answer, of a webhook that hung so long ago. The last attempt waits in
/// any case: one that always needs long must not lose an event for that. A minute is less than the first three attempts
/// take, so that it is not always the last one.
pub fn for_answer(made: u8, hung: Option<Duration>) -> Duration {
    match hung {
        Some(ago) if ago < SUSPICION && !retry::is_last(made) => BRIEF,
        _ => LONG,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_webhook_that_hung_is_hurried_but_never_at_an_events_last_attempt() {
        let just_now = Some(Duration::ZERO);
        assert_eq!(for_answer(1, None), LONG);
        assert!((1..=4).all(|made| for_answer(made, just_now) == BRIEF));
        assert_eq!(for_answer(5, just_now), LONG);
        assert_eq!(for_answer(1, Some(SUSPICION)), LONG);
        let third: u32 = (1..=2).filter_map(|made| retry::wait(made, None, 0.0)).sum();
        assert!(u64::from(third) >= SUSPICION.as_secs(), "the third attempt waits again");
    }
}
