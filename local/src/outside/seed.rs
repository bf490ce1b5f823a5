//! Demo apps: an app with a key, one integration for each channel and its webhooks, written through the product's own
//! store and made known to the simulated carriers.
//!
//! The first is made at the first start and found again at the next; tests and people make more by
//! `POST /_local/apps`. Not a back door of the product: it runs with the engine's own access to the table.

use std::path::PathBuf;
use std::sync::{Arc, Mutex};

use serde::{Deserialize, Serialize};
use shared::ids::{AppId, IntegrationId, KeyId, WebhookId};
use shared::model::{ChannelType, ExpiredClaim, Integration, Webhook};
use shared::store::{Store, StoreError};
use shared::system::System;

use crate::outside::carriers;
use crate::outside::provision::{
    MessagebirdAccount, Provision, Specification, SpecificationError, TwilioAccount, WantedWebhook,
};
use crate::outside::showcase::{self, Ids, ShowcaseError};
use crate::private_files;

const TWILIO_NUMBER: &str = "+15550100001";
const MESSAGEBIRD_ORIGINATOR: &str = "31970000001";
const SEED_FILE: &str = "seed.json";

#[derive(Debug, thiserror::Error)]
pub enum SeedError {
    #[error("the demo app cannot be stored: {0}")]
    Store(#[from] StoreError),
    #[error("{0} cannot be read or written: {1}")]
    File(PathBuf, std::io::Error),
    #[error(transparent)]
    Specification(#[from] SpecificationError),
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
    pub webhooks: Option<Vec<WantedWebhook>>,
}

/// What somebody needs to use the app: the ready file's content.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Ready {
    pub api_url: String,
    pub console_url: String,
    pub app_id: AppId,
    pub app_name: String,
    pub key_id: KeyId,
    pub secret: String,
    pub account_key_id: KeyId,
    pub account_secret: String,
    pub integrations: Integrations,
    pub webhooks: Vec<ReadyWebhook>,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Integrations {
    pub twilio: IntegrationId,
    pub messagebird: IntegrationId,
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
    data_dir: Option<PathBuf>,
    apps: Arc<Mutex<Vec<Ready>>>,
}

impl Seeder {
    /// `url`: the engine's base URL, without a slash at its end.
    pub fn new(store: Store, carriers: carriers::State, url: String, data_dir: Option<PathBuf>) -> Self {
        Self { store, carriers, url, data_dir, apps: Arc::default() }
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
        self.make(Wanted { name: Some("Tea House".into()), ..Wanted::default() }, Ids::of_the_demo()).await
    }

    /// Gives the demo app what the API's examples name, where it lacks it.
    pub async fn showcase(&self) -> Result<(), SeedError> {
        let demo = Ids::of_the_demo().app;
        // A data directory may hold an app of another making, which the examples don't name.
        match self.store.app(demo).await? {
            Some(app) => Ok(showcase::set_up(&self.store, app.account_id).await?),
            None => Ok(()),
        }
    }

    /// The app made first.
    pub fn first(&self) -> Option<Ready> {
        self.apps.lock().ok()?.first().cloned()
    }

    /// One more app, of an account of its own.
    pub async fn app(&self, wanted: Wanted) -> Result<Ready, SeedError> {
        self.make(wanted, Ids::draw()).await
    }

    async fn make(&self, wanted: Wanted, ids: Ids) -> Result<Ready, SeedError> {
        let provision = self.provision(wanted, ids)?;
        provision.write(&self.store).await?;
        provision.integrations.iter().for_each(|integration| self.register(integration));
        let of = |channel| {
            let found = provision.integrations.iter().find(|integration| integration.channel() == Some(channel));
            found.map_or_else(|| IntegrationId::generate(&System), |integration| integration.id)
        };
        let ready = Ready {
            api_url: self.url.clone(),
            console_url: format!("{}/", self.url),
            app_id: provision.app.id,
            app_name: provision.app.name.clone(),
            key_id: provision.key.id.clone(),
            secret: provision.key.secret.expose().to_owned(),
            account_key_id: provision.account_key.id.clone(),
            account_secret: provision.account_key.secret.expose().to_owned(),
            integrations: Integrations { twilio: of(ChannelType::Twilio), messagebird: of(ChannelType::Messagebird) },
            webhooks: provision.webhooks.iter().map(ready_webhook).collect(),
        };
        let mut apps = self.apps.lock().map(|apps| apps.clone()).unwrap_or_default();
        apps.push(ready.clone());
        self.remember(apps)?;
        Ok(ready)
    }

    /// Accounts of its own at every carrier, and a webhook that wants everything unless others are wished for.
    fn provision(&self, wanted: Wanted, ids: Ids) -> Result<Provision, SeedError> {
        let everything = |sink: &str| WantedWebhook {
            target: format!("{}/_local/sink/{sink}", self.url),
            triggers: vec!["*".into()],
            include_client: true,
            include_full_app_user: false,
        };
        // A sink of its own, named after the app, so that demo apps don't read each other's mail.
        let sink = ids.app.to_string();
        let specification = Specification {
            name: wanted.name.unwrap_or_else(|| "Demo".into()),
            expired_claim: wanted.expired_claim,
            twilio: Some(TwilioAccount {
                account_sid: format!("AC{}", random_hex()),
                auth_token: random_hex(),
                phone_number_sid: format!("PN{}", random_hex()),
                phone_number: TWILIO_NUMBER.into(),
                messaging_service_sid: None,
            }),
            messagebird: Some(MessagebirdAccount {
                access_key: random_hex()[..25].to_owned(),
                originator: MESSAGEBIRD_ORIGINATOR.into(),
                signing_key: random_hex(),
            }),
            webhooks: wanted.webhooks.unwrap_or_else(|| vec![everything(&sink)]),
        };
        Ok(Provision::new(specification, ids)?)
    }

    /// After a restart the engine's port may be another, and the simulated carriers know nobody.
    async fn reconnect(&self, app: &Ready) -> Result<(), SeedError> {
        for id in [app.integrations.twilio, app.integrations.messagebird] {
            if let Some(integration) = self.store.integration(app.app_id, id).await? {
                self.register(&integration);
            }
        }
        for webhook in self.store.webhooks(app.app_id).await?.iter() {
            if let Some(path) = webhook.target.strip_prefix(&app.api_url) {
                let target = format!("{}{path}", self.url);
                let moved = |webhook| Ok::<_, StoreError>(Webhook { target: target.clone(), ..webhook });
                self.store.change_webhook(app.app_id, webhook.id, moved).await?;
            }
        }
        Ok(())
    }

    fn register(&self, integration: &Integration) {
        self.carriers.register(integration);
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
            Ready { api_url: self.url.clone(), console_url: format!("{}/", self.url), webhooks, ..app }
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

fn random_hex() -> String {
    hex::encode(rand::random::<[u8; 16]>())
}

fn ready_webhook(webhook: &Webhook) -> ReadyWebhook {
    ReadyWebhook {
        id: webhook.id,
        target: webhook.target.clone(),
        secret: webhook.secret.expose().to_owned(),
        signing_secret: webhook.signing.current.as_secret().expose().to_owned(),
    }
}

impl Ready {
    /// The integration of a channel.
    pub fn integration(&self, channel: ChannelType) -> IntegrationId {
        match channel {
            ChannelType::Twilio => self.integrations.twilio,
            ChannelType::Messagebird => self.integrations.messagebird,
        }
    }
}
