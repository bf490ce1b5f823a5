//! The table as such: items, read and written under conditions, whatever they are about.

pub mod batches;
pub mod cache;
pub mod keys;
pub mod marks;
pub mod revisions;
pub mod transaction;

use std::collections::HashMap;

use aws_sdk_dynamodb::types::AttributeValue;
use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::model::Timestamp;
use crate::store::error::{aws_error, error_code};
use crate::store::{Store, StoreError};
use crate::system::now;
use keys::Key;

pub(in crate::store) type Item = HashMap<String, AttributeValue>;

impl Store {
    pub(in crate::store) async fn get<T: DeserializeOwned>(
        &self,
        kind: &'static str,
        key: &Key,
    ) -> Result<Option<T>, StoreError> {
        self.read(kind, key, false).await
    }

    pub(in crate::store) async fn get_consistent<T: DeserializeOwned>(
        &self,
        kind: &'static str,
        key: &Key,
    ) -> Result<Option<T>, StoreError> {
        self.read(kind, key, true).await
    }

    pub(in crate::store) async fn read<T: DeserializeOwned>(
        &self,
        kind: &'static str,
        key: &Key,
        strong: bool,
    ) -> Result<Option<T>, StoreError> {
        let request = self.client.get_item().table_name(&self.table).set_key(Some(key.attributes()));
        let output = request.consistent_read(strong).send().await.map_err(aws_error("GetItem"))?;
        output.item.filter(|item| is_alive(item, now())).map(|item| from_item(kind, item)).transpose()
    }

    /// The first `limit` items of a partition between two sort keys, oldest first unless `newest_first`; all where they
    /// are fewer. A page of DynamoDB's ends after 1 MiB, and may hold what has run out: it is read on.
    pub(in crate::store) async fn query<T: DeserializeOwned>(
        &self,
        kind: &'static str,
        range: Range<'_>,
    ) -> Result<Vec<T>, StoreError> {
        let mut found = Vec::new();
        let mut start = None;
        loop {
            let left = range.limit - i32::try_from(found.len()).unwrap_or(range.limit);
            let output = self
                .client
                .query()
                .table_name(&self.table)
                .key_condition_expression("pk = :pk AND sk BETWEEN :from AND :to")
                .expression_attribute_values(":pk", AttributeValue::S(range.pk.to_owned()))
                .expression_attribute_values(":from", AttributeValue::S(range.from.to_owned()))
                .expression_attribute_values(":to", AttributeValue::S(range.to.to_owned()))
                .scan_index_forward(!range.newest_first)
                .consistent_read(range.consistent)
                .limit(left)
                .set_exclusive_start_key(start)
                .send()
                .await
                .map_err(aws_error("Query"))?;
            let alive = output.items.unwrap_or_default().into_iter().filter(|item| is_alive(item, now()));
            for item in alive {
                found.push(from_item(kind, item)?);
            }
            start = output.last_evaluated_key;
            if start.is_none() || found.len() >= usize::try_from(range.limit).unwrap_or(0) {
                return Ok(found);
            }
        }
    }

    /// Everything of a partition whose sort key begins with a prefix, page by page. For what is bounded by v1.1's own
    /// limits, or by the caller's patience.
    pub(in crate::store) async fn list<T: DeserializeOwned>(
        &self,
        kind: &'static str,
        pk: &str,
        prefix: &str,
        consistent: bool,
    ) -> Result<Vec<T>, StoreError> {
        let items = self.list_items(pk, prefix, consistent).await?;
        items.into_iter().map(|item| from_item(kind, item)).collect()
    }

    pub(in crate::store) async fn list_items(
        &self,
        pk: &str,
        prefix: &str,
        consistent: bool,
    ) -> Result<Vec<Item>, StoreError> {
        let mut found = Vec::new();
        let mut start = None;
        loop {
            let request = self.client.query().table_name(&self.table);
            let output = request
                .key_condition_expression("pk = :pk AND begins_with(sk, :prefix)")
                .expression_attribute_values(":pk", AttributeValue::S(pk.to_owned()))
                .expression_attribute_values(":prefix", AttributeValue::S(prefix.to_owned()))
                .consistent_read(consistent)
                .set_exclusive_start_key(start)
                .send()
                .await
                .map_err(aws_error("Query"))?;
            found.extend(output.items.unwrap_or_default().into_iter().filter(|item| is_alive(item, now())));
            start = output.last_evaluated_key;
            if start.is_none() {
                return Ok(found);
            }
        }
    }

    /// Writes where nothing is.
    pub(in crate::store) async fn put_if_absent<T: Serialize>(
        &self,
        kind: &'static str,
        key: &Key,
        value: &T,
    ) -> Result<Written, StoreError> {
        let item = to_item(kind, key, value)?;
        let request = self.client.put_item().table_name(&self.table).set_item(Some(item));
        match request.condition_expression("attribute_not_exists(pk)").send().await {
            Ok(_) => Ok(Written::Yes),
            Err(error) if error_code(&error) == CONDITION_FAILED => Ok(Written::No),
            Err(error) => Err(aws_error("PutItem")(error)),
        }
    }

    /// Takes an item away, if it is there.
    pub(in crate::store) async fn delete(&self, key: &Key) -> Result<(), StoreError> {
        let request = self.client.delete_item().table_name(&self.table).set_key(Some(key.attributes()));
        request.send().await.map_err(aws_error("DeleteItem"))?;
        Ok(())
    }

    /// Takes an item away and says whether it was there. A transaction, for all that it is one: of an item that is gone
    /// nothing says who took it.
    pub(in crate::store) async fn take_away(&self, key: &Key) -> Result<Written, StoreError> {
        let there = transaction::Change::of(key, "").when("attribute_exists(pk)");
        let refused = self.commit(|| transaction::Transaction::new().delete(self, there.clone())).await?;
        Ok(if refused.is_empty() { Written::Yes } else { Written::No })
    }

    /// One conditional update; `None` when its condition does not hold, else the item as it now is.
    pub(in crate::store) async fn change<T: DeserializeOwned>(
        &self,
        kind: &'static str,
        change: transaction::Change,
    ) -> Result<Option<T>, StoreError> {
        match change.write(self).await? {
            Some(item) => Ok(Some(from_item(kind, item)?)),
            None => Ok(None),
        }
    }

    pub(in crate::store) async fn put<T: Serialize>(
        &self,
        kind: &'static str,
        key: &Key,
        value: &T,
    ) -> Result<(), StoreError> {
        let item = to_item(kind, key, value)?;
        let request = self.client.put_item().table_name(&self.table).set_item(Some(item));
        request.send().await.map_err(aws_error("PutItem"))?;
        Ok(())
    }
}

pub(in crate::store) const CONDITION_FAILED: &str = "ConditionalCheckFailedException";

/// Whether a conditional write of one item went through.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::store) enum Written {
    Yes,
    No,
}

pub(in crate::store) struct Range<'a> {
    pub pk: &'a str,
    pub from: &'a str,
    pub to: &'a str,
    pub newest_first: bool,
    pub consistent: bool,
    pub limit: i32,
}

pub(in crate::store) fn to_item<T: Serialize>(kind: &'static str, key: &Key, value: &T) -> Result<Item, StoreError> {
    let mut item: Item = serde_dynamo::to_item(value).map_err(|_| StoreError::Unreadable(kind))?;
    item.extend(key.attributes());
    Ok(item)
}

pub(in crate::store) fn from_item<T: DeserializeOwned>(kind: &'static str, item: Item) -> Result<T, StoreError> {
    serde_dynamo::from_item(item).map_err(|_| StoreError::Unreadable(kind))
}

/// DynamoDB may take up to two days to drop what has run out; until then it is not there for us either.
pub(in crate::store) fn is_alive(item: &Item, now: Timestamp) -> bool {
    let ends = item.get(keys::TTL).and_then(|ttl| ttl.as_n().ok()).and_then(|ttl| ttl.parse::<i64>().ok());
    ends.is_none_or(|ends| ends > now.seconds())
}

pub(in crate::store) fn seconds_from(now: Timestamp, days: i64) -> i64 {
    now.seconds() + days * 86_400
}
