//! What becomes of the record of something sent when a person goes, or their messages do.

use crate::ids::AppUserId;
use crate::model::{AppUser, SendState, Timestamp};

/// For so long the task of a send may come back: its tries take six hours together ([`crate::sending::retry`]), and there is room
/// to redrive it. Until then its record must stay, or it would be sent again; after that it lies in a dead-letter queue.
const TASK_LIFE_SECONDS: i64 = 86_400;

/// A record of something sent, as far as it decides.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Trace {
    pub state: SendState,
    /// When it was last heard of.
    pub last: Timestamp,
    /// When it ends by itself.
    pub ends: Timestamp,
    /// Who it was for, as far as the record says.
    pub person: Option<AppUserId>,
    /// Whether it still says what was sent.
    pub has_content: bool,
}

impl Trace {
    /// When the task that sends it is no more.
    fn task_ends(&self) -> Timestamp {
        self.last.plus_seconds(TASK_LIFE_SECONDS)
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fate {
    Goes,
    Stays,
    Waits,
    /// What it says goes. That it was sent stays, hidden, until then.
    Fades {
        until: Timestamp,
    },
}

/// What becomes of a record at an address of a person who leaves, `ids` being all that they bore. What names nobody is the
/// address's owner's, or nobody's.
pub fn fate(trace: Trace, ids: &[AppUserId], holder: Option<AppUserId>, now: Timestamp) -> Fate {
    let is_anothers = trace.person.or(holder).is_some_and(|id| !ids.contains(&id));
    let until = trace.task_ends().min(trace.ends);
    match trace.state {
        _ if is_anothers => Fate::Stays,
        _ if now >= trace.task_ends() => Fate::Goes,
        SendState::Claimed => Fate::Waits,
        _ if !trace.has_content && trace.person.is_none() && trace.ends <= until => Fate::Stays,
        _ => Fate::Fades { until },
    }
}

/// What becomes of a record with the messages of a person's history that was deleted. One whose end is still to be told
/// ends by itself.
pub fn fate_with_messages(trace: Trace, person: &AppUser, now: Timestamp) -> Fate {
    let is_anothers = trace.person.is_some_and(|id| !person.is(id));
    let until = if trace.state.is_final() { trace.task_ends().min(trace.ends) } else { trace.ends };
    match trace.state.is_final() {
        _ if is_anothers => Fate::Stays,
        true if now >= trace.task_ends() => Fate::Goes,
        _ if !trace.has_content && trace.ends <= until => Fate::Stays,
        _ => Fate::Fades { until },
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::entropy::Counter;

    const NOW: Timestamp = Timestamp::from_millis(1_790_000_000_000);
    const DAY: i64 = 86_400;

    fn sent_to(person: Option<AppUserId>, state: SendState) -> Trace {
        Trace { state, last: NOW, ends: NOW.plus_seconds(30 * DAY), person, has_content: true }
    }

    fn somebody() -> AppUser {
        AppUser::new(&Counter, NOW)
    }

    fn faded_for_a_day() -> Fate {
        Fate::Fades { until: NOW.plus_seconds(DAY) }
    }

    #[test]
    fn what_is_theirs_or_nobodys_fades_and_goes() {
        let (leaving, before) = (AppUserId::generate(&Counter), AppUserId::generate(&Counter));
        for holder in [None, Some(leaving)] {
            for person in [None, Some(leaving), Some(before)] {
                let trace = sent_to(person, SendState::Sent);
                assert_eq!(fate(trace, &[leaving, before], holder, NOW), faded_for_a_day());
                assert_eq!(fate(trace, &[leaving, before], holder, NOW.plus_seconds(DAY)), Fate::Goes);
            }
        }
    }

    #[test]
    fn other_owners_of_an_address_keep_what_is_theirs() {
        let (leaving, before, other) =
            (AppUserId::generate(&Counter), AppUserId::generate(&Counter), AppUserId::generate(&Counter));
        let fate = |person, holder| fate(sent_to(person, SendState::Delivered), &[leaving, before], Some(holder), NOW);
        for holder in [other, leaving] {
            assert_eq!(fate(Some(other), holder), Fate::Stays);
            assert_eq!(fate(Some(leaving), holder), faded_for_a_day());
            assert_eq!(fate(Some(before), holder), faded_for_a_day(), "whom they were merged from is they");
        }
        assert_eq!(fate(None, other), Fate::Stays);
        assert_eq!(fate(None, leaving), faded_for_a_day());
    }

    #[test]
    fn a_send_under_way_is_waited_for_a_day_and_no_longer() {
        let leaving = AppUserId::generate(&Counter);
        let claimed = sent_to(None, SendState::Claimed);
        assert_eq!(fate(claimed, &[leaving], Some(leaving), NOW.plus_seconds(DAY - 1)), Fate::Waits);
        assert_eq!(fate(claimed, &[leaving], Some(leaving), NOW.plus_seconds(DAY)), Fate::Goes);
    }

    #[test]
    fn what_has_faded_does_not_fade_again() {
        let person = somebody();
        let faded = Trace { has_content: false, ends: NOW.plus_seconds(DAY), ..sent_to(None, SendState::Sent) };
        assert_eq!(fate(faded, &[person.id], None, NOW), Fate::Stays);
        assert_eq!(fate_with_messages(faded, &person, NOW), Fate::Stays);
        let with_messages = Trace { person: Some(person.id), ends: NOW.plus_seconds(30 * DAY), ..faded };
        assert_eq!(fate_with_messages(with_messages, &person, NOW), Fate::Stays);
        assert_eq!(fate(with_messages, &[person.id], None, NOW), faded_for_a_day(), "it still names the person");
    }

    #[test]
    fn with_messages_goes_what_they_say_and_what_has_no_end_to_tell_nor_a_task() {
        let person = somebody();
        for state in [SendState::Delivered, SendState::Failed] {
            let trace = sent_to(Some(person.id), state);
            assert_eq!(fate_with_messages(trace, &person, NOW), faded_for_a_day());
            assert_eq!(fate_with_messages(trace, &person, NOW.plus_seconds(DAY)), Fate::Goes);
        }
        for state in [SendState::Claimed, SendState::Sent] {
            let trace = sent_to(None, state);
            let until = trace.ends;
            assert_eq!(fate_with_messages(trace, &person, NOW.plus_seconds(2 * DAY)), Fate::Fades { until });
        }
        let anothers = sent_to(Some(AppUserId::generate(&Counter)), SendState::Delivered);
        assert_eq!(fate_with_messages(anothers, &person, NOW.plus_seconds(DAY)), Fate::Stays);
    }

    #[test]
    fn nothing_is_kept_longer_than_it_would_be() {
        let ending = Trace { ends: NOW.plus_seconds(60), ..sent_to(None, SendState::Delivered) };
        let until = NOW.plus_seconds(60);
        assert_eq!(fate(ending, &[], None, NOW), Fate::Fades { until });
        assert_eq!(fate_with_messages(ending, &somebody(), NOW), Fate::Fades { until });
    }
}
