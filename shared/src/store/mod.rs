//! The table: concrete, typed access, one file per kind of item, in rooms by subject.
//!
//! Does not decide anything: conditions are written here, what follows from them is the domain's. Reads of settings
//! (keys, apps, integrations, webhooks) are cached in the warm function for at most 30 seconds; nothing else is.

mod app;
mod erasure;
mod error;
mod messages;
mod people;
mod table;
mod tasks;

use std::sync::Arc;
use std::time::Duration;

use aws_sdk_dynamodb::Client;

use crate::config::{self, ConfigError};
use crate::ids::{AppId, IntegrationId, KeyId};
use crate::model::{ApiKey, App, Integration, Subscription, Webhook};
use crate::secrets::Sealer;
use keys::Key;
use table::Table;
use table::cache::Cache;

pub use app::{Creation, KEY_LIMIT, MenuPlace, MenuWritten, Resealed, TemplateChanged};
pub use erasure::{HistoryPage, HistoryPart, Leaving, Orphans, PeopleWalk, Walked};
pub(crate) use error::error_code;
pub use error::{Misfit, StoreError};
pub use messages::{
    Claimant, Conversation, FoundMessage, History, Part, Posted, ReplyOutcome, ReplyWrite, SendKey, StoredMessage,
    Stretch, Write,
};
pub use people::{Beginning, Begun, MatchItem, Merged, NewClient};
pub use table::keys;
pub use tasks::Parked;

/// Clone is cheap and shares the caches.
#[derive(Clone)]
pub struct Store {
    table: Table,
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
    subscriptions: Cache<AppId, Arc<Vec<Subscription>>, 1>,
}

impl Store {
    pub fn new(aws: &aws_config::SdkConfig, table: String, sealer: Sealer) -> Self {
        Self { table: Table::new(Client::new(aws), table), sealer, caches: Arc::default() }
    }

    /// From `TABLE_NAME` and `SEALING_SECRET_ARN`.
    pub fn from_env(aws: &aws_config::SdkConfig) -> Result<Self, ConfigError> {
        Ok(Self::new(aws, config::text("TABLE_NAME")?, Sealer::from_env(aws)?))
    }

    /// From `TABLE_NAME`, for functions that open and seal nothing: they are not given the keys.
    pub fn without_secrets(aws: &aws_config::SdkConfig) -> Result<Self, ConfigError> {
        Ok(Self::new(aws, config::text("TABLE_NAME")?, Sealer::without_keys()))
    }

    pub fn sealer(&self) -> &Sealer {
        &self.sealer
    }

    /// Opens the connection, and has the keys read, before the first event needs them. Bounded, and harmless when it
    /// fails.
    pub async fn warm(&self) {
        let key = Key { pk: "WARM".into(), sk: "WARM".into() };
        let connection = self.table.get_lagging::<serde::de::IgnoredAny>(&key);
        let warming = async { tokio::join!(connection, self.sealer.warm()) };
        let _ = tokio::time::timeout(Duration::from_secs(1), warming).await;
    }
}
