//! What lies in one partition, in the order of its sort keys.

use aws_sdk_dynamodb::operation::query::builders::QueryFluentBuilder;
use aws_sdk_dynamodb::types::{AttributeValue, Select};
use serde::de::DeserializeOwned;

use super::keys::{Key, SK, TTL};
use super::{Item, Table, from_item, is_alive};
use crate::model::Timestamp;
use crate::store::StoreError;
use crate::store::error::aws_error;
use crate::system::now;

/// Items that an erasure reads at once, and then deletes in a few batches.
const PAGE: i32 = 250;

/// Oldest first and as it is now, unless it says otherwise.
#[derive(Debug, Clone, PartialEq, Eq)]
#[must_use]
pub struct Query {
    pk: String,
    sort_keys: SortKeys,
    is_newest_first: bool,
    may_lag: bool,
    limit: Option<usize>,
    after: Option<String>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum SortKeys {
    All,
    Under(String),
    /// Both included.
    Between(String, String),
}

/// Some of what was asked for, with what has run out.
#[derive(Debug)]
pub struct Page {
    pub items: Vec<Item>,
    /// The sort key after which the next page begins, if this is not the last one.
    pub last: Option<String>,
}

impl Query {
    /// All of a partition.
    pub fn of(pk: impl Into<String>) -> Self {
        Self {
            pk: pk.into(),
            sort_keys: SortKeys::All,
            is_newest_first: false,
            may_lag: false,
            limit: None,
            after: None,
        }
    }

    /// Of that, what begins with a prefix.
    pub fn under(self, prefix: impl Into<String>) -> Self {
        Self { sort_keys: SortKeys::Under(prefix.into()), ..self }
    }

    pub fn between(self, (from, to): (impl Into<String>, impl Into<String>)) -> Self {
        Self { sort_keys: SortKeys::Between(from.into(), to.into()), ..self }
    }

    pub fn newest_first(self) -> Self {
        self.in_order(true)
    }

    pub fn in_order(self, is_newest_first: bool) -> Self {
        Self { is_newest_first, ..self }
    }

    /// As it was a moment ago, maybe, at half the price.
    pub fn lagging(self) -> Self {
        Self { may_lag: true, ..self }
    }

    pub fn at_most(self, limit: usize) -> Self {
        Self { limit: Some(limit), ..self }
    }

    /// Only what comes after a sort key.
    pub fn after(self, sk: Option<&str>) -> Self {
        Self { after: sk.map(str::to_owned), ..self }
    }
}

impl Table {
    /// As many as were asked for; all where they are fewer. A page of DynamoDB's ends after 1 MiB, and may hold what has
    /// run out: it is read on.
    pub async fn query<T: DeserializeOwned>(&self, query: Query) -> Result<Vec<T>, StoreError> {
        self.items(query).await?.into_iter().map(from_item).collect()
    }

    pub async fn items(&self, mut query: Query) -> Result<Vec<Item>, StoreError> {
        let mut found = Vec::new();
        loop {
            let left = query.limit.map(|limit| limit - found.len());
            let Page { items, last } = self.page_of(&query, left).await?;
            found.extend(items.into_iter().filter(|item| is_alive(item, now())));
            if last.is_none() || query.limit.is_some_and(|limit| found.len() >= limit) {
                return Ok(found);
            }
            query.after = last;
        }
    }

    /// One page, with what has run out.
    pub async fn page(&self, query: &Query) -> Result<Page, StoreError> {
        self.page_of(query, Some(PAGE as usize)).await
    }

    async fn page_of(&self, query: &Query, limit: Option<usize>) -> Result<Page, StoreError> {
        let limit = limit.map(|limit| i32::try_from(limit).unwrap_or(i32::MAX));
        let output = self.request(query).set_limit(limit).send().await.map_err(aws_error("Query"))?;
        let last = output.last_evaluated_key.as_ref().and_then(Key::of).map(|key| key.sk);
        Ok(Page { items: output.items.unwrap_or_default(), last })
    }

    /// A page of the whole table: what lies under sort keys that begin so. For operators; no function may.
    pub async fn scan(&self, prefixes: &[&str], after: Option<&Key>) -> Result<(Vec<Item>, Option<Key>), StoreError> {
        let terms = (0..prefixes.len()).map(|n| format!("begins_with(#sk, :p{n})"));
        let request = self.client.scan().table_name(&self.name).consistent_read(true);
        let request = request
            .filter_expression(terms.collect::<Vec<_>>().join(" OR "))
            .expression_attribute_names("#sk", SK)
            .set_exclusive_start_key(after.map(Key::attributes));
        let request = prefixes.iter().enumerate().fold(request, |request, (n, prefix)| {
            request.expression_attribute_values(format!(":p{n}"), AttributeValue::S((*prefix).to_owned()))
        });
        let output = request.send().await.map_err(aws_error("Scan"))?;
        let next = output.last_evaluated_key.as_ref().and_then(Key::of);
        Ok((output.items.unwrap_or_default(), next))
    }

    /// How many there are that have not run out, as far as so many pages reach.
    pub async fn count(&self, mut query: Query, now: Timestamp, pages: &mut usize) -> Result<i64, StoreError> {
        let mut alive = 0;
        while *pages > 0 {
            *pages -= 1;
            let request = self.request(&query).select(Select::Count);
            let request = request
                .filter_expression("attribute_not_exists(#ttl) OR #ttl > :now")
                .expression_attribute_names("#ttl", TTL)
                .expression_attribute_values(":now", AttributeValue::N(now.seconds().to_string()));
            let output = request.send().await.map_err(aws_error("Query"))?;
            alive += i64::from(output.count);
            query.after = output.last_evaluated_key.as_ref().and_then(Key::of).map(|key| key.sk);
            if query.after.is_none() {
                break;
            }
        }
        Ok(alive)
    }

    fn request(&self, query: &Query) -> QueryFluentBuilder {
        let text = |text: &str| AttributeValue::S(text.to_owned());
        let start = query.after.clone().map(|sk| Key { pk: query.pk.clone(), sk }.attributes());
        let request = self
            .client
            .query()
            .table_name(&self.name)
            .expression_attribute_values(":pk", text(&query.pk))
            .scan_index_forward(!query.is_newest_first)
            .consistent_read(!query.may_lag)
            .set_exclusive_start_key(start);
        match &query.sort_keys {
            SortKeys::All => request.key_condition_expression("pk = :pk"),
            SortKeys::Under(prefix) => request
                .key_condition_expression("pk = :pk AND begins_with(sk, :prefix)")
                .expression_attribute_values(":prefix", text(prefix)),
            SortKeys::Between(from, to) => request
                .key_condition_expression("pk = :pk AND sk BETWEEN :from AND :to")
                .expression_attribute_values(":from", text(from))
                .expression_attribute_values(":to", text(to)),
        }
    }
}
