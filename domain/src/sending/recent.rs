//! Which notifications a reply is given as its context.
//!
//! Those sent to the person since their last message, oldest first, each given once, failed ones not among them
//! (docs/REFERENCE.md, 8.1).

use crate::model::{AppUser, ExternalId, RETENTION_DAYS, SendRecord, SendState, Timestamp};

/// The most notifications one reply is given; of more, the newest.
pub const LIMIT: usize = 50;
/// And the most bytes of JSON, so that the event with all of them fits a queue.
const SIZE_LIMIT: usize = 256 * 1024;

/// A notification may be sent this long after it was accepted (retries, throttling), and so after a reply that came
/// later than its acceptance: the window reaches back by as much. What was given before is marked, not guessed.
pub(super) const LATEST_SEND_SECONDS: i64 = 6 * 3600;

/// As far back as records are kept.
const REACH_SECONDS: i64 = RETENTION_DAYS * 86_400;

/// From when on accepted notifications can belong to a reply.
pub fn window_start(last_reply: Option<Timestamp>, now: Timestamp) -> Timestamp {
    let reach = now.plus_seconds(-REACH_SECONDS);
    last_reply.map_or(reach, |last| last.plus_seconds(-LATEST_SEND_SECONDS).max(reach))
}

/// Those to give to a new reply of this person: sent to them, not failed, not given before; of more than [`LIMIT`], or
/// than an event can hold, the newest.
pub fn to_give(records: Vec<SendRecord>, person: &AppUser) -> Vec<SendRecord> {
    let open = |record: &SendRecord| {
        matches!(record.state, SendState::Sent | SendState::Delivered)
            && record.answered_by.is_none()
            && !record.hidden
            && record.was_for(person)
    };
    let mut given = by_sending(records.into_iter().filter(open).collect());
    let mut room = SIZE_LIMIT;
    let fits = |record: &&SendRecord| {
        let size = serde_json::to_vec(&record.message).map_or(usize::MAX, |bytes| bytes.len());
        let fits = size <= room;
        room = room.saturating_sub(size);
        fits
    };
    let newest = given.iter().rev().take(LIMIT).take_while(fits).count();
    given.split_off(given.len() - newest)
}

/// Those that were given to a reply we have seen before, but for what was deleted since.
pub fn given_to(records: Vec<SendRecord>, reply: &ExternalId) -> Vec<SendRecord> {
    let theirs = |record: &SendRecord| record.answered_by.as_ref() == Some(reply) && !record.hidden;
    by_sending(records.into_iter().filter(theirs).collect())
}

fn by_sending(mut records: Vec<SendRecord>) -> Vec<SendRecord> {
    records.sort_by_key(|record| (record.sent, record.accepted, record.subject));
    records
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::entropy::Counter;
    use crate::ids::{ClientId, IntegrationId, NotificationId};
    use crate::model::{Address, Author, ChannelType, Client, ClientStatus, MatchResult, MessageWire, Subject};

    fn somebody() -> AppUser {
        AppUser::new(&Counter, Timestamp::from_millis(0))
    }

    fn record(state: SendState, sent: Option<i64>, answered_by: Option<&str>) -> SendRecord {
        SendRecord {
            subject: Subject::Notification(NotificationId::generate(&Counter)),
            state,
            deadline: None,
            repeated: false,
            accepted: Timestamp::from_millis(0),
            message: MessageWire::default(),
            author: Author::default(),
            external_ids: vec![],
            confirmed: Default::default(),
            match_result: None,
            sent: sent.map(Timestamp::from_millis),
            ended: None,
            exchanges: Vec::new(),
            failure: None,
            answered_by: answered_by.map(|id| ExternalId(id.into())),
            hidden: false,
            ttl: 0,
        }
    }

    #[test]
    fn a_reply_is_given_what_was_sent_and_not_given_before_oldest_first() {
        let late = record(SendState::Sent, Some(20), None);
        let early = record(SendState::Delivered, Some(10), None);
        let records = vec![
            late.clone(),
            record(SendState::Failed, Some(5), None),
            record(SendState::Claimed, None, None),
            record(SendState::Sent, Some(1), Some("SM1")),
            early.clone(),
        ];
        assert_eq!(to_give(records, &somebody()), vec![early, late]);
    }

    #[test]
    fn of_too_many_the_newest_are_given() {
        let many = (0..70).map(|n| record(SendState::Sent, Some(n), None)).collect();
        let given = to_give(many, &somebody());
        assert_eq!(given.len(), LIMIT);
        assert_eq!(given[0].sent, Some(Timestamp::from_millis(20)));
    }

    #[test]
    fn of_too_large_ones_the_newest_are_given() {
        let large = |n| {
            let message = MessageWire { text: Some("x".repeat(100 * 1024)), ..MessageWire::default() };
            SendRecord { message, ..record(SendState::Sent, Some(n), None) }
        };
        let given = to_give((0..5).map(large).collect(), &somebody());
        assert_eq!(
            given.iter().map(|record| record.sent).collect::<Vec<_>>(),
            [3, 4].map(|n| Some(Timestamp::from_millis(n)))
        );
    }

    #[test]
    fn what_was_sent_to_the_address_before_it_was_theirs_is_not_given() {
        let (person, other) = (somebody(), somebody());
        let sent_to = |user: &AppUser| SendRecord {
            match_result: Some(MatchResult {
                app_user_id: user.id,
                user_id: None,
                conversation_id: user.conversation_id,
                client: Client {
                    id: ClientId::generate(&Counter),
                    platform: ChannelType::Twilio,
                    integration_id: IntegrationId::generate(&Counter),
                    external_id: Address::e164("+14165550142").unwrap(),
                    display_name: None,
                    status: ClientStatus::Active,
                    linked: Timestamp::from_millis(0),
                    secondary: false,
                    last_seen: None,
                    raw: Default::default(),
                },
            }),
            ..record(SendState::Sent, Some(1), None)
        };
        let (own, former) = (sent_to(&person), sent_to(&other));
        let merged = AppUser { merged_users: vec![other.id], ..person.clone() };
        assert_eq!(to_give(vec![own.clone(), former.clone()], &person), std::slice::from_ref(&own));
        assert_eq!(to_give(vec![own.clone(), former.clone()], &merged).len(), 2);
    }

    #[test]
    fn a_repeated_reply_is_given_what_it_was_given() {
        let mine = record(SendState::Sent, Some(1), Some("SM1"));
        let records =
            vec![mine.clone(), record(SendState::Sent, Some(2), Some("SM2")), record(SendState::Sent, Some(3), None)];
        assert_eq!(given_to(records, &ExternalId("SM1".into())), vec![mine]);
    }

    #[test]
    fn the_window_reaches_back_past_the_last_reply_by_the_longest_send() {
        let now = Timestamp::from_millis(1_790_000_000_000);
        let last = now.plus_seconds(-60);
        assert_eq!(window_start(Some(last), now), last.plus_seconds(-LATEST_SEND_SECONDS));
        assert_eq!(window_start(None, now), now.plus_seconds(-REACH_SECONDS));
        assert_eq!(window_start(Some(Timestamp::from_millis(0)), now), now.plus_seconds(-REACH_SECONDS));
    }
}
