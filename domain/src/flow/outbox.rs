//! What becomes of an outbox entry that was looked at: the write it speaks of may be made, under way, or never come.

use crate::model::Timestamp;

/// Longer than a function of the API runs that makes such writes, and than clocks differ: a write that is not there by
/// then was never made. `tests/template` holds their `Timeout` to it.
pub const PATIENCE_SECONDS: i64 = 17;

/// An entry may lie for four days on its queue and for fourteen among the dead letters: so long it finds the mark.
pub const MARK_DAYS: i64 = 18;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Look {
    /// The write was made: what follows from it is due.
    Follow,
    /// Look again, after so many seconds.
    Again { seconds: u32 },
    /// It was refused, or whoever prepared it died before it.
    Drop,
}

pub fn look(is_made: bool, prepared: Timestamp, now: Timestamp) -> Look {
    let age = now.seconds() - prepared.seconds();
    match (is_made, age) {
        (true, _) => Look::Follow,
        (false, PATIENCE_SECONDS..) => Look::Drop,
        // Nearly every write is made within a second.
        (false, ..2) => Look::Again { seconds: 2 },
        (false, _) => Look::Again { seconds: u32::try_from(PATIENCE_SECONDS - age).unwrap_or(1) },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const PREPARED: Timestamp = Timestamp::from_millis(1_790_000_000_000);

    fn after(seconds: i64) -> Look {
        look(false, PREPARED, PREPARED.plus_seconds(seconds))
    }

    #[test]
    fn a_write_that_does_not_come_is_looked_for_three_times() {
        assert_eq!(after(0), Look::Again { seconds: 2 });
        assert_eq!(after(2), Look::Again { seconds: 15 });
        assert_eq!(after(17), Look::Drop);
        assert_eq!(after(-5), Look::Again { seconds: 2 }, "clocks differ");
    }

    #[test]
    fn a_write_that_was_made_is_followed_however_late() {
        assert_eq!(look(true, PREPARED, PREPARED.plus_seconds(86_400)), Look::Follow);
    }
}
