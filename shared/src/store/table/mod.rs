//! The table as such: items, read and written under conditions, whatever they are about.

pub mod batches;
pub mod cache;
pub mod change;
pub mod keys;
pub mod marks;
pub mod query;
pub mod revisions;
pub mod transaction;
pub mod tries;

use std::collections::HashMap;

use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::operation::put_item::PutItemError;
use aws_sdk_dynamodb::operation::update_item::UpdateItemError;
use aws_sdk_dynamodb::types::{AttributeValue, ReturnValue, ReturnValuesOnConditionCheckFailure as OnRefusal};
use serde::Serialize;
use serde::de::{DeserializeOwned, IgnoredAny};

use super::StoreError;
use super::error::aws_error;
use crate::model::Timestamp;
use crate::system::now;
use change::Expressions;
use keys::Key;
use marks::WriterMark;

pub use change::{ItemChange, Label};
pub use query::{Page, Query};
pub use transaction::{Committed, Transaction};
pub use tries::Tries;

pub type Item = HashMap<String, AttributeValue>;

/// Clone is cheap.
#[derive(Debug, Clone)]
pub struct Table {
    client: Client,
    name: String,
}

/// What a conditional write of one item came to.
#[derive(Debug, Clone, PartialEq)]
pub enum Written<T> {
    /// Written; the item as it now is.
    Done(T),
    /// The condition did not hold; the item that stands, if any.
    Refused(Option<T>),
}

impl<T> Written<T> {
    pub fn is_done(&self) -> bool {
        matches!(self, Self::Done(_))
    }

    pub fn done(self) -> Option<T> {
        match self {
            Self::Done(item) => Some(item),
            Self::Refused(_) => None,
        }
    }
}

impl Written<Item> {
    /// What stood in the way may be our own doing, which is then done.
    fn refused(found: Option<&Item>, mark: Option<WriterMark>) -> Self {
        let found = found.filter(|item| !item.is_empty()).cloned();
        match found {
            Some(item) if mark.is_some_and(|mark| mark.is_on(Some(&item))) => Self::Done(item),
            found => Self::Refused(found),
        }
    }

    pub fn read<T: DeserializeOwned>(self) -> Result<Written<T>, StoreError> {
        Ok(match self {
            Self::Done(item) => Written::Done(from_item(item)?),
            Self::Refused(found) => Written::Refused(found.map(from_item).transpose()?),
        })
    }
}

impl Table {
    pub fn new(client: Client, name: String) -> Self {
        Self { client, name }
    }

    /// As it is now.
    pub async fn get<T: DeserializeOwned>(&self, key: &Key) -> Result<Option<T>, StoreError> {
        self.read(key, true).await
    }

    /// As it was a moment ago, maybe, at half the price.
    pub async fn get_lagging<T: DeserializeOwned>(&self, key: &Key) -> Result<Option<T>, StoreError> {
        self.read(key, false).await
    }

    pub async fn is_there(&self, key: &Key) -> Result<bool, StoreError> {
        Ok(self.get::<IgnoredAny>(key).await?.is_some())
    }

    async fn read<T: DeserializeOwned>(&self, key: &Key, consistent: bool) -> Result<Option<T>, StoreError> {
        let request = self.client.get_item().table_name(&self.name).set_key(Some(key.attributes()));
        let output = request.consistent_read(consistent).send().await.map_err(aws_error("GetItem"))?;
        output.item.filter(|item| is_alive(item, now())).map(from_item).transpose()
    }

    /// One update, written alone.
    pub async fn update(&self, change: ItemChange) -> Result<Written<Item>, StoreError> {
        let Expressions { update, condition, names, values } = change.update()?;
        let request = self.client.update_item().table_name(&self.name).set_key(Some(change.key.attributes()));
        let request = request
            .update_expression(update)
            .set_condition_expression(condition)
            .set_expression_attribute_names(names)
            .set_expression_attribute_values(values)
            .return_values(ReturnValue::AllNew)
            .return_values_on_condition_check_failure(OnRefusal::AllOld);
        match request.send().await {
            Ok(output) => Ok(Written::Done(output.attributes.unwrap_or_default())),
            Err(error) => match error.as_service_error() {
                Some(UpdateItemError::ConditionalCheckFailedException(refusal)) => {
                    Ok(Written::refused(refusal.item(), change.mark))
                }
                _ => Err(aws_error("UpdateItem")(error)),
            },
        }
    }

    /// Puts an item in the place of what is there, alone.
    pub async fn put<T: Serialize>(&self, at: impl Into<ItemChange>, value: &T) -> Result<Written<Item>, StoreError> {
        let change = at.into();
        let item = change.item(value)?;
        let Expressions { condition, names, values, .. } = change.condition()?;
        let request = self.client.put_item().table_name(&self.name).set_item(Some(item.clone()));
        let request = request
            .set_condition_expression(condition)
            .set_expression_attribute_names(names)
            .set_expression_attribute_values(values)
            .return_values_on_condition_check_failure(OnRefusal::AllOld);
        match request.send().await {
            Ok(_) => Ok(Written::Done(item)),
            Err(error) => match error.as_service_error() {
                Some(PutItemError::ConditionalCheckFailedException(refusal)) => {
                    Ok(Written::refused(refusal.item(), change.mark))
                }
                _ => Err(aws_error("PutItem")(error)),
            },
        }
    }

    /// Takes an item away, if it is there.
    pub async fn delete(&self, key: &Key) -> Result<(), StoreError> {
        let request = self.client.delete_item().table_name(&self.name).set_key(Some(key.attributes()));
        request.send().await.map_err(aws_error("DeleteItem"))?;
        Ok(())
    }

    /// Takes an item away under a condition, and says whether it held. A transaction, for all that it is one: of an item
    /// that is gone nothing says who took it.
    pub async fn take_away(&self, condition: ItemChange) -> Result<bool, StoreError> {
        Ok(self.commit(Transaction::new().delete(condition)).await?.is_done())
    }
}

pub fn from_item<T: DeserializeOwned>(item: Item) -> Result<T, StoreError> {
    let key = Key::of(&item);
    serde_dynamo::from_item(item).map_err(|error| StoreError::unreadable(key.as_ref(), &error))
}

/// DynamoDB may take up to two days to drop what has run out; until then it is not there for us either.
fn is_alive(item: &Item, now: Timestamp) -> bool {
    let ends = item.get(keys::TTL).and_then(|ttl| ttl.as_n().ok()).and_then(|ttl| ttl.parse::<i64>().ok());
    ends.is_none_or(|ends| ends > now.seconds())
}

pub fn seconds_from(now: Timestamp, days: i64) -> i64 {
    now.seconds() + days * 86_400
}
