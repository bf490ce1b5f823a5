//! Webhooks. At most ten an app (docs/REFERENCE.md, 6.1), so one query reads them all.
//!
//! The app's item counts them: a webhook comes and goes in one transaction with the count, so the limit holds however
//! many are made at once, none of these needs to read what the others did, and none is made for an app that is gone.

use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::ids::{AppId, WebhookId};
use crate::model::{Retiring, Signing, SigningSecret, Timestamp, Trigger, WEBHOOK_LIMIT, Webhook};
use crate::secrets::{Purpose, Unopenable};
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
    /// As remembered for up to a second: a change counts within two, since a cheap read may lag as well. That there are
    /// none is asked for certain, since events are dropped for it.
    pub async fn webhooks(&self, app: AppId) -> Result<Arc<Vec<Webhook>>, StoreError> {
        if let Some(webhooks) = self.caches.webhooks.get(&app) {
            return Ok(webhooks);
        }
        let mut webhooks = self.open_webhooks(listed(app).lagging()).await?;
        if webhooks.is_empty() {
            webhooks = self.current_webhooks(app).await?;
        }
        let webhooks = Arc::new(webhooks);
        self.caches.webhooks.put(app, Arc::clone(&webhooks));
        Ok(webhooks)
    }

    /// As they are now, oldest first.
    pub async fn current_webhooks(&self, app: AppId) -> Result<Vec<Webhook>, StoreError> {
        self.open_webhooks(listed(app)).await
    }

    /// One webhook, as remembered for up to a second. That it is not there is asked for certain.
    pub async fn webhook(&self, app: AppId, id: WebhookId) -> Result<Option<Webhook>, StoreError> {
        if let Some(webhook) = self.webhooks(app).await?.iter().find(|webhook| webhook.id == id) {
            return Ok(Some(webhook.clone()));
        }
        self.current_webhook(app, id).await
    }

    /// One webhook as it is now.
    pub async fn current_webhook(&self, app: AppId, id: WebhookId) -> Result<Option<Webhook>, StoreError> {
        let item = self.table.get::<WebhookItem>(&keys::webhook(app, id)).await?;
        Ok(item.map(|item| self.open_webhook(item)).transpose()?)
    }

    pub async fn create_webhook(&self, webhook: &Webhook) -> Result<Creation, StoreError> {
        let (app, item) = (keys::app(webhook.app_id), self.seal_webhook(webhook));
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
        let edit = |item| -> Result<_, E> {
            let old = self.open_webhook(item).map_err(StoreError::from)?;
            Ok(self.seal_webhook(&edit(old)?))
        };
        let item = self.table.revise(&keys::webhook(app, id), edit).await?;
        Ok(item.map(|item| self.open_webhook(item.value)).transpose().map_err(StoreError::from)?)
    }

    /// `false`: there was none.
    pub async fn delete_webhook(&self, app: AppId, id: WebhookId) -> Result<bool, StoreError> {
        let uncount = ItemChange::of(&keys::app(app)).add("webhookCount", -1).when_there();
        let there = ItemChange::of(&keys::webhook(app, id)).when_there();
        Ok(self.table.commit(Transaction::new().delete(there).update(uncount)).await?.is_done())
    }

    async fn open_webhooks(&self, listed: Query) -> Result<Vec<Webhook>, StoreError> {
        let items: Vec<WebhookItem> = self.table.query(listed).await?;
        Ok(items.into_iter().map(|item| self.open_webhook(item)).collect::<Result<_, _>>()?)
    }

    fn seal_webhook(&self, webhook: &Webhook) -> WebhookItem {
        let owner = webhook.id.to_string();
        let sealed =
            |secret: &SigningSecret| self.sealer.seal_secret(Purpose::WebhookSigningSecret, &owner, secret.as_secret());
        let retiring = |retiring: &Retiring| RetiringItem { sealed: sealed(&retiring.secret), until: retiring.until };
        WebhookItem {
            id: webhook.id,
            app_id: webhook.app_id,
            target: webhook.target.clone(),
            triggers: webhook.triggers.clone(),
            sealed_secret: self.sealer.seal_secret(Purpose::WebhookSecret, &owner, &webhook.secret),
            sealed_signing_secret: Some(sealed(&webhook.signing.current)),
            retiring_signing_secrets: webhook.signing.retiring.iter().map(retiring).collect(),
            include_client: webhook.include_client,
            include_full_app_user: webhook.include_full_app_user,
        }
    }

    fn open_webhook(&self, item: WebhookItem) -> Result<Webhook, Unopenable> {
        let owner = item.id.to_string();
        let secret = self.sealer.open_secret(Purpose::WebhookSecret, &owner, &item.sealed_secret)?;
        let opened = |sealed: &str| {
            self.sealer.open_secret(Purpose::WebhookSigningSecret, &owner, sealed).map(SigningSecret::shown)
        };
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
            target: item.target,
            triggers: item.triggers,
            secret,
            signing,
            include_client: item.include_client,
            include_full_app_user: item.include_full_app_user,
        })
    }
}

fn listed(app: AppId) -> Query {
    Query::of(keys::app_partition(app)).under(keys::WEBHOOK_PREFIX).at_most(WEBHOOK_LIMIT)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::Secret;
    use crate::secrets::Sealer;
    use crate::system::System;

    fn store() -> Store {
        let aws = aws_config::SdkConfig::builder().behavior_version(aws_config::BehaviorVersion::latest()).build();
        Store::new(&aws, "table".into(), Sealer::new(&Secret::new("stack secret")))
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
        let (store, webhook) = (store(), webhook());
        let item = store.seal_webhook(&webhook);
        let written = serde_json::to_string(&item).unwrap();
        for secret in
            webhook.signing.valid(Timestamp::from_millis(0)).map(SigningSecret::as_secret).chain([&webhook.secret])
        {
            assert!(!written.contains(secret.expose()));
        }
        let read: WebhookItem = serde_json::from_str(&written).unwrap();
        assert_eq!(store.open_webhook(read).unwrap(), webhook);
    }

    #[test]
    fn a_webhook_from_before_signing_secrets_signs_as_it_did_until_it_is_given_one() {
        let (store, webhook) = (store(), webhook());
        let mut item = serde_json::to_value(store.seal_webhook(&webhook)).unwrap();
        let fields = item.as_object_mut().unwrap();
        fields.remove("sealedSigningSecret");
        fields.remove("retiringSigningSecrets");
        let read = || store.open_webhook(serde_json::from_value(item.clone()).unwrap()).unwrap();
        let expected = Signing::with(SigningSecret::of_earlier(&webhook.secret));
        assert_eq!((read().signing, read().signing), (expected.clone(), expected.clone()));
        assert_eq!(store.open_webhook(store.seal_webhook(&read())).unwrap().signing, expected, "a change keeps it");
    }
}
