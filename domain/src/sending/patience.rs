//! A carrier that lets a call hang keeps a slot for as long, and what goes through the same integration would hang as
//! well: for a while it steps back behind what others send. It is sent all the same, later.

use std::time::Duration;

use crate::model::Timestamp;

/// So long a call takes from a carrier that is in trouble.
const LONG: Duration = Duration::from_secs(5);
/// How long nothing is begun then, at least; at most twice as long, so that instances do not all try again at once.
const REST: Duration = Duration::from_secs(20);

/// From its third try on a send is made in any case, and so is one that was accepted so long ago: nothing steps back for
/// ever, and a message of a conversation not for longer than those after it wait for it ([`super::order`]).
const FIRST_TRIES: u32 = 2;
const PATIENCE_SECONDS: i64 = 300;

/// In seconds, how long it steps back: at first for a moment, then for as long as it has waited.
const WAIT: std::ops::RangeInclusive<i64> = 10..=60;

/// For how long an integration's sends step back after calls that took so long, if they do.
pub fn rest_after(took: Duration, jitter: f64) -> Option<Duration> {
    (took >= LONG).then(|| REST.mul_f64(1.0 + jitter.clamp(0.0, 1.0)))
}

/// Seconds for which a send, at this try, steps back while its integration rests; `None`: it is made.
pub fn steps_back(accepted: Timestamp, attempt: u32, now: Timestamp) -> Option<u32> {
    let age = now.seconds() - accepted.seconds();
    let may = attempt <= FIRST_TRIES && age < PATIENCE_SECONDS;
    may.then(|| u32::try_from(age.clamp(*WAIT.start(), *WAIT.end())).unwrap_or(0))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sending::order;
    use proptest::prelude::*;

    const NOW: Timestamp = Timestamp::from_millis(1_790_000_000_000);

    #[test]
    fn a_call_that_took_long_is_followed_by_a_rest_that_is_spread() {
        assert_eq!(rest_after(LONG, 0.0), Some(Duration::from_secs(20)));
        assert_eq!(rest_after(Duration::from_secs(10), 1.0), Some(Duration::from_secs(40)));
        assert_eq!(rest_after(Duration::from_millis(4_999), 1.0), None);
    }

    #[test]
    fn a_send_steps_back_while_it_is_young_and_has_tries_left() {
        assert_eq!(steps_back(NOW, 1, NOW), Some(10));
        assert_eq!(steps_back(NOW.plus_seconds(-30), 2, NOW), Some(30));
        assert_eq!(steps_back(NOW.plus_seconds(-299), 1, NOW), Some(60));
        assert_eq!(steps_back(NOW.plus_seconds(-300), 1, NOW), None, "it has waited enough");
        assert_eq!(steps_back(NOW, 3, NOW), None, "few tries are left for it");
    }

    proptest! {
        #[test]
        fn nothing_steps_back_often_or_for_longer_than_those_behind_it_wait(late in 0_i64..30) {
            let (mut now, mut times) = (NOW, 0);
            while let Some(seconds) = steps_back(NOW, 1, now) {
                now = now.plus_seconds(i64::from(seconds) + late);
                times += 1;
            }
            prop_assert!(times <= 9, "{times}");
            prop_assert!(now.seconds() - NOW.seconds() < order::PATIENCE_SECONDS / 2);
        }
    }
}
