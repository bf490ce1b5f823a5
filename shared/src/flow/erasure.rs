//! What goes when a person is erased, what stays, and how much is done in one step.

use crate::ids::AppUserId;
use crate::model::{SendState, Timestamp};

/// A send that is under way is waited for, but not for ever: its task may lie in a dead-letter queue.
const PATIENCE_SECONDS: i64 = 86_400;

/// How far an erasure came.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Progress {
    Done,
    /// The step was long enough: the rest is for the next one.
    More,
    /// A send is under way. Its record must stay, or it would be sent again.
    Waiting,
}

/// How many requests one step may still make, so that it ends well before its function does.
#[derive(Debug)]
pub struct Budget(u32);

impl Budget {
    pub fn new(requests: u32) -> Self {
        Self(requests)
    }

    pub fn spend(&mut self, requests: usize) {
        self.0 = self.0.saturating_sub(u32::try_from(requests).unwrap_or(u32::MAX));
    }

    pub fn is_spent(&self) -> bool {
        self.0 == 0
    }
}

/// Something sent to an address of a person who is erased.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Trace {
    pub state: SendState,
    pub accepted: Timestamp,
    /// Who it was for, as far as the record says.
    pub person: Option<AppUserId>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fate {
    Goes,
    Stays,
    Waits,
}

/// What becomes of a record at an address. Where the address has another owner by now, only what names the person
/// who leaves is theirs.
pub fn fate(trace: Trace, leaving: AppUserId, holder: Option<AppUserId>, now: Timestamp) -> Fate {
    let is_anothers = holder.is_some_and(|holder| holder != leaving) && trace.person != Some(leaving);
    let is_under_way = trace.state == SendState::Claimed && now < trace.accepted.plus_seconds(PATIENCE_SECONDS);
    match (is_anothers, is_under_way) {
        (true, _) => Fate::Stays,
        (false, true) => Fate::Waits,
        (false, false) => Fate::Goes,
    }
}

/// Whether a record goes with the messages of a history that was deleted. One whose end is still to be told stays:
/// it is hidden already, and ends by itself.
pub fn goes_with_messages(state: SendState) -> bool {
    state.is_final()
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Timestamp = Timestamp::from_millis(1_790_000_000_000);

    fn sent_to(person: Option<AppUserId>, state: SendState) -> Trace {
        Trace { state, accepted: NOW, person }
    }

    #[test]
    fn an_address_that_is_theirs_or_nobodys_is_emptied() {
        let leaving = AppUserId::generate();
        for holder in [None, Some(leaving)] {
            for person in [None, Some(leaving), Some(AppUserId::generate())] {
                assert_eq!(fate(sent_to(person, SendState::Sent), leaving, holder, NOW), Fate::Goes);
            }
        }
    }

    #[test]
    fn the_next_owner_of_an_address_keeps_what_is_theirs() {
        let (leaving, next) = (AppUserId::generate(), AppUserId::generate());
        let fate = |person| fate(sent_to(person, SendState::Delivered), leaving, Some(next), NOW);
        assert_eq!(fate(Some(next)), Fate::Stays);
        assert_eq!(fate(None), Fate::Stays);
        assert_eq!(fate(Some(leaving)), Fate::Goes);
    }

    #[test]
    fn a_send_under_way_is_waited_for_a_day_and_no_longer() {
        let leaving = AppUserId::generate();
        let claimed = sent_to(None, SendState::Claimed);
        assert_eq!(fate(claimed, leaving, Some(leaving), NOW.plus_seconds(86_399)), Fate::Waits);
        assert_eq!(fate(claimed, leaving, Some(leaving), NOW.plus_seconds(86_400)), Fate::Goes);
    }

    #[test]
    fn what_still_has_an_end_to_tell_does_not_go_with_messages() {
        assert!(!goes_with_messages(SendState::Claimed) && !goes_with_messages(SendState::Sent));
        assert!(goes_with_messages(SendState::Delivered) && goes_with_messages(SendState::Failed));
    }

    #[test]
    fn a_budget_ends() {
        let mut budget = Budget::new(3);
        budget.spend(2);
        assert!(!budget.is_spent());
        budget.spend(usize::MAX);
        assert!(budget.is_spent());
    }
}
