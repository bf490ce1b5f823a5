//! What is kept of something sent while its delivery is followed; of a notification, also as context for a reply.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use crate::model::{
    AppUser, Author, ExternalId, FailedExchange, Failure, MatchResult, MessageWire, Subject, Timestamp,
};

/// How long a notification's record, and so its place in `recentNotifications`, is kept.
pub const RETENTION_DAYS: i64 = 30;

/// How far it has come. States only move forward; the two last are final.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum SendState {
    Claimed,
    Sent,
    Delivered,
    Failed,
}

impl SendState {
    pub fn is_final(self) -> bool {
        matches!(self, Self::Delivered | Self::Failed)
    }

    /// The table of moves. There is no write but along one of them: see [`Move`].
    pub const fn may_become(self, next: Self) -> bool {
        use SendState::{Claimed, Delivered, Failed, Sent};
        matches!((self, next), (Claimed, Sent | Failed) | (Sent, Delivered | Failed))
    }
}

/// An arrow of the table. The store's condition and what it sets are made of it, and it can be made of no other pair: of
/// one that the table does not hold, a constant does not compile.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Move {
    from: SendState,
    to: SendState,
}

impl Move {
    pub const fn along(from: SendState, to: SendState) -> Self {
        assert!(from.may_become(to), "states only move along the table");
        Self { from, to }
    }

    pub fn from(self) -> SendState {
        self.from
    }

    pub fn to(self) -> SendState {
        self.to
    }
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct SendRecord {
    pub subject: Subject,
    pub state: SendState,
    /// While claimed: when the claimant must be dead, in Unix milliseconds. Zero when the claim was given back.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub deadline: Option<i64>,
    /// While claimed: whether what may have gone out was, or is to be, sent once more. Not a second time.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub repeated: bool,
    pub accepted: Timestamp,
    pub message: MessageWire,
    #[serde(default)]
    pub author: Author,
    /// The carrier's ids, in the order of the parts; while claimed, of the parts already sent.
    #[serde(default)]
    pub external_ids: Vec<ExternalId>,
    /// Of several parts, those confirmed so far.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub confirmed: BTreeSet<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub match_result: Option<MatchResult>,
    /// Those with the carrier that failed, oldest first: one for each try, and the receipt that said so.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub exchanges: Vec<FailedExchange>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sent: Option<Timestamp>,
    /// When it was delivered or failed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ended: Option<Timestamp>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub failure: Option<Failure>,
    /// The reply it was given to as context. Given once.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub answered_by: Option<ExternalId>,
    /// Deleted from the history.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub hidden: bool,
    pub ttl: i64,
}

impl SendRecord {
    /// Whether this person got it, or may yet get it, and nobody deleted it. An address may have been another's before.
    pub fn is_history_of(&self, person: &AppUser) -> bool {
        self.sent.is_some() && !self.hidden && self.was_for(person)
    }

    /// Whether it was sent to this person, under whatever id.
    pub fn was_for(&self, person: &AppUser) -> bool {
        self.match_result.as_ref().is_none_or(|result| person.is(result.app_user_id))
    }

    /// Whether each of several parts is confirmed.
    pub fn all_confirmed(&self, parts: u8) -> bool {
        self.external_ids.len() == usize::from(parts)
            && self.external_ids.iter().all(|id| self.confirmed.contains(&id.0))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn any_state() -> impl Strategy<Value = SendState> {
        prop_oneof![
            Just(SendState::Claimed),
            Just(SendState::Sent),
            Just(SendState::Delivered),
            Just(SendState::Failed)
        ]
    }

    proptest! {
        /// Whatever is reported, in whatever order and how often: the record enters at most one final state and stays.
        #[test]
        fn any_order_of_any_events_ends_in_at_most_one_final_state(events in prop::collection::vec(any_state(), 0..40)) {
            let mut state = SendState::Claimed;
            let mut finals = 0;
            for next in events {
                if state.may_become(next) {
                    prop_assert!(next > state);
                    state = next;
                    finals += usize::from(state.is_final());
                }
            }
            prop_assert!(finals <= 1);
        }
    }

    #[test]
    #[should_panic(expected = "along the table")]
    fn no_move_can_be_made_that_the_table_does_not_hold() {
        Move::along(SendState::Failed, SendState::Sent);
    }

    #[test]
    fn nothing_is_delivered_before_it_is_sent_and_a_failure_stays() {
        assert!(!SendState::Claimed.may_become(SendState::Delivered));
        assert!(SendState::Claimed.may_become(SendState::Failed));
        assert!(SendState::Sent.may_become(SendState::Delivered));
        assert!(!SendState::Failed.may_become(SendState::Sent));
        assert!(!SendState::Delivered.may_become(SendState::Failed));
    }
}
