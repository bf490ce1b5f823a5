//! One demo app with everything it needs to send, written past the API: its ids may be given, and no carrier is asked
//! about accounts that are made up here.

use shared::ids::{AccountId, AppId, WebhookId};
use shared::model::{
    ApiError, ApiKey, App, Integration, KeyOwner, Secret, Signing, SigningSecret, Trigger, WEBHOOK_LIMIT, Webhook,
};
use shared::store::{Store, StoreError};
use shared::system::System;

use super::showcase::{APP, WEBHOOK, example};
use super::{Ready, ReadyWebhook, Wanted};
use crate::outside::carriers::CARRIERS;

/// Whose ids an app and what belongs to it have.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ids {
    Drawn,
    /// Those that the examples of the API's description name.
    OfTheExamples,
}

impl Ids {
    fn choose<T>(self, example: Option<T>, drawn: T) -> T {
        match self {
            Self::Drawn => drawn,
            Self::OfTheExamples => example.unwrap_or(drawn),
        }
    }
}

/// Complete with ids and secrets.
#[derive(Debug)]
pub struct DemoApp {
    pub app: App,
    pub key: ApiKey,
    pub account_key: ApiKey,
    pub integrations: Vec<Integration>,
    pub webhooks: Vec<Webhook>,
}

impl DemoApp {
    /// With an account of its own at every carrier, and a webhook that wants everything unless others are wished for.
    /// Writes nothing yet.
    ///
    /// # Errors
    /// What the API would refuse as well.
    pub fn new(wanted: Wanted, ids: Ids, engine_url: &str) -> Result<Self, ApiError> {
        let app = App::new(&System, AccountId::generate(&System), wanted.name.unwrap_or_else(|| "Demo".into()));
        let app = App { id: ids.choose(example(APP), app.id), ..app };
        let integrations = CARRIERS.into_iter().map(|carrier| {
            let made = Integration::create(&System, app.id, &carrier.demo_account())?;
            let id = ids.choose(carrier.example(), made.id);
            Ok(Integration { id, expired_claim: wanted.expired_claim, ..made })
        });
        let integrations = integrations.collect::<Result<_, ApiError>>()?;
        let mut webhooks = match wanted.webhooks {
            Some(wires) => wires.into_iter().map(|wire| wire.create(&System, app.id)).collect::<Result<Vec<_>, _>>()?,
            None => vec![everything(app.id, engine_url)],
        };
        if webhooks.len() > WEBHOOK_LIMIT {
            return Err(ApiError::field("webhooks", format!("must be {WEBHOOK_LIMIT} at most")));
        }
        webhooks.first_mut().into_iter().for_each(|first| first.id = ids.choose(example(WEBHOOK), first.id));
        Ok(Self {
            key: ApiKey::generate(&System, KeyOwner::App(app.id), Some("demo".into())),
            account_key: ApiKey::generate(&System, KeyOwner::Account(app.account_id), Some("demo".into())),
            integrations,
            webhooks,
            app,
        })
    }

    /// The keys last: who can use the app finds it complete.
    ///
    /// # Errors
    /// What the table said.
    pub async fn write(&self, store: &Store) -> Result<(), StoreError> {
        store.create_account(self.app.account_id).await?;
        store.create_app(&self.app).await?;
        for integration in &self.integrations {
            store.put_integration(integration).await?;
        }
        for webhook in &self.webhooks {
            store.create_webhook(webhook).await?;
        }
        for key in [&self.key, &self.account_key] {
            store.create_key(key).await?;
        }
        Ok(())
    }

    /// What whoever uses it needs.
    pub fn ready(&self, engine_url: &str, callbacks_url: &str) -> Ready {
        let integrations = self.integrations.iter();
        Ready {
            api_url: engine_url.to_owned(),
            callbacks_url: callbacks_url.to_owned(),
            console_url: format!("{engine_url}/"),
            app_id: self.app.id,
            app_name: self.app.name.clone(),
            key_id: self.key.id.clone(),
            secret: self.key.secret.expose().to_owned(),
            account_key_id: self.account_key.id.clone(),
            account_secret: self.account_key.secret.expose().to_owned(),
            integrations: integrations.filter_map(|one| Some((one.channel()?, one.id))).collect(),
            webhooks: self.webhooks.iter().map(ReadyWebhook::of).collect(),
        }
    }
}

/// To a sink of its own, named after the app, so that demo apps don't read each other's mail.
fn everything(app_id: AppId, engine_url: &str) -> Webhook {
    Webhook {
        id: WebhookId::generate(&System),
        app_id,
        target: format!("{engine_url}/_local/sink/{app_id}"),
        triggers: vec![Trigger::All],
        secret: Secret::generate(&System),
        signing: Signing::with(SigningSecret::generate(&System)),
        include_client: true,
        include_full_app_user: false,
    }
}
