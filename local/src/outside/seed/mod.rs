//! Demo apps: an app with a key, one integration for each channel and its webhooks, written through the product's own
//! store and made known to the simulated carriers.
//!
//! The first is made at the first start and found again at the next; tests and people make more by
//! `POST /_local/apps`. Not a back door of the product: it runs with the engine's own access to the table.

mod app;
mod routes;
mod showcase;

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::{Arc, Mutex};

use serde::{Deserialize, Serialize};
use shared::ids::{AppId, IntegrationId, KeyId, WebhookId};
use shared::model::{ApiError, ChannelType, ExpiredClaim, Webhook, WebhookWire};
use shared::store::{Store, StoreError};

use crate::engine::EngineHandles;
use crate::outside::carriers;
use crate::private_files;
use app::{DemoApp, Ids};
use showcase::ShowcaseError;

pub use routes::router;
pub use showcase::example;

const SEED_FILE: &str = "seed.json";

#[derive(Debug, thiserror::Error)]
pub enum SeedError {
    #[error("the demo app cannot be stored: {0}")]
    Store(#[from] StoreError),
    #[error("{0} cannot be read or written: {1}")]
    File(PathBuf, std::io::Error),
    #[error("no such app can be made: {0}")]
    Refused(#[from] ApiError),
    #[error("what the API's examples name cannot be stored: {0}")]
    Showcase(#[from] ShowcaseError),
}

/// What a demo app shall be like. Everything has a default.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(rename_all = "camelCase", default, deny_unknown_fields)]
pub struct Wanted {
    pub name: Option<String>,
    pub expired_claim: ExpiredClaim,
    /// Without any, one that wants everything and posts to `/_local/sink/{appId}`.
    pub webhooks: Option<Vec<WebhookWire>>,
}

/// What somebody needs to use the app: the ready file's content.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Ready {
    pub api_url: String,
    /// What carriers are told to call.
    #[serde(default)]
    pub callbacks_url: String,
    pub console_url: String,
    pub app_id: AppId,
    pub app_name: String,
    pub key_id: KeyId,
    pub secret: String,
    pub account_key_id: KeyId,
    pub account_secret: String,
    pub integrations: BTreeMap<ChannelType, IntegrationId>,
    pub webhooks: Vec<ReadyWebhook>,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct ReadyWebhook {
    pub id: WebhookId,
    pub target: String,
    pub secret: String,
    #[serde(rename = "signingSecret", default)]
    pub signing_secret: String,
}

/// Makes demo apps and remembers them.
#[derive(Clone)]
pub struct Seeder {
    store: Store,
    carriers: carriers::State,
    url: String,
    callbacks_url: String,
    data_dir: Option<PathBuf>,
    apps: Arc<Mutex<Vec<Ready>>>,
}

impl Seeder {
    pub fn new(store: Store, carriers: carriers::State, engine: &EngineHandles, data_dir: Option<PathBuf>) -> Self {
        let (url, callbacks_url) = (engine.url.clone(), engine.callbacks_url());
        Self { store, carriers, url, callbacks_url, data_dir, apps: Arc::default() }
    }

    /// The demo app: made now, or at an earlier start with the same data directory.
    pub async fn demo(&self) -> Result<Ready, SeedError> {
        let known = self.load()?;
        for app in &known {
            self.reconnect(app).await?;
        }
        if let Some(first) = self.remember(known)?.into_iter().next() {
            return Ok(first);
        }
        self.make(Wanted { name: Some("Tea House".into()), ..Wanted::default() }, Ids::OfTheExamples).await
    }

    /// Gives the demo app what the API's examples name, where it lacks it.
    pub async fn showcase(&self) -> Result<(), SeedError> {
        // A data directory may hold an app of another making, which the examples don't name.
        let Some(demo) = showcase::example(showcase::APP) else { return Ok(()) };
        match self.store.app(demo).await? {
            Some(app) => Ok(showcase::set_up(&self.store, demo, app.account_id).await?),
            None => Ok(()),
        }
    }

    /// The app made first.
    pub fn first(&self) -> Option<Ready> {
        self.apps.lock().ok()?.first().cloned()
    }

    /// One more app, of an account of its own.
    pub async fn app(&self, wanted: Wanted) -> Result<Ready, SeedError> {
        self.make(wanted, Ids::Drawn).await
    }

    async fn make(&self, wanted: Wanted, ids: Ids) -> Result<Ready, SeedError> {
        let made = DemoApp::new(wanted, ids, &self.url)?;
        made.write(&self.store).await?;
        made.integrations.iter().for_each(|integration| self.carriers.register(integration));
        let ready = made.ready(&self.url, &self.callbacks_url);
        let mut apps = self.apps.lock().map(|apps| apps.clone()).unwrap_or_default();
        apps.push(ready.clone());
        self.remember(apps)?;
        Ok(ready)
    }

    /// After a restart the engine's port may be another, and the simulated carriers know nobody.
    async fn reconnect(&self, app: &Ready) -> Result<(), SeedError> {
        for id in app.integrations.values() {
            if let Some(integration) = self.store.integration(app.app_id, *id).await? {
                self.carriers.register(&integration);
            }
        }
        for webhook in self.store.current_webhooks(app.app_id).await?.iter() {
            if let Some(path) = webhook.target.strip_prefix(&app.api_url) {
                let target = format!("{}{path}", self.url);
                let moved = |webhook| Ok::<_, StoreError>(Webhook { target: target.clone(), ..webhook });
                self.store.change_webhook(app.app_id, webhook.id, moved).await?;
            }
        }
        Ok(())
    }

    fn load(&self) -> Result<Vec<Ready>, SeedError> {
        let Some(path) = self.seed_file() else { return Ok(Vec::new()) };
        match std::fs::read(&path) {
            Ok(bytes) => serde_json::from_slice(&bytes).map_err(|error| SeedError::File(path, error.into())),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(Vec::new()),
            Err(error) => Err(SeedError::File(path, error)),
        }
    }

    /// Keeps the apps, and gives them as they are now: at this engine's address.
    fn remember(&self, apps: Vec<Ready>) -> Result<Vec<Ready>, SeedError> {
        let moved = |app: Ready| {
            let at = |target: &str| target.strip_prefix(&app.api_url).map(|path| format!("{}{path}", self.url));
            let webhooks = app.webhooks.iter().cloned();
            let webhooks =
                webhooks.map(|hook| ReadyWebhook { target: at(&hook.target).unwrap_or(hook.target), ..hook });
            let webhooks = webhooks.collect();
            let (api_url, callbacks_url) = (self.url.clone(), self.callbacks_url.clone());
            Ready { api_url, callbacks_url, console_url: format!("{}/", self.url), webhooks, ..app }
        };
        let apps: Vec<Ready> = apps.into_iter().map(moved).collect();
        if let Some(path) = self.seed_file() {
            let bytes = serde_json::to_vec_pretty(&apps).unwrap_or_default();
            private_files::write(&path, &bytes).map_err(|error| SeedError::File(path, error))?;
        }
        if let Ok(mut known) = self.apps.lock() {
            known.clone_from(&apps);
        }
        Ok(apps)
    }

    fn seed_file(&self) -> Option<PathBuf> {
        self.data_dir.as_ref().map(|dir| dir.join(SEED_FILE))
    }
}

impl ReadyWebhook {
    fn of(webhook: &Webhook) -> Self {
        Self {
            id: webhook.id,
            target: webhook.target.clone(),
            secret: webhook.secret.expose().to_owned(),
            signing_secret: webhook.signing.current.as_secret().expose().to_owned(),
        }
    }
}

/// Credentials that nobody has.
pub fn random_hex() -> String {
    hex::encode(rand::random::<[u8; 16]>())
}
