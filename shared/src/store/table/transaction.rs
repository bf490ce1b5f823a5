//! Several writes that happen together or not at all.
//!
//! A transaction that collides with another writer is not an error of the caller's: it reads again and tries again. One
//! whose answer is lost is repeated under its token, by which DynamoDB knows that it made it.

use std::collections::HashMap;
use std::time::Duration;

use aws_sdk_dynamodb::error::SdkError;
use aws_sdk_dynamodb::operation::put_item::PutItemError;
use aws_sdk_dynamodb::operation::transact_write_items::TransactWriteItemsError;
use aws_sdk_dynamodb::operation::update_item::UpdateItemError;
use aws_sdk_dynamodb::types::{
    AttributeValue, ConditionCheck, Delete, Put, ReturnValue, ReturnValuesOnConditionCheckFailure, TransactWriteItem,
    Update,
};
use serde::Serialize;

use super::keys::Key;
use super::marks::{self, WriterMark};
use super::{Item, Written, to_item};
use crate::ids::AppUserId;
use crate::store::error::aws_error;
use crate::store::{Store, StoreError};
use crate::system;

/// How often a transaction is tried anew over what other writers left.
pub const TRIES: u32 = 12;

/// DynamoDB's own limit.
pub(in crate::store) const ITEMS_LIMIT: usize = 100;

/// What became of a transaction.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outcome {
    Done,
    /// A condition did not hold: which items', by their position.
    Refused(Vec<usize>),
    /// Another writer was at one of the items in the same moment.
    Collided,
}

#[derive(Default)]
pub struct Transaction {
    items: Vec<TransactWriteItem>,
    unwritable: bool,
}

/// An update, deletion or check of one item.
#[derive(Clone)]
pub struct Change {
    key: Key,
    expression: String,
    condition: Option<String>,
    names: HashMap<String, String>,
    values: HashMap<String, AttributeValue>,
    mark: Option<WriterMark>,
    unwritable: bool,
}

impl Change {
    /// `expression` as DynamoDB's `UpdateExpression`; for a deletion or a check it stays empty.
    pub fn of(key: &Key, expression: impl Into<String>) -> Self {
        Self {
            key: key.clone(),
            expression: expression.into(),
            condition: None,
            names: HashMap::new(),
            values: HashMap::new(),
            mark: None,
            unwritable: false,
        }
    }

    pub fn when(self, condition: impl Into<String>) -> Self {
        Self { condition: Some(condition.into()), ..self }
    }

    pub fn name(mut self, placeholder: impl Into<String>, name: impl Into<String>) -> Self {
        self.names.insert(placeholder.into(), name.into());
        self
    }

    pub fn value<T: Serialize>(mut self, placeholder: impl Into<String>, value: &T) -> Self {
        match serde_dynamo::to_attribute_value(value) {
            Ok(value) => {
                self.values.insert(placeholder.into(), value);
            }
            Err(_) => self.unwritable = true,
        }
        self
    }

    /// For a change that ends its own condition and is written alone: its expression sets `#by = :by`.
    pub fn marked(mut self) -> Self {
        let mark = WriterMark::draw();
        WriterMark::name_it(&mut self.names);
        self.values.insert(marks::VALUE.to_owned(), mark.value());
        Self { mark: Some(mark), ..self }
    }

    /// Writes it alone; `None` when its condition does not hold, else the item as it now is.
    pub(in crate::store) async fn write(self, store: &Store) -> Result<Option<Item>, StoreError> {
        if self.unwritable {
            return Err(StoreError::Unreadable("update"));
        }
        let update = store
            .client
            .update_item()
            .table_name(&store.table)
            .set_key(Some(self.key.attributes()))
            .update_expression(self.expression.as_str())
            .set_condition_expression(self.condition.clone())
            .set_expression_attribute_names(self.names())
            .set_expression_attribute_values(self.values())
            .return_values(ReturnValue::AllNew)
            .return_values_on_condition_check_failure(ReturnValuesOnConditionCheckFailure::AllOld);
        let error = match update.send().await {
            Ok(output) => return Ok(output.attributes),
            Err(error) => error,
        };
        match error.as_service_error() {
            Some(UpdateItemError::ConditionalCheckFailedException(refusal)) => {
                let is_ours = self.mark.is_some_and(|mark| mark.is_on(refusal.item()));
                Ok(refusal.item.clone().filter(|_| is_ours))
            }
            _ => Err(aws_error("UpdateItem")(error)),
        }
    }

    /// Puts a value in the item's place, alone, if the condition holds on what is there.
    pub(in crate::store) async fn put<T: Serialize>(
        self,
        store: &Store,
        kind: &'static str,
        value: &T,
    ) -> Result<Written, StoreError> {
        if self.unwritable {
            return Err(StoreError::Unreadable(kind));
        }
        let (mut item, mark) = (to_item(kind, &self.key, value)?, WriterMark::draw());
        mark.put_on(&mut item);
        let put = store
            .client
            .put_item()
            .table_name(&store.table)
            .set_item(Some(item))
            .set_condition_expression(self.condition.clone())
            .set_expression_attribute_names(self.names())
            .set_expression_attribute_values(self.values())
            .return_values_on_condition_check_failure(ReturnValuesOnConditionCheckFailure::AllOld);
        let error = match put.send().await {
            Ok(_) => return Ok(Written::Yes),
            Err(error) => error,
        };
        match error.as_service_error() {
            Some(PutItemError::ConditionalCheckFailedException(refusal)) => {
                Ok(if mark.is_on(refusal.item()) { Written::Yes } else { Written::No })
            }
            _ => Err(aws_error("PutItem")(error)),
        }
    }

    fn names(&self) -> Option<HashMap<String, String>> {
        (!self.names.is_empty()).then(|| self.names.clone())
    }

    fn values(&self) -> Option<HashMap<String, AttributeValue>> {
        (!self.values.is_empty()).then(|| self.values.clone())
    }
}

impl Transaction {
    pub fn new() -> Self {
        Self::default()
    }

    /// Puts an item, whatever was there.
    pub fn put<T: Serialize>(self, store: &Store, key: &Key, value: &T) -> Self {
        self.replace(store, Change::of(key, ""), value)
    }

    /// Puts an item where there is none.
    pub fn put_absent<T: Serialize>(self, store: &Store, key: &Key, value: &T) -> Self {
        self.replace(store, Change::of(key, "").when("attribute_not_exists(pk)"), value)
    }

    /// Puts a match in the place of one that belongs to `owner`.
    pub fn put_owned<T: Serialize>(self, store: &Store, key: &Key, value: &T, owner: AppUserId) -> Self {
        self.replace(store, Change::of(key, "").when("appUserId = :owner").value(":owner", &owner), value)
    }

    /// Puts an item under a condition on the one it replaces.
    pub fn replace<T: Serialize>(mut self, store: &Store, change: Change, value: &T) -> Self {
        let put = to_item("transaction", &change.key, value).ok().and_then(|item| {
            Put::builder()
                .table_name(&store.table)
                .set_item(Some(item))
                .set_condition_expression(change.condition.clone())
                .set_expression_attribute_names(change.names())
                .set_expression_attribute_values(change.values())
                .build()
                .ok()
        });
        let put = put.filter(|_| !change.unwritable);
        self.push(put.map(|put| TransactWriteItem::builder().put(put).build()));
        self
    }

    pub fn update(mut self, store: &Store, change: Change) -> Self {
        let update = Update::builder()
            .table_name(&store.table)
            .set_key(Some(change.key.attributes()))
            .update_expression(change.expression.as_str())
            .set_condition_expression(change.condition.clone())
            .set_expression_attribute_names(change.names())
            .set_expression_attribute_values(change.values())
            .build();
        let update = update.ok().filter(|_| !change.unwritable);
        self.push(update.map(|update| TransactWriteItem::builder().update(update).build()));
        self
    }

    /// Deletes an item under a condition on it.
    pub fn delete(mut self, store: &Store, change: Change) -> Self {
        let delete = Delete::builder()
            .table_name(&store.table)
            .set_key(Some(change.key.attributes()))
            .set_condition_expression(change.condition.clone())
            .set_expression_attribute_names(change.names())
            .set_expression_attribute_values(change.values())
            .build();
        let delete = delete.ok().filter(|_| !change.unwritable);
        self.push(delete.map(|delete| TransactWriteItem::builder().delete(delete).build()));
        self
    }

    /// Holds only while a condition on an item that is not written does.
    pub fn check(mut self, store: &Store, change: Change) -> Self {
        let check = ConditionCheck::builder()
            .table_name(&store.table)
            .set_key(Some(change.key.attributes()))
            .set_condition_expression(change.condition.clone())
            .set_expression_attribute_names(change.names())
            .set_expression_attribute_values(change.values())
            .build();
        let check = check.ok().filter(|_| !change.unwritable);
        self.push(check.map(|check| TransactWriteItem::builder().condition_check(check).build()));
        self
    }

    fn push(&mut self, item: Option<TransactWriteItem>) {
        match item {
            Some(item) => self.items.push(item),
            None => self.unwritable = true,
        }
    }

    /// Whether DynamoDB takes so many items at once.
    pub fn fits(&self) -> bool {
        self.items.len() <= ITEMS_LIMIT
    }

    /// The same token over all attempts: a repeat of what was made is told that it was.
    pub async fn commit(self, store: &Store) -> Result<Outcome, StoreError> {
        if self.unwritable {
            return Err(StoreError::Unreadable("transaction"));
        }
        let request = store.client.transact_write_items().set_transact_items(Some(self.items));
        let request = request.client_request_token(hex::encode(system::random::<16>()));
        for attempt in 0..TRIES {
            match request.clone().send().await {
                Ok(_) => return Ok(Outcome::Done),
                Err(error) if is_in_progress(&error) => back_off(attempt).await,
                Err(error) => return cancelled(error),
            }
        }
        Err(StoreError::Contended)
    }
}

/// An attempt of our own, whose answer was lost, is still being made.
fn is_in_progress(error: &SdkError<TransactWriteItemsError>) -> bool {
    matches!(error.as_service_error(), Some(TransactWriteItemsError::TransactionInProgressException(_)))
}

fn cancelled(error: SdkError<TransactWriteItemsError>) -> Result<Outcome, StoreError> {
    let Some(TransactWriteItemsError::TransactionCanceledException(cancelled)) = error.as_service_error() else {
        return Err(aws_error("TransactWriteItems")(error));
    };
    let reasons = cancelled.cancellation_reasons();
    let code = |index: usize| reasons.get(index).and_then(|reason| reason.code()).unwrap_or("None");
    let refused: Vec<usize> = (0..reasons.len()).filter(|index| code(*index) == "ConditionalCheckFailed").collect();
    let fault = (0..reasons.len())
        .map(code)
        .find(|code| !matches!(*code, "None" | "ConditionalCheckFailed" | "TransactionConflict"));
    match fault {
        Some(code) => Err(StoreError::Aws { operation: "TransactWriteItems", code: code.to_owned() }),
        None if refused.is_empty() => Ok(Outcome::Collided),
        None => Ok(Outcome::Refused(refused)),
    }
}

impl Store {
    /// Commits what `writes` makes, anew over every collision. Which items refused; none when it is done.
    pub(in crate::store) async fn commit(&self, writes: impl Fn() -> Transaction) -> Result<Vec<usize>, StoreError> {
        for attempt in 0..TRIES {
            match writes().commit(self).await? {
                Outcome::Done => return Ok(Vec::new()),
                Outcome::Refused(items) => return Ok(items),
                Outcome::Collided => back_off(attempt).await,
            }
        }
        Err(StoreError::Contended)
    }
}

/// Between two tries of what collided: 5 ms and growing, spread so that those who collided do not meet again.
pub async fn back_off(attempt: u32) {
    let longest = 5_u64 << attempt.min(6);
    tokio::time::sleep(Duration::from_millis(longest).mul_f64(0.5 + system::jitter() / 2.0)).await;
}
