//! Which notifications a reply is given as its context.
//!
//! Those sent to the person since their last message, oldest first, each given once, failed ones not among them (v1.1
//! reference, 8.1).

use crate::model::{ExternalId, NotificationRecord, RETENTION_DAYS, SendState, Timestamp};

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

/// Those to give to a new reply: sent, not failed, not given before.
pub fn to_give(records: Vec<NotificationRecord>) -> Vec<NotificationRecord> {
    let open = |record: &NotificationRecord| {
        matches!(record.state, SendState::Sent | SendState::Delivered) && record.answered_by.is_none()
    };
    by_sending(records.into_iter().filter(open).collect())
}

/// Those that were given to a reply we have seen before.
pub fn given_to(records: Vec<NotificationRecord>, reply: &ExternalId) -> Vec<NotificationRecord> {
    by_sending(records.into_iter().filter(|record| record.answered_by.as_ref() == Some(reply)).collect())
}

fn by_sending(mut records: Vec<NotificationRecord>) -> Vec<NotificationRecord> {
    records.sort_by_key(|record| (record.sent, record.accepted, record.id));
    records
}
