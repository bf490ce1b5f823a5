//! The messages of a conversation keep their order on each channel, though queues don't: what goes to a client waits for
//! what was posted before it to the same client, until that was taken or has failed.
//!
//! Not for ever. Whatever became of an older one, nobody waits for it longer than [`PATIENCE_SECONDS`].

use crate::ids::MessageId;
use crate::model::Timestamp;

/// So old a message holds none back any more: longer than an ordinary run of retries takes.
pub const PATIENCE_SECONDS: i64 = 900;
/// A message waits for so many before it at most; those wait for others in their turn.
pub const MOST_BEFORE: usize = 20;

/// Those of the messages before it for which one still waits. `passed`: those that the carrier took, or that failed.
pub fn waits_for(before: &[MessageId], passed: &[MessageId], now: Timestamp) -> Vec<MessageId> {
    let holds = |id: &&MessageId| !passed.contains(id) && now.seconds() - id.moment().seconds() < PATIENCE_SECONDS;
    before.iter().filter(holds).copied().collect()
}

/// Seconds until one that waits looks again: soon at first, then by how long it has waited.
pub fn next_look(accepted: Timestamp, now: Timestamp) -> u32 {
    let waited = u32::try_from(now.seconds() - accepted.seconds()).unwrap_or(0);
    (waited / 4).clamp(1, 60)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const NOW: Timestamp = Timestamp::from_millis(1_790_000_000_000);

    fn posted(seconds_ago: i64) -> MessageId {
        MessageId::at(NOW.plus_seconds(-seconds_ago), &[b"one"])
    }

    #[test]
    fn a_message_waits_until_those_before_it_have_passed() {
        let (older, newer) = (posted(20), posted(10));
        assert_eq!(waits_for(&[older, newer], &[], NOW), [older, newer]);
        assert_eq!(waits_for(&[older, newer], &[newer], NOW), [older]);
        assert!(waits_for(&[older, newer], &[newer, older], NOW).is_empty());
        assert!(waits_for(&[], &[], NOW).is_empty());
    }

    #[test]
    fn nobody_waits_for_ever_for_one_that_is_lost() {
        assert_eq!(waits_for(&[posted(PATIENCE_SECONDS - 1)], &[], NOW).len(), 1);
        assert!(waits_for(&[posted(PATIENCE_SECONDS)], &[], NOW).is_empty());
    }

    proptest! {
        #[test]
        fn looks_grow_rare_and_are_few(waited in -5_i64..100_000) {
            let wait = next_look(NOW.plus_seconds(-waited), NOW);
            prop_assert!((1..=60).contains(&wait));
            let later = next_look(NOW.plus_seconds(-waited - 60), NOW);
            prop_assert!(later >= wait);
        }
    }
}
