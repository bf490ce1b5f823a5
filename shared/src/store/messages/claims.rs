//! A claim: taken, given back, and ended by whoever holds it.
//!
//! What the carrier has, and what it has not, is recorded for as long as the claim holds, whatever the table answers.

use std::collections::BTreeSet;
use std::time::Duration;

use aws_sdk_dynamodb::operation::put_item::PutItemError;
use aws_sdk_dynamodb::types::ReturnValuesOnConditionCheckFailure;

use super::sends::{SendKey, Update, Write, refused};
use crate::model::{
    ExternalId, Failure, MatchResult, MessageWire, RETENTION_DAYS, SendRecord, SendState, Sending, Timestamp,
};
use crate::store::error::aws_error;
use crate::store::table::marks::WriterMark;
use crate::store::table::transaction::back_off;
use crate::store::table::{seconds_from, to_item};
use crate::store::{Store, StoreError};
use crate::system::now;

/// Milliseconds before a claim's deadline at which its holder gives up: clocks differ, and what the holder did must be
/// told yet.
const LAST_MOMENT: i64 = 2_000;
/// Whatever is left of a claim, a write gets this long.
const SHORTEST_WRITE: Duration = Duration::from_millis(500);

/// Who holds a claim, or is about to. All their writes bear one mark: they come one after the other, and each leads to a
/// state in which the next one's condition holds.
#[derive(Debug, Clone, Copy)]
pub struct Claimant {
    mark: WriterMark,
    /// Until when the claim is theirs.
    pub deadline: Timestamp,
}

impl Claimant {
    pub fn until(deadline: Timestamp) -> Self {
        Self { mark: WriterMark::draw(), deadline }
    }

    fn time_left(&self) -> Duration {
        let left = self.deadline.millis() - LAST_MOMENT - now().millis();
        Duration::from_millis(u64::try_from(left).unwrap_or(0))
    }
}

impl Store {
    /// ABSENT → CLAIMED.
    pub async fn claim(&self, key: &SendKey, sending: &Sending, claimant: &Claimant) -> Result<Write, StoreError> {
        let claimed = self.put_claim(key, sending, claimant).await;
        self.or_give_back(key, claimant, claimed).await
    }

    async fn put_claim(&self, key: &SendKey, sending: &Sending, claimant: &Claimant) -> Result<Write, StoreError> {
        let record = claimed(sending, claimant.deadline);
        let mut item = to_item("send record", &key.0, &record)?;
        claimant.mark.put_on(&mut item);
        let put = self
            .client
            .put_item()
            .table_name(&self.table)
            .set_item(Some(item))
            .condition_expression("attribute_not_exists(pk)")
            .return_values_on_condition_check_failure(ReturnValuesOnConditionCheckFailure::AllOld);
        match put.send().await {
            Ok(_) => Ok(Write::Done(Box::new(record))),
            Err(error) => match error.as_service_error() {
                Some(PutItemError::ConditionalCheckFailedException(refusal)) => refused(refusal.item(), claimant.mark),
                _ => Err(aws_error("PutItem")(error)),
            },
        }
    }

    /// CLAIMED → CLAIMED, from a claimant that is dead or gave up, to us. What the dead one sent, if it did, is sent once
    /// more.
    pub async fn retake(&self, key: &SendKey, old: i64, claimant: &Claimant) -> Result<Write, StoreError> {
        let set = match old {
            0 => "SET #by = :by, deadline = :deadline",
            _ => "SET #by = :by, deadline = :deadline, repeated = :yes",
        };
        let retaken = Update::of(key, claimant.mark, set)
            .when("#state = :claimed AND deadline = :old")
            .state(":claimed", SendState::Claimed)
            .number(":old", old)
            .number(":deadline", claimant.deadline.millis());
        let retaken = if old == 0 { retaken } else { retaken.value(":yes", &true)? }.write(self).await;
        match old {
            0 => self.or_give_back(key, claimant, retaken).await,
            // Given back, it would be sent: whether it was is not for us to say.
            _ => retaken,
        }
    }

    /// A claim that may have been made and may not, of what was not sent since, is given back: left alone it would look
    /// like a sender's that died.
    async fn or_give_back(
        &self,
        key: &SendKey,
        claimant: &Claimant,
        write: Result<Write, StoreError>,
    ) -> Result<Write, StoreError> {
        if write.as_ref().is_err_and(StoreError::may_pass) {
            let _ = self.release(key, claimant).await;
        }
        write
    }

    /// Gives a claim back, so that the next try need not wait for its deadline. Insists: left alone, what was not sent
    /// would look as if it may have been.
    pub async fn release(&self, key: &SendKey, claimant: &Claimant) -> Result<Write, StoreError> {
        Update::held(key, claimant, "SET #by = :by, deadline = :nobodys")
            .number(":nobodys", 0)
            .insist(self, claimant)
            .await
    }

    /// As [`Store::release`], of what may have gone out: whoever takes it up sends it once more, and that is the last
    /// time.
    pub async fn release_to_repeat(&self, key: &SendKey, claimant: &Claimant) -> Result<Write, StoreError> {
        Update::held(key, claimant, "SET #by = :by, deadline = :nobodys, repeated = :yes")
            .number(":nobodys", 0)
            .value(":yes", &true)?
            .insist(self, claimant)
            .await
    }

    /// Records one of several parts as sent, so that a crash does not send it again. The next one was not sent yet, nor
    /// repeated. Insists, as all do that record what the carrier has.
    pub async fn record_parts(
        &self,
        key: &SendKey,
        claimant: &Claimant,
        ids: &[ExternalId],
    ) -> Result<Write, StoreError> {
        Update::held(key, claimant, "SET #by = :by, externalIds = :ids REMOVE repeated")
            .value(":ids", &ids)?
            .insist(self, claimant)
            .await
    }

    /// CLAIMED → SENT.
    pub async fn mark_sent(
        &self,
        key: &SendKey,
        claimant: &Claimant,
        ids: &[ExternalId],
        match_result: Option<&MatchResult>,
        now: Timestamp,
    ) -> Result<Write, StoreError> {
        let set = match match_result {
            Some(_) => {
                "SET #by = :by, #state = :sent, externalIds = :ids, sent = :now, matchResult = :match REMOVE deadline"
            }
            None => "SET #by = :by, #state = :sent, externalIds = :ids, sent = :now REMOVE deadline",
        };
        let update = Update::held(key, claimant, set)
            .state(":sent", SendState::Sent)
            .value(":ids", &ids)?
            .value(":now", &now)?;
        let update = match match_result {
            Some(result) => update.value(":match", result)?,
            None => update,
        };
        update.insist(self, claimant).await
    }

    /// CLAIMED → FAILED.
    pub async fn mark_failed(
        &self,
        key: &SendKey,
        claimant: &Claimant,
        failure: &Failure,
        match_result: Option<&MatchResult>,
        now: Timestamp,
    ) -> Result<Write, StoreError> {
        let set = match match_result {
            Some(_) => {
                "SET #by = :by, #state = :failed, failure = :failure, ended = :now, matchResult = :match REMOVE deadline"
            }
            None => "SET #by = :by, #state = :failed, failure = :failure, ended = :now REMOVE deadline",
        };
        let update = Update::held(key, claimant, set)
            .state(":failed", SendState::Failed)
            .value(":failure", failure)?
            .value(":now", &now)?;
        let update = match match_result {
            Some(result) => update.value(":match", result)?,
            None => update,
        };
        update.insist(self, claimant).await
    }
}

fn claimed(sending: &Sending, deadline: Timestamp) -> SendRecord {
    SendRecord {
        subject: sending.subject,
        state: SendState::Claimed,
        deadline: Some(deadline.millis()),
        repeated: false,
        accepted: sending.accepted,
        message: MessageWire::from(&sending.message),
        author: sending.author.clone(),
        external_ids: Vec::new(),
        confirmed: BTreeSet::new(),
        match_result: None,
        sent: None,
        ended: None,
        failure: None,
        answered_by: None,
        hidden: false,
        ttl: seconds_from(sending.accepted, RETENTION_DAYS),
    }
}

impl<'a> Update<'a> {
    /// Of a claim that is the claimant's. The mark says so alone, but for a claim that they gave back.
    fn held(key: &'a SendKey, claimant: &Claimant, expression: &'static str) -> Self {
        Self::of(key, claimant.mark, expression)
            .when("#state = :claimed AND deadline = :mine AND #by = :by")
            .state(":claimed", SendState::Claimed)
            .number(":mine", claimant.deadline.millis())
    }

    /// For as long as the claim is the claimant's, whatever the table answers: what the carrier said is not forgotten for
    /// a bad moment of the table's.
    async fn insist(&self, store: &Store, claimant: &Claimant) -> Result<Write, StoreError> {
        for attempt in 0.. {
            let within = claimant.time_left().max(SHORTEST_WRITE);
            let written = tokio::time::timeout(within, self.write(store)).await.unwrap_or_else(|_| Err(unanswered()));
            match written {
                Err(error) if error.may_pass() && !claimant.time_left().is_zero() => back_off(attempt).await,
                written => return written,
            }
        }
        Err(unanswered())
    }
}

fn unanswered() -> StoreError {
    StoreError::Aws { operation: "UpdateItem", code: "time-out".to_owned() }
}
