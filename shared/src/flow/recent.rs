//! Which notifications a reply is given as its context.
//!
//! Those sent to the person since their last message, oldest first, each given once, failed ones not among them (v1.1
//! reference, 8.1).

use crate::model::{ExternalId, RETENTION_DAYS, SendRecord, SendState, Timestamp};

/// The most notifications one reply is given; of more, the newest.
pub const LIMIT: usize = 50;

/// A notification may be sent this long after it was accepted (retries, throttling), and so after a reply that came
/// later than its acceptance: the window reaches back by as much. What was given before is marked, not guessed.
const LATEST_SEND_SECONDS: i64 = 6 * 3600;

/// As far back as records are kept.
const REACH_SECONDS: i64 = RETENTION_DAYS * 86_400;

/// From when on accepted notifications can belong to a reply.
pub fn window_start(last_reply: Option<Timestamp>, now: Timestamp) -> Timestamp {
    let reach = now.plus_seconds(-REACH_SECONDS);
    last_reply.map_or(reach, |last| last.plus_seconds(-LATEST_SEND_SECONDS).max(reach))
}

/// Those to give to a new reply: sent, not failed, not given before; of more than [`LIMIT`], the newest.
pub fn to_give(records: Vec<SendRecord>) -> Vec<SendRecord> {
    let open = |record: &SendRecord| {
        matches!(record.state, SendState::Sent | SendState::Delivered) && record.answered_by.is_none() && !record.hidden
    };
    let mut given = by_sending(records.into_iter().filter(open).collect());
    given.split_off(given.len().saturating_sub(LIMIT))
}

/// Those that were given to a reply we have seen before.
pub fn given_to(records: Vec<SendRecord>, reply: &ExternalId) -> Vec<SendRecord> {
    by_sending(records.into_iter().filter(|record| record.answered_by.as_ref() == Some(reply)).collect())
}

fn by_sending(mut records: Vec<SendRecord>) -> Vec<SendRecord> {
    records.sort_by_key(|record| (record.sent, record.accepted, record.subject));
    records
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ids::NotificationId;
    use crate::model::{Author, MessageWire, Subject};

    fn record(state: SendState, sent: Option<i64>, answered_by: Option<&str>) -> SendRecord {
        SendRecord {
            subject: Subject::Notification(NotificationId::generate()),
            state,
            deadline: None,
            accepted: Timestamp::from_millis(0),
            message: MessageWire::default(),
            author: Author::default(),
            external_ids: vec![],
            confirmed: Default::default(),
            match_result: None,
            sent: sent.map(Timestamp::from_millis),
            ended: None,
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
        assert_eq!(to_give(records), vec![early, late]);
    }

    #[test]
    fn of_too_many_the_newest_are_given() {
        let many = (0..70).map(|n| record(SendState::Sent, Some(n), None)).collect();
        let given = to_give(many);
        assert_eq!(given.len(), LIMIT);
        assert_eq!(given[0].sent, Some(Timestamp::from_millis(20)));
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
