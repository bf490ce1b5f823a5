//! What a person may ask for themselves, by a token of their own: to be linked to an address whose holder says yes.
//!
//! The business's word is enough for a link, and a person's is not: by it anybody could take over any number, and have
//! strangers written to. So a person may ask only by `prompt`, whose words are ours, and only so often.

use crate::linking::{Confirmation, Link};
use crate::model::{ApiError, Client, ErrorCode, Timestamp};

/// How many answers a person may wait for at once.
pub const PENDING_LIMIT: usize = 5;

const DAY_SECONDS: i64 = 86_400;

/// How often people may have questions sent on a day of UTC: each costs the business a message, and may disturb somebody
/// who never heard of either.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DailyLimit {
    Address,
    Person,
    App,
}

impl DailyLimit {
    pub fn a_day(self) -> u32 {
        match self {
            // A question, a repeat to somebody who lost it, and one more.
            Self::Address => 3,
            // Somebody has a few numbers, and mistypes some.
            Self::Person => 5,
            // Accounts are easily made: this is what bounds the bill, at some ten dollars a day.
            Self::App => 1_000,
        }
    }

    /// 429.
    pub fn error(self) -> ApiError {
        let subject = match self {
            Self::Address => "phoneNumber was",
            Self::Person => "The user had numbers",
            Self::App => "The app's users had numbers",
        };
        let problem =
            format!("{subject} asked {} times today; try again after the seconds in Retry-After", self.a_day());
        ApiError::new(ErrorCode::TooManyRequests, problem)
    }
}

/// Days are counted from 1970.
pub fn day(now: Timestamp) -> i64 {
    now.seconds().div_euclid(DAY_SECONDS)
}

/// When all may be asked again.
pub fn day_ends(now: Timestamp) -> Timestamp {
    Timestamp::from_millis((day(now) + 1) * DAY_SECONDS * 1000)
}

/// What follows from a request that is not refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Asking {
    /// The holder of the address is asked.
    Begin,
    /// They were asked on this person's behalf already, and are not asked twice.
    Waits,
}

/// # Errors
/// 403 for what only the business may ask for.
pub fn permit(confirmation: Confirmation) -> Result<(), ApiError> {
    match confirmation {
        Confirmation::Prompt => Ok(()),
        Confirmation::Immediate | Confirmation::UserActivity => {
            let problem = "confirmation.type must be prompt by a person's own token; immediate and userActivity need \
                           the credentials of the app or its account";
            Err(ApiError::new(ErrorCode::Forbidden, problem))
        }
    }
}

/// `here`: the last link of the address. `pending`: what the person waits for, wherever.
///
/// # Errors
/// 409 while somebody else waits for an answer from the address, and once it said no; 400 over the limit.
pub fn judge(link: &Link, here: Option<&Link>, pending: &[Client], now: Timestamp) -> Result<Asking, ApiError> {
    let here = here.filter(|here| !here.is_over(now));
    let conflict = |problem: &str| Err(ApiError::new(ErrorCode::Conflict, format!("phoneNumber {problem}")));
    match here {
        Some(here) if here.is_open() && here.app_user_id == link.app_user_id => return Ok(Asking::Waits),
        Some(here) if here.is_open() => return conflict("is being linked by somebody else; try again in some days"),
        Some(here) if here.was_declined() => {
            return conflict("was asked and said no; it is not asked again for some days");
        }
        Some(_) | None => {}
    }
    let waits = |client: &&Client| Link::ends(client.linked) > now.seconds();
    if pending.iter().filter(waits).count() >= PENDING_LIMIT {
        let problem = format!("At most {PENDING_LIMIT} links wait for an answer at once; wait until one is answered");
        return Err(ApiError::new(ErrorCode::BadRequest, problem));
    }
    Ok(Asking::Begin)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::entropy::Counter;
    use crate::ids::{AppUserId, ClientId, IntegrationId, LinkId};
    use crate::linking::LinkState;
    use crate::model::{Address, ChannelType, ClientStatus, ExternalId};

    const NOW: Timestamp = Timestamp::from_millis(1_790_000_000_000);

    fn link(person: AppUserId, state: LinkState) -> Link {
        Link {
            id: LinkId::generate(&Counter),
            app_user_id: person,
            confirmation: Confirmation::Prompt,
            state,
            client: client(),
            criteria: serde_json::Map::new(),
            ended_by: None,
            taken_from: None,
            ttl: NOW.plus_seconds(60).seconds(),
        }
    }

    fn client() -> Client {
        Client {
            id: ClientId::generate(&Counter),
            platform: ChannelType::Twilio,
            integration_id: IntegrationId::generate(&Counter),
            external_id: Address::e164("+14165550142").unwrap(),
            display_name: None,
            status: ClientStatus::Pending,
            linked: NOW,
            secondary: false,
            last_seen: None,
            raw: serde_json::Map::new(),
        }
    }

    #[test]
    fn only_the_holders_answer_makes_a_persons_link() {
        assert_eq!(permit(Confirmation::Prompt), Ok(()));
        for confirmation in [Confirmation::Immediate, Confirmation::UserActivity] {
            assert_eq!(permit(confirmation).unwrap_err().code, ErrorCode::Forbidden);
        }
    }

    #[test]
    fn an_address_is_asked_by_one_person_at_a_time_and_once() {
        let (bob, eve) = (AppUserId::generate(&Counter), AppUserId::generate(&Counter));
        let wanted = link(bob, LinkState::Asked);
        let judge = |here: &Link, now| judge(&wanted, Some(here), &[], now).map_err(|error| error.code);
        for open in [LinkState::Asked, LinkState::Matched] {
            assert_eq!(judge(&link(bob, open), NOW), Ok(Asking::Waits));
            assert_eq!(judge(&link(eve, open), NOW), Err(ErrorCode::Conflict));
            assert_eq!(judge(&link(eve, open), NOW.plus_seconds(60)), Ok(Asking::Begin), "its days are over");
        }
        for ended in [LinkState::Done, LinkState::Failed] {
            assert_eq!(judge(&link(eve, ended), NOW), Ok(Asking::Begin));
        }
    }

    #[test]
    fn a_no_is_remembered_whoever_asked() {
        let (bob, eve) = (AppUserId::generate(&Counter), AppUserId::generate(&Counter));
        for asker in [bob, eve] {
            let no = Link { ended_by: Some(ExternalId("SM1".into())), ..link(asker, LinkState::Failed) };
            let again = judge(&link(bob, LinkState::Asked), Some(&no), &[], NOW);
            assert_eq!(again.unwrap_err().code, ErrorCode::Conflict);
        }
    }

    #[test]
    fn a_day_ends_at_midnight() {
        let ends = day_ends(NOW);
        assert_eq!(day(ends), day(NOW) + 1);
        assert_eq!(day(Timestamp::from_millis(ends.millis() - 1)), day(NOW));
        assert_eq!(DailyLimit::Person.error().code, ErrorCode::TooManyRequests);
    }

    #[test]
    fn five_answers_are_waited_for_and_no_more() {
        let wanted = link(AppUserId::generate(&Counter), LinkState::Asked);
        let waiting = |count| vec![client(); count];
        assert_eq!(judge(&wanted, None, &waiting(4), NOW), Ok(Asking::Begin));
        assert_eq!(judge(&wanted, None, &waiting(5), NOW).unwrap_err().code, ErrorCode::BadRequest);
        assert_eq!(judge(&wanted, None, &waiting(5), NOW.plus_seconds(7 * 86_400)), Ok(Asking::Begin));
    }
}
