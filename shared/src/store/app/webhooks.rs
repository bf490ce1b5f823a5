//! Webhooks. At most ten an app (docs/REFERENCE.md, 6.1), so one query reads them all.
//!
//! The app's item counts them: a webhook comes and goes in one transaction with the count, so the limit holds however
//! many are made at once, none of these needs to read what the others did, and none is made for an app that is gone.

use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::sealed::EditError;
use crate::ids::{AppId, WebhookId};
use crate::model::{Retiring, Signing, SigningSecret, Subscription, Timestamp, Trigger, WEBHOOK_LIMIT, Webhook};
use crate::secrets::{Keyring, Purpose, Unopenable};
use crate::store::table::{Committed, ItemChange, Query, Transaction, keys};
use crate::store::{Creation, Store, StoreError};

#[derive(Clone, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
struct WebhookItem {
    id: WebhookId,
    app_id: AppId,
    target: String,
    triggers: Vec<Trigger>,
    sealed_secret: String,
    /// Of webhooks that were made before they had one it follows from their secret, until they are changed.
    #[serde(default)]
    sealed_signing_secret: Option<String>,
    #[serde(default)]
    retiring_signing_secrets: Vec<RetiringItem>,
    include_client: bool,
    include_full_app_user: bool,
}

#[derive(Clone, Serialize, Deserialize)]
struct RetiringItem {
    sealed: String,
    until: Timestamp,
}

impl Store {
    /// What is wanted, as remembered for up to a second: a change counts within two, since a cheap read may lag as well.
    /// That nothing is wanted is asked for certain, since events are dropped for it. Opens no secret.
    pub async fn subscriptions(&self, app: AppId) -> Result<Arc<Vec<Subscription>>, StoreError> {
        if let Some(subscriptions) = self.caches.subscriptions.get(&app) {
            return Ok(subscriptions);
        }
        let mut items: Vec<WebhookItem> = self.table.query(listed(app).lagging()).await?;
        if items.is_empty() {
            items = self.table.query(listed(app)).await?;
        }
        let subscriptions = Arc::new(items.into_iter().map(Subscription::from).collect::<Vec<_>>());
        self.caches.subscriptions.put(app, Arc::clone(&subscriptions));
        Ok(subscriptions)
    }

    /// As they are now, oldest first.
    pub async fn current_webhooks(&self, app: AppId) -> Result<Vec<Webhook>, StoreError> {
        self.open_webhooks(listed(app)).await
    }

    /// One webhook, as remembered for up to a second. That it is not there is asked for certain.
    pub async fn webhook(&self, app: AppId, id: WebhookId) -> Result<Option<Webhook>, StoreError> {
        let webhooks = match self.caches.webhooks.get(&app) {
            Some(webhooks) => webhooks,
            None => {
                let webhooks = Arc::new(self.open_webhooks(listed(app).lagging()).await?);
                self.caches.webhooks.put(app, Arc::clone(&webhooks));
                webhooks
            }
        };
        match webhooks.iter().find(|webhook| webhook.id == id) {
            Some(webhook) => Ok(Some(webhook.clone())),
            None => self.current_webhook(app, id).await,
        }
    }

    /// One webhook as it is now.
    pub async fn current_webhook(&self, app: AppId, id: WebhookId) -> Result<Option<Webhook>, StoreError> {
        let Some(item) = self.table.get::<WebhookItem>(&keys::webhook(app, id)).await? else { return Ok(None) };
        Ok(Some(self.sealer.opening(|keys| open(keys, &item)).await?))
    }

    pub async fn create_webhook(&self, webhook: &Webhook) -> Result<Creation, StoreError> {
        let (app, item) = (keys::app(webhook.app_id), seal(&*self.sealer.keys().await?, webhook));
        let count = ItemChange::of(&app).add("webhookCount", 1).when_there();
        let count = count.when_below("webhookCount", WEBHOOK_LIMIT);
        let place = ItemChange::of(&keys::webhook(webhook.app_id, webhook.id)).when_absent();
        Ok(match self.table.commit(Transaction::new().update(count).put(place, &item)).await? {
            Committed::Done => Creation::Done,
            Committed::Refused(_) if self.table.is_there(&app).await? => Creation::Full,
            Committed::Refused(_) => Creation::NoOwner,
        })
    }

    /// Edits a webhook; what others change at the same time stays. `None`: there is none.
    pub async fn change_webhook<E: From<StoreError>>(
        &self,
        app: AppId,
        id: WebhookId,
        edit: impl Fn(Webhook) -> Result<Webhook, E>,
    ) -> Result<Option<Webhook>, E> {
        let edit = |keys: &Keyring, item: WebhookItem| {
            let old = open(keys, &item)?;
            Ok(seal(keys, &edit(old).map_err(EditError::Theirs)?))
        };
        let Some(item) = self.revise_sealed(&keys::webhook(app, id), edit).await? else { return Ok(None) };
        Ok(Some(self.sealer.opening(|keys| open(keys, &item.value)).await.map_err(StoreError::from)?))
    }

    /// `false`: there was none.
    pub async fn delete_webhook(&self, app: AppId, id: WebhookId) -> Result<bool, StoreError> {
        let uncount = ItemChange::of(&keys::app(app)).add("webhookCount", -1).when_there();
        let there = ItemChange::of(&keys::webhook(app, id)).when_there();
        Ok(self.table.commit(Transaction::new().delete(there).update(uncount)).await?.is_done())
    }

    async fn open_webhooks(&self, listed: Query) -> Result<Vec<Webhook>, StoreError> {
        let items: Vec<WebhookItem> = self.table.query(listed).await?;
        Ok(self.sealer.opening(|keys| items.iter().map(|item| open(keys, item)).collect()).await?)
    }
}

impl From<WebhookItem> for Subscription {
    fn from(item: WebhookItem) -> Self {
        Self {
            webhook: item.id,
            app_id: item.app_id,
            triggers: item.triggers,
            include_client: item.include_client,
            include_full_app_user: item.include_full_app_user,
        }
    }
}

fn listed(app: AppId) -> Query {
    Query::of(keys::app_partition(app)).under(keys::WEBHOOK_PREFIX).at_most(WEBHOOK_LIMIT)
}

fn seal(keys: &Keyring, webhook: &Webhook) -> WebhookItem {
    let owner = webhook.id.to_string();
    let sealed = |secret: &SigningSecret| keys.seal_secret(Purpose::WebhookSigningSecret, &owner, secret.as_secret());
    let retiring = |retiring: &Retiring| RetiringItem { sealed: sealed(&retiring.secret), until: retiring.until };
    WebhookItem {
        id: webhook.id,
        app_id: webhook.app_id,
        target: webhook.target.clone(),
        triggers: webhook.triggers.clone(),
        sealed_secret: keys.seal_secret(Purpose::WebhookSecret, &owner, &webhook.secret),
        sealed_signing_secret: Some(sealed(&webhook.signing.current)),
        retiring_signing_secrets: webhook.signing.retiring.iter().map(retiring).collect(),
        include_client: webhook.include_client,
        include_full_app_user: webhook.include_full_app_user,
    }
}

fn open(keys: &Keyring, item: &WebhookItem) -> Result<Webhook, Unopenable> {
    let owner = item.id.to_string();
    let secret = keys.open_secret(Purpose::WebhookSecret, &owner, &item.sealed_secret)?;
    let opened =
        |sealed: &str| keys.open_secret(Purpose::WebhookSigningSecret, &owner, sealed).map(SigningSecret::shown);
    let current = match &item.sealed_signing_secret {
        Some(sealed) => opened(sealed)?,
        None => SigningSecret::of_earlier(&secret),
    };
    let retiring = item.retiring_signing_secrets.iter();
    let retiring = retiring.map(|item| Ok(Retiring { secret: opened(&item.sealed)?, until: item.until }));
    let signing = Signing { current, retiring: retiring.collect::<Result<_, _>>()? };
    Ok(Webhook {
        id: item.id,
        app_id: item.app_id,
        target: item.target.clone(),
        triggers: item.triggers.clone(),
        secret,
        signing,
        include_client: item.include_client,
        include_full_app_user: item.include_full_app_user,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::Secret;
    use crate::secrets::SealingSecret;
    use crate::system::System;

    fn keys() -> Keyring {
        Keyring::new(&SealingSecret::new(Secret::new("stack secret")))
    }

    fn webhook() -> Webhook {
        Webhook {
            id: WebhookId::generate(&System),
            app_id: AppId::generate(&System),
            target: "https://shop.example/hook".into(),
            triggers: vec![Trigger::All],
            secret: Secret::generate(&System),
            signing: Signing::with(SigningSecret::generate(&System))
                .rotated(&System, Timestamp::from_millis(1_790_000_000_000)),
            include_client: false,
            include_full_app_user: false,
        }
    }

    #[test]
    fn secrets_are_sealed_and_come_back_as_they_were() {
        let (keys, webhook) = (keys(), webhook());
        let item = seal(&keys, &webhook);
        let written = serde_json::to_string(&item).unwrap();
        for secret in
            webhook.signing.valid(Timestamp::from_millis(0)).map(SigningSecret::as_secret).chain([&webhook.secret])
        {
            assert!(!written.contains(secret.expose()));
        }
        let read: WebhookItem = serde_json::from_str(&written).unwrap();
        assert_eq!(open(&keys, &read).unwrap(), webhook);
    }

    #[test]
    fn a_webhook_from_before_signing_secrets_signs_as_it_did_until_it_is_given_one() {
        let (keys, webhook) = (keys(), webhook());
        let mut item = serde_json::to_value(seal(&keys, &webhook)).unwrap();
        let fields = item.as_object_mut().unwrap();
        fields.remove("sealedSigningSecret");
        fields.remove("retiringSigningSecrets");
        let read = || open(&keys, &serde_json::from_value(item.clone()).unwrap()).unwrap();
        let expected = Signing::with(SigningSecret::of_earlier(&webhook.secret));
        assert_eq!((read().signing, read().signing), (expected.clone(), expected.clone()));
        assert_eq!(open(&keys, &seal(&keys, &read())).unwrap().signing, expected, "a change keeps it");
    }
}
