//! The table: concrete, typed access, one file per kind of item.
//!
//! Does not decide anything: conditions are written here, what follows from them is `flow`'s. Reads of settings
//! (keys, apps, integrations, webhooks) are cached in the warm function for at most 30 seconds; nothing else is.

mod apps;
mod batches;
mod cache;
mod claims;
mod clients;
mod conversations;
mod counting;
mod credentials;
mod erasure;
mod integrations;
pub mod keys;
mod links;
mod marks;
mod matches;
mod menus;
mod merges;
mod order;
mod orphans;
mod outbox;
mod parked;
mod replies;
mod revisions;
mod sends;
mod service_accounts;
mod templates;
mod transaction;
mod users;
mod webhooks;

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::error::{ProvideErrorMetadata, SdkError};
use aws_sdk_dynamodb::types::AttributeValue;
use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::config::{self, ConfigError};
use crate::ids::{AppId, IntegrationId, KeyId};
use crate::model::{ApiKey, App, Integration, Timestamp, Webhook};
use crate::secrets::Sealer;
use cache::Cache;
use keys::Key;

pub use claims::Claimant;
pub use conversations::{Conversation, Found, History, Posted, Side, StoredMessage, Stretch};
pub use credentials::{Creation, KEY_LIMIT};
pub use erasure::{HistoryPage, HistoryPart, Leaving, PeopleWalk, Walked};
pub use links::{Beginning, Begun};
pub use matches::{MatchItem, NewClient};
pub use menus::{MenuPlace, MenuWritten};
pub use merges::Merged;
pub use orphans::Orphans;
pub use parked::Parked;
pub use replies::{ReplyOutcome, ReplyWrite};
pub use sends::{Part, SendKey, Write};
pub use templates::TemplateChanged;

type Item = HashMap<String, AttributeValue>;

#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    #[error("DynamoDB {operation} failed: {code}")]
    Aws { operation: &'static str, code: String },
    #[error("an item of kind {0} cannot be read")]
    Unreadable(&'static str),
    #[error(transparent)]
    Unopenable(#[from] crate::secrets::Unopenable),
    #[error("other writers kept changing the same item")]
    Contended,
}

/// What DynamoDB says of a request that it will refuse whenever it is made.
const REFUSED_FOR_GOOD: [&str; 3] = ["ValidationException", "AccessDeniedException", "ResourceNotFoundException"];

impl StoreError {
    /// Whether the same request may go through a moment later. It may also have been made.
    fn may_pass(&self) -> bool {
        matches!(self, Self::Aws { code, .. } if !REFUSED_FOR_GOOD.contains(&code.as_str()))
    }
}

/// Clone is cheap and shares the caches.
#[derive(Clone)]
pub struct Store {
    client: Client,
    table: String,
    sealer: Sealer,
    caches: Arc<Caches>,
}

#[derive(Default)]
struct Caches {
    keys: Cache<KeyId, ApiKey>,
    apps: Cache<AppId, App>,
    integrations: Cache<(AppId, IntegrationId), Integration>,
    /// Whose carrier was noted to be well again.
    recovered: Cache<(AppId, IntegrationId), ()>,
    /// Whose settings were read again for a reason, within the last second.
    asked_anew: Cache<(AppId, IntegrationId), (), 1>,
    webhooks: Cache<AppId, Arc<Vec<Webhook>>, 1>,
}

impl Store {
    pub fn new(aws: &aws_config::SdkConfig, table: String, sealer: Sealer) -> Self {
        Self { client: Client::new(aws), table, sealer, caches: Arc::default() }
    }

    /// From `TABLE_NAME` and `SEALING_SECRET`.
    pub fn from_env(aws: &aws_config::SdkConfig) -> Result<Self, ConfigError> {
        Ok(Self::new(aws, config::text("TABLE_NAME")?, Sealer::new(&config::secret("SEALING_SECRET")?)))
    }

    pub fn sealer(&self) -> &Sealer {
        &self.sealer
    }

    /// Opens the connection before the first event needs it. Bounded, and harmless when it fails.
    pub async fn warm(&self) {
        let key = Key { pk: "WARM".into(), sk: "WARM".into() };
        let _ = tokio::time::timeout(Duration::from_secs(1), self.get::<serde::de::IgnoredAny>("warm-up", &key)).await;
    }

    async fn get<T: DeserializeOwned>(&self, kind: &'static str, key: &Key) -> Result<Option<T>, StoreError> {
        self.read(kind, key, false).await
    }

    async fn get_consistent<T: DeserializeOwned>(
        &self,
        kind: &'static str,
        key: &Key,
    ) -> Result<Option<T>, StoreError> {
        self.read(kind, key, true).await
    }

    async fn read<T: DeserializeOwned>(
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
    async fn query<T: DeserializeOwned>(&self, kind: &'static str, range: Range<'_>) -> Result<Vec<T>, StoreError> {
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
    async fn list<T: DeserializeOwned>(
        &self,
        kind: &'static str,
        pk: &str,
        prefix: &str,
        consistent: bool,
    ) -> Result<Vec<T>, StoreError> {
        let items = self.list_items(pk, prefix, consistent).await?;
        items.into_iter().map(|item| from_item(kind, item)).collect()
    }

    async fn list_items(&self, pk: &str, prefix: &str, consistent: bool) -> Result<Vec<Item>, StoreError> {
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
    async fn put_if_absent<T: Serialize>(
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
    async fn delete(&self, key: &Key) -> Result<(), StoreError> {
        let request = self.client.delete_item().table_name(&self.table).set_key(Some(key.attributes()));
        request.send().await.map_err(aws_error("DeleteItem"))?;
        Ok(())
    }

    /// Takes an item away and says whether it was there. A transaction, for all that it is one: of an item that is gone
    /// nothing says who took it.
    async fn take_away(&self, key: &Key) -> Result<Written, StoreError> {
        let there = transaction::Change::of(key, "").when("attribute_exists(pk)");
        let refused = self.commit(|| transaction::Transaction::new().delete(self, there.clone())).await?;
        Ok(if refused.is_empty() { Written::Yes } else { Written::No })
    }

    /// One conditional update; `None` when its condition does not hold, else the item as it now is.
    async fn change<T: DeserializeOwned>(
        &self,
        kind: &'static str,
        change: transaction::Change,
    ) -> Result<Option<T>, StoreError> {
        match change.write(self).await? {
            Some(item) => Ok(Some(from_item(kind, item)?)),
            None => Ok(None),
        }
    }

    async fn put<T: Serialize>(&self, kind: &'static str, key: &Key, value: &T) -> Result<(), StoreError> {
        let item = to_item(kind, key, value)?;
        let request = self.client.put_item().table_name(&self.table).set_item(Some(item));
        request.send().await.map_err(aws_error("PutItem"))?;
        Ok(())
    }
}

const CONDITION_FAILED: &str = "ConditionalCheckFailedException";

/// Whether a conditional write of one item went through.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Written {
    Yes,
    No,
}

struct Range<'a> {
    pk: &'a str,
    from: &'a str,
    to: &'a str,
    newest_first: bool,
    consistent: bool,
    limit: i32,
}

fn to_item<T: Serialize>(kind: &'static str, key: &Key, value: &T) -> Result<Item, StoreError> {
    let mut item: Item = serde_dynamo::to_item(value).map_err(|_| StoreError::Unreadable(kind))?;
    item.extend(key.attributes());
    Ok(item)
}

fn from_item<T: DeserializeOwned>(kind: &'static str, item: Item) -> Result<T, StoreError> {
    serde_dynamo::from_item(item).map_err(|_| StoreError::Unreadable(kind))
}

/// Keeps the service's code and drops its message, which may repeat keys.
fn aws_error<E, R>(operation: &'static str) -> impl Fn(SdkError<E, R>) -> StoreError
where
    E: ProvideErrorMetadata,
{
    move |error| StoreError::Aws { operation, code: error_code(&error) }
}

pub(crate) fn error_code<E: ProvideErrorMetadata, R>(error: &SdkError<E, R>) -> String {
    match error {
        SdkError::TimeoutError(_) => "time-out".to_owned(),
        SdkError::DispatchFailure(_) => "no connection".to_owned(),
        error => error.code().unwrap_or("unknown").to_owned(),
    }
}

/// DynamoDB may take up to two days to drop what has run out; until then it is not there for us either.
fn is_alive(item: &Item, now: Timestamp) -> bool {
    let ends = item.get(keys::TTL).and_then(|ttl| ttl.as_n().ok()).and_then(|ttl| ttl.parse::<i64>().ok());
    ends.is_none_or(|ends| ends > now.seconds())
}

fn now() -> Timestamp {
    std::time::SystemTime::now().into()
}

fn seconds_from(now: Timestamp, days: i64) -> i64 {
    now.seconds() + days * 86_400
}
