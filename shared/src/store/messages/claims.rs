//! A claim: taken, given back, and ended by whoever holds it.
//!
//! What the carrier has, and what it has not, is recorded for as long as the claim holds, whatever the table answers.

use std::collections::BTreeSet;
use std::time::Duration;

use super::sends::{SendKey, Write};
use crate::model::{
    ExternalId, FailedExchange, Failure, MatchResult, MessageWire, Move, RETENTION_DAYS, SendRecord, SendState,
    Sending, Timestamp,
};
use crate::store::table::marks::WriterMark;
use crate::store::table::tries::back_off;
use crate::store::table::{ItemChange, Written, seconds_from};
use crate::store::{Store, StoreError};
use crate::system::now;

const SENT: Move = Move::along(SendState::Claimed, SendState::Sent);
const FAILED: Move = Move::along(SendState::Claimed, SendState::Failed);
/// The deadline of a claim that was given back.
const NOBODYS: i64 = 0;

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

    /// A claim that is theirs. The mark says so alone, but for one that they gave back.
    fn holds(&self, key: &SendKey) -> ItemChange {
        ItemChange::of(&key.0).when_is("deadline", &self.deadline.millis()).when("#by = :by").marked_by(self.mark)
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
        let place = ItemChange::of(&key.0).when_absent().marked_by(claimant.mark);
        match self.table.put(place, &record).await? {
            Written::Done(_) => Ok(Write::Done(Box::new(record))),
            refused => refused.read(),
        }
    }

    /// CLAIMED → CLAIMED, from a claimant that is dead or gave up, to us. What the dead one sent, if it did, is sent once
    /// more.
    pub async fn retake(&self, key: &SendKey, old: i64, claimant: &Claimant) -> Result<Write, StoreError> {
        let taken = ItemChange::of(&key.0)
            .set("deadline", &claimant.deadline.millis())
            .when_is("state", &SendState::Claimed)
            .when_is("deadline", &old)
            .marked_by(claimant.mark);
        if old == NOBODYS {
            let retaken = self.write_send(taken).await;
            return self.or_give_back(key, claimant, retaken).await;
        }
        // Given back, it would be sent: whether it was is not for us to say.
        self.write_send(taken.set("repeated", &true)).await
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
            let _ = self.release(key, claimant, None).await;
        }
        write
    }

    /// Gives a claim back, so that the next try need not wait for its deadline, and keeps what the carrier said. Insists: left alone, what was not sent
    /// would look as if it may have been.
    pub async fn release(
        &self,
        key: &SendKey,
        claimant: &Claimant,
        failed: Option<&FailedExchange>,
    ) -> Result<Write, StoreError> {
        let held = claimant.holds(key).when_is("state", &SendState::Claimed);
        self.insist(held.set("deadline", &NOBODYS).append_if("exchanges", failed), claimant).await
    }

    /// As [`Store::release`], of what may have gone out: whoever takes it up sends it once more, and that is the last
    /// time.
    pub async fn release_to_repeat(
        &self,
        key: &SendKey,
        claimant: &Claimant,
        failed: Option<&FailedExchange>,
    ) -> Result<Write, StoreError> {
        let held = claimant.holds(key).when_is("state", &SendState::Claimed).append_if("exchanges", failed);
        self.insist(held.set("deadline", &NOBODYS).set("repeated", &true), claimant).await
    }

    /// Records one of several parts as sent, so that a crash does not send it again. The next one was not sent yet, nor
    /// repeated. Insists, as all do that record what the carrier has.
    pub async fn record_parts(
        &self,
        key: &SendKey,
        claimant: &Claimant,
        ids: &[ExternalId],
    ) -> Result<Write, StoreError> {
        let held = claimant.holds(key).when_is("state", &SendState::Claimed);
        self.insist(held.set("externalIds", ids).remove("repeated"), claimant).await
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
        let sent = claimant.holds(key).moved(SENT).set("externalIds", ids).set("sent", &now);
        self.insist(sent.set_if("matchResult", match_result).remove("deadline"), claimant).await
    }

    /// CLAIMED → FAILED.
    pub async fn mark_failed(
        &self,
        key: &SendKey,
        claimant: &Claimant,
        (failure, exchange): (&Failure, Option<&FailedExchange>),
        match_result: Option<&MatchResult>,
        now: Timestamp,
    ) -> Result<Write, StoreError> {
        let failed = claimant.holds(key).moved(FAILED).set("failure", failure).set("ended", &now);
        let failed = failed.append_if("exchanges", exchange).set_if("matchResult", match_result);
        self.insist(failed.remove("deadline"), claimant).await
    }

    /// For as long as the claim is the claimant's, whatever the table answers: what the carrier said is not forgotten for
    /// a bad moment of the table's.
    async fn insist(&self, change: ItemChange, claimant: &Claimant) -> Result<Write, StoreError> {
        let mut attempt = 0;
        loop {
            let within = claimant.time_left().max(SHORTEST_WRITE);
            let written = tokio::time::timeout(within, self.write_send(change.clone())).await;
            match written.unwrap_or_else(|_| Err(unanswered())) {
                Err(error) if error.may_pass() && !claimant.time_left().is_zero() => back_off(attempt).await,
                written => return written,
            }
            attempt += 1;
        }
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
        exchanges: Vec::new(),
        failure: None,
        answered_by: None,
        hidden: false,
        ttl: seconds_from(sending.accepted, RETENTION_DAYS),
    }
}

fn unanswered() -> StoreError {
    StoreError::Aws { operation: "UpdateItem", code: "time-out".to_owned() }
}
