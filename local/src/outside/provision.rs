//! An app with everything it needs to send, written to a table in one go.
//!
//! Used for demo apps, and by `create-account` and `create-app` for a deployed stack, whose table and sealing secret
//! the operator names. It checks no carrier credentials.

use serde::Deserialize;
use shared::ids::{AccountId, AppId, WebhookId};
use shared::model::{
    Address, ApiKey, App, ExpiredClaim, Integration, InvalidAddress, KeyOwner, MessagebirdSettings, Secret, Settings,
    Signing, SigningSecret, Trigger, TwilioSettings, WEBHOOK_LIMIT, Webhook,
};
use shared::store::{Store, StoreError};
use shared::system::System;

use crate::outside::showcase::Ids;

/// An app to be, as an operator writes it.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Specification {
    pub name: String,
    #[serde(default)]
    pub expired_claim: ExpiredClaim,
    pub twilio: Option<TwilioAccount>,
    pub messagebird: Option<MessagebirdAccount>,
    #[serde(default)]
    pub webhooks: Vec<WantedWebhook>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct TwilioAccount {
    pub account_sid: String,
    pub auth_token: String,
    pub phone_number_sid: String,
    /// The number behind the SID, `+` and digits.
    pub phone_number: String,
    pub messaging_service_sid: Option<String>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct MessagebirdAccount {
    pub access_key: String,
    pub originator: String,
    pub signing_key: String,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct WantedWebhook {
    pub target: String,
    pub triggers: Vec<String>,
    #[serde(default)]
    pub include_client: bool,
    #[serde(default)]
    pub include_full_app_user: bool,
}

#[derive(Debug, thiserror::Error)]
pub enum SpecificationError {
    #[error("unknown trigger {0}")]
    Trigger(String),
    #[error("{0} is not an http or https URL")]
    Target(String),
    #[error("an app has at most {WEBHOOK_LIMIT} webhooks")]
    Webhooks,
    #[error("{field}: {error}")]
    Address { field: &'static str, error: InvalidAddress },
}

/// An account with its first key: all that a stack must be given before its API can give the rest.
///
/// # Errors
/// What the table said.
pub async fn account(store: &Store) -> Result<ApiKey, StoreError> {
    let id = AccountId::generate(&System);
    let key = ApiKey::generate(&System, KeyOwner::Account(id), Some("first".into()));
    store.create_account(id).await?;
    store.create_key(&key).await?;
    Ok(key)
}

/// An app with its keys, integrations and webhooks, complete with ids and secrets.
#[derive(Debug)]
pub struct Provision {
    pub app: App,
    pub key: ApiKey,
    pub account_key: ApiKey,
    pub integrations: Vec<Integration>,
    pub webhooks: Vec<Webhook>,
}

impl Provision {
    /// Draws secrets, and ids beyond those that are given; writes nothing yet.
    ///
    /// # Errors
    /// The first field that makes no sense.
    pub fn new(wanted: Specification, ids: Ids) -> Result<Self, SpecificationError> {
        if wanted.webhooks.len() > WEBHOOK_LIMIT {
            return Err(SpecificationError::Webhooks);
        }
        let app = App { id: ids.app, ..App::new(&System, AccountId::generate(&System), wanted.name) };
        let twilio = wanted.twilio.map(twilio_settings).transpose()?.map(|settings| (ids.twilio, settings));
        let messagebird =
            wanted.messagebird.map(messagebird_settings).transpose()?.map(|settings| (ids.messagebird, settings));
        let expired_claim = wanted.expired_claim;
        let integration =
            |(id, settings)| Integration { id, expired_claim, ..Integration::new(&System, app.id, settings) };
        let webhooks = wanted.webhooks.into_iter().map(|hook| webhook(app.id, hook));
        let mut webhooks = webhooks.collect::<Result<Vec<_>, _>>()?;
        webhooks.first_mut().into_iter().for_each(|first| first.id = ids.webhook);
        Ok(Self {
            key: ApiKey::generate(&System, KeyOwner::App(app.id), Some("demo".into())),
            account_key: ApiKey::generate(&System, KeyOwner::Account(app.account_id), Some("demo".into())),
            integrations: twilio.into_iter().chain(messagebird).map(integration).collect(),
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
}

fn twilio_settings(account: TwilioAccount) -> Result<Settings, SpecificationError> {
    let number = Address::e164(&account.phone_number);
    Ok(Settings::Twilio(TwilioSettings {
        account_sid: account.account_sid,
        auth_token: Secret::new(account.auth_token),
        phone_number_sid: account.phone_number_sid,
        phone_number: number.map_err(|error| SpecificationError::Address { field: "twilio.phoneNumber", error })?,
        account_name: None,
        messaging_service_sid: account.messaging_service_sid,
    }))
}

fn messagebird_settings(account: MessagebirdAccount) -> Result<Settings, SpecificationError> {
    let originator = Address::sender(&account.originator);
    Ok(Settings::Messagebird(MessagebirdSettings {
        access_key: Secret::new(account.access_key),
        originator: originator
            .map_err(|error| SpecificationError::Address { field: "messagebird.originator", error })?,
        signing_key: Some(Secret::new(account.signing_key)),
        webhook_secret: Some(Secret::generate(&System)),
    }))
}

fn webhook(app_id: AppId, wanted: WantedWebhook) -> Result<Webhook, SpecificationError> {
    let trigger = |name: &String| Trigger::from_name(name).ok_or_else(|| SpecificationError::Trigger(name.clone()));
    let triggers = wanted.triggers.iter().map(trigger).collect::<Result<_, _>>()?;
    let is_web = url::Url::parse(&wanted.target).is_ok_and(|url| matches!(url.scheme(), "http" | "https"));
    if !is_web {
        return Err(SpecificationError::Target(wanted.target));
    }
    Ok(Webhook {
        id: WebhookId::generate(&System),
        app_id,
        target: wanted.target,
        triggers,
        secret: Secret::generate(&System),
        signing: Signing::with(SigningSecret::generate(&System)),
        include_client: wanted.include_client,
        include_full_app_user: wanted.include_full_app_user,
    })
}
