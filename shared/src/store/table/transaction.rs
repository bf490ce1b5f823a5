//! Several writes that happen together or not at all.
//!
//! A transaction that collides with another writer is not an error of the caller's: it is made again. One whose answer is
//! lost is repeated under its token, by which DynamoDB knows that it made it.

use aws_sdk_dynamodb::error::SdkError;
use aws_sdk_dynamodb::operation::transact_write_items::TransactWriteItemsError;
use aws_sdk_dynamodb::types::{ConditionCheck, Delete, Put, TransactWriteItem, Update};
use serde::Serialize;

use super::change::{Expressions, ItemChange, Label};
use super::tries::Tries;
use super::{Item, Table};
use crate::store::StoreError;
use crate::store::error::aws_error;
use crate::system;

/// DynamoDB's own limit.
pub const ITEMS_LIMIT: usize = 100;

/// What became of a transaction.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Committed {
    Done,
    /// A condition did not hold: whose, as far as they have a label.
    Refused(Vec<Label>),
}

/// As DynamoDB answers one attempt.
enum Attempted {
    Ended(Committed),
    /// Another writer was at one of the items in the same moment.
    Collided,
}

#[derive(Debug, Default)]
#[must_use]
pub struct Transaction {
    writes: Vec<Write>,
    /// Why it cannot be made at all.
    fault: Option<StoreError>,
}

#[derive(Debug)]
struct Write {
    change: ItemChange,
    action: Action,
}

#[derive(Debug)]
enum Action {
    Put(Item),
    Update,
    Delete,
    Check,
}

impl Committed {
    pub fn is_done(&self) -> bool {
        *self == Self::Done
    }

    /// Whether it was refused by this condition, and maybe by others.
    pub fn is_refused_by(&self, label: Label) -> bool {
        matches!(self, Self::Refused(labels) if labels.contains(&label))
    }
}

impl Transaction {
    pub fn new() -> Self {
        Self::default()
    }

    /// Puts an item in the place of what is there.
    pub fn put<T: Serialize>(mut self, at: impl Into<ItemChange>, value: &T) -> Self {
        let change = at.into();
        match change.item(value) {
            Ok(item) => self.writes.push(Write { change, action: Action::Put(item) }),
            Err(error) => self.fault = Some(error),
        }
        self
    }

    pub fn update(self, change: ItemChange) -> Self {
        self.with(change, Action::Update)
    }

    pub fn delete(self, at: impl Into<ItemChange>) -> Self {
        self.with(at.into(), Action::Delete)
    }

    /// Holds only while a condition on an item that is not written does.
    pub fn check(self, condition: ItemChange) -> Self {
        self.with(condition, Action::Check)
    }

    fn with(mut self, change: ItemChange, action: Action) -> Self {
        self.writes.push(Write { change, action });
        self
    }

    /// Whether DynamoDB takes so many items at once.
    pub fn fits(&self) -> bool {
        self.writes.len() <= ITEMS_LIMIT
    }
}

impl Write {
    fn request(&self, table: &str) -> Result<TransactWriteItem, StoreError> {
        let Self { change, action } = self;
        let is_update = matches!(action, Action::Update);
        let Expressions { update, condition, names, values } =
            if is_update { change.update()? } else { change.condition()? };
        let key = Some(change.key.attributes());
        let item = TransactWriteItem::builder();
        let item = match action {
            Action::Put(whole) => Put::builder()
                .table_name(table)
                .set_item(Some(whole.clone()))
                .set_condition_expression(condition)
                .set_expression_attribute_names(names)
                .set_expression_attribute_values(values)
                .build()
                .map(|put| item.put(put)),
            Action::Update => Update::builder()
                .table_name(table)
                .set_key(key)
                .update_expression(update)
                .set_condition_expression(condition)
                .set_expression_attribute_names(names)
                .set_expression_attribute_values(values)
                .build()
                .map(|update| item.update(update)),
            Action::Delete => Delete::builder()
                .table_name(table)
                .set_key(key)
                .set_condition_expression(condition)
                .set_expression_attribute_names(names)
                .set_expression_attribute_values(values)
                .build()
                .map(|delete| item.delete(delete)),
            Action::Check => ConditionCheck::builder()
                .table_name(table)
                .set_key(key)
                .set_condition_expression(condition)
                .set_expression_attribute_names(names)
                .set_expression_attribute_values(values)
                .build()
                .map(|check| item.condition_check(check)),
        };
        Ok(item.map_err(|error| StoreError::unwritable(&change.key, &error))?.build())
    }
}

impl Table {
    /// Makes all of it or nothing, anew over every collision.
    pub async fn commit(&self, transaction: Transaction) -> Result<Committed, StoreError> {
        let Transaction { writes, fault } = transaction;
        if let Some(fault) = fault {
            return Err(fault);
        }
        let requests = writes.iter().map(|write| write.request(&self.name)).collect::<Result<Vec<_>, _>>()?;
        let labels: Vec<_> = writes.iter().map(|write| write.change.label).collect();
        let mut tries = Tries::default();
        loop {
            match self.attempt(requests.clone(), &labels).await? {
                Attempted::Ended(committed) => return Ok(committed),
                Attempted::Collided => tries.again().await?,
            }
        }
    }

    /// The same token over all that the SDK makes of it: a repeat of what was made is told that it was.
    async fn attempt(
        &self,
        requests: Vec<TransactWriteItem>,
        labels: &[Option<Label>],
    ) -> Result<Attempted, StoreError> {
        let request = self.client.transact_write_items().set_transact_items(Some(requests));
        let request = request.client_request_token(hex::encode(system::random::<16>()));
        let mut tries = Tries::default();
        loop {
            match request.clone().send().await {
                Ok(_) => return Ok(Attempted::Ended(Committed::Done)),
                Err(error) if is_in_progress(&error) => tries.again().await?,
                Err(error) => return cancelled(error, labels),
            }
        }
    }
}

/// An attempt of our own, whose answer was lost, is still being made.
fn is_in_progress(error: &SdkError<TransactWriteItemsError>) -> bool {
    matches!(error.as_service_error(), Some(TransactWriteItemsError::TransactionInProgressException(_)))
}

/// DynamoDB gives a reason for each item, in their order.
fn cancelled(error: SdkError<TransactWriteItemsError>, labels: &[Option<Label>]) -> Result<Attempted, StoreError> {
    let Some(TransactWriteItemsError::TransactionCanceledException(cancelled)) = error.as_service_error() else {
        return Err(aws_error("TransactWriteItems")(error));
    };
    let codes = || cancelled.cancellation_reasons().iter().map(|reason| reason.code().unwrap_or("None"));
    let is_fault = |code: &&str| !matches!(*code, "None" | "ConditionalCheckFailed" | "TransactionConflict");
    if let Some(code) = codes().find(is_fault) {
        return Err(StoreError::Aws { operation: "TransactWriteItems", code: code.to_owned() });
    }
    if codes().all(|code| code != "ConditionalCheckFailed") {
        return Ok(Attempted::Collided);
    }
    let refused = codes().zip(labels).filter(|(code, _)| *code == "ConditionalCheckFailed");
    Ok(Attempted::Ended(Committed::Refused(refused.filter_map(|(_, label)| *label).collect())))
}
