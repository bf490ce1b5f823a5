//! The record of a send: its claim, its state and, of a notification, its place in `recentNotifications` are one item.
//!
//! ABSENT → CLAIMED(deadline) → SENT(external ids) → DELIVERED, or FAILED from CLAIMED or SENT. One conditional write per
//! arrow, and every write answers either with the new record or with the one that stood in its way. What stood in its way
//! may be itself, made before its answer was lost: then it counts as made. The arrows from CLAIMED are in [`claims`].
//!
//! [`claims`]: super::claims

use crate::model::{ExternalId, FailedExchange, Failure, Move, SendRecord, SendState, Subject, Timestamp};
use crate::store::table::keys::{AddressPartition, Key, Timed};
use crate::store::table::{ItemChange, Query, Written};
use crate::store::{Store, StoreError};

const DELIVERED: Move = Move::along(SendState::Sent, SendState::Delivered);
const LOST: Move = Move::along(SendState::Sent, SendState::Failed);

/// Names a record.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SendKey(pub(in crate::store) Key);

impl SendKey {
    pub fn new(partition: &AddressPartition, accepted: Timestamp, subject: Subject) -> Self {
        Self(partition.send(accepted, subject))
    }
}

/// What a conditional write came to: the record as it now is, or the one that stands.
pub type Write = Written<Box<SendRecord>>;

/// Whether a receipt is about the only carrier message of a send or about one of several.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Part {
    Only,
    OneOf(u8),
}

impl Store {
    /// SENT → DELIVERED; or, for one of several parts, notes the confirmation and stays SENT until all are in.
    pub async fn confirm(
        &self,
        key: &SendKey,
        part: Part,
        id: &ExternalId,
        now: Timestamp,
    ) -> Result<Write, StoreError> {
        let Part::OneOf(parts) = part else {
            return self.mark_delivered(key, now).await;
        };
        let noted = ItemChange::of(&key.0).add_text("confirmed", &id.0).when_is("state", &SendState::Sent);
        let noted = self.write_send(noted.marked()).await?;
        match &noted {
            Write::Done(record) if record.all_confirmed(parts) => self.mark_delivered(key, now).await,
            _ => Ok(noted),
        }
    }

    async fn mark_delivered(&self, key: &SendKey, now: Timestamp) -> Result<Write, StoreError> {
        self.write_send(ItemChange::of(&key.0).moved(DELIVERED).set("ended", &now).marked()).await
    }

    /// SENT → FAILED, when the carrier reports that one of the messages it took will not arrive.
    pub async fn fail_sent(
        &self,
        key: &SendKey,
        id: &ExternalId,
        (failure, exchange): (&Failure, Option<&FailedExchange>),
        now: Timestamp,
    ) -> Result<Write, StoreError> {
        let failed = ItemChange::of(&key.0).moved(LOST).set("failure", failure).set("ended", &now);
        let failed = failed.append_if("exchanges", exchange);
        self.write_send(failed.when("contains(#externalIds, :id)").value(":id", id).marked()).await
    }

    pub(super) async fn write_send(&self, change: ItemChange) -> Result<Write, StoreError> {
        self.table.update(change).await?.read()
    }

    /// The newest records of an address accepted since a moment, oldest first.
    pub(super) async fn notifications_since(
        &self,
        partition: &AddressPartition,
        since: Timestamp,
        limit: usize,
    ) -> Result<Vec<SendRecord>, StoreError> {
        let since = Query::of(&partition.pk).between(Timed::Notification.between(since, Timed::LATEST));
        let mut records: Vec<SendRecord> = self.table.query(since.newest_first().at_most(limit)).await?;
        records.reverse();
        Ok(records)
    }
}

impl ItemChange {
    /// Along one arrow of the table of moves, and only from where it begins.
    pub(super) fn moved(self, along: Move) -> Self {
        self.when_is("state", &along.from()).set("state", &along.to())
    }
}
