//! Webhooks. At most ten an app (v1.1 reference, 6.1), so one query reads them all.
//!
//! The app's item counts them: a webhook comes and goes in one transaction with the count, so the limit holds however
//! many are made at once, none of these needs to read what the others did, and none is made for an app that is gone.

use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::transaction::{Change, Transaction};
use super::{Creation, Range, Store, StoreError, keys};
use crate::ids::{AppId, WebhookId};
use crate::model::{Trigger, WEBHOOK_LIMIT, Webhook};
use crate::secrets::{Purpose, Unopenable};

#[derive(Clone, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
struct WebhookItem {
    id: WebhookId,
    app_id: AppId,
    target: String,
    triggers: Vec<Trigger>,
    sealed_secret: String,
    include_client: bool,
    include_full_app_user: bool,
}

impl Store {
    /// As remembered for up to a second: a change counts within two, since a cheap read may lag as well. That there are
    /// none is asked for certain, since events are dropped for it.
    pub async fn webhooks(&self, app: AppId) -> Result<Arc<Vec<Webhook>>, StoreError> {
        if let Some(webhooks) = self.caches.webhooks.get(&app) {
            return Ok(webhooks);
        }
        let mut webhooks = self.list_webhooks(app, false).await?;
        if webhooks.is_empty() {
            webhooks = self.current_webhooks(app).await?;
        }
        let webhooks = Arc::new(webhooks);
        self.caches.webhooks.put(app, Arc::clone(&webhooks));
        Ok(webhooks)
    }

    /// As they are now, oldest first.
    pub async fn current_webhooks(&self, app: AppId) -> Result<Vec<Webhook>, StoreError> {
        self.list_webhooks(app, true).await
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
        let item = self.get_consistent::<WebhookItem>("webhook", &keys::webhook(app, id)).await?;
        Ok(item.map(|item| self.open_webhook(item)).transpose()?)
    }

    pub async fn create_webhook(&self, webhook: &Webhook) -> Result<Creation, StoreError> {
        let (app, item) = (keys::app(webhook.app_id), self.seal_webhook(webhook));
        let count = || {
            Change::of(&app, "ADD webhookCount :one")
                .when("attribute_exists(pk) AND (attribute_not_exists(webhookCount) OR webhookCount < :limit)")
                .value(":one", &1)
                .value(":limit", &WEBHOOK_LIMIT)
        };
        let key = keys::webhook(webhook.app_id, webhook.id);
        let writes = || Transaction::new().update(self, count()).put_absent(self, &key, &item);
        if self.commit(writes).await?.is_empty() {
            return Ok(Creation::Done);
        }
        let is_there = self.get_consistent::<serde::de::IgnoredAny>("app", &app).await?.is_some();
        Ok(if is_there { Creation::Full } else { Creation::NoOwner })
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
        let item = self.revise("webhook", &keys::webhook(app, id), edit).await?;
        Ok(item.map(|item| self.open_webhook(item.value)).transpose().map_err(StoreError::from)?)
    }

    /// `false`: there was none.
    pub async fn delete_webhook(&self, app: AppId, id: WebhookId) -> Result<bool, StoreError> {
        let (owner, key) = (keys::app(app), keys::webhook(app, id));
        let uncount = || Change::of(&owner, "ADD webhookCount :less").when("attribute_exists(pk)").value(":less", &-1);
        let there = || Change::of(&key, "").when("attribute_exists(pk)");
        let writes = || Transaction::new().delete(self, there()).update(self, uncount());
        Ok(self.commit(writes).await?.is_empty())
    }

    async fn list_webhooks(&self, app: AppId, consistent: bool) -> Result<Vec<Webhook>, StoreError> {
        let range = Range {
            pk: &keys::app_partition(app),
            from: keys::WEBHOOK_PREFIX,
            to: &format!("{}~", keys::WEBHOOK_PREFIX),
            newest_first: false,
            consistent,
            limit: WEBHOOK_LIMIT as i32,
        };
        let items = self.query::<WebhookItem>("webhook", range).await?;
        Ok(items.into_iter().map(|item| self.open_webhook(item)).collect::<Result<_, _>>()?)
    }

    fn seal_webhook(&self, webhook: &Webhook) -> WebhookItem {
        WebhookItem {
            id: webhook.id,
            app_id: webhook.app_id,
            target: webhook.target.clone(),
            triggers: webhook.triggers.clone(),
            sealed_secret: self.sealer.seal_secret(Purpose::WebhookSecret, &webhook.id.to_string(), &webhook.secret),
            include_client: webhook.include_client,
            include_full_app_user: webhook.include_full_app_user,
        }
    }

    fn open_webhook(&self, item: WebhookItem) -> Result<Webhook, Unopenable> {
        let secret = self.sealer.open_secret(Purpose::WebhookSecret, &item.id.to_string(), &item.sealed_secret)?;
        Ok(Webhook {
            id: item.id,
            app_id: item.app_id,
            target: item.target,
            triggers: item.triggers,
            secret,
            include_client: item.include_client,
            include_full_app_user: item.include_full_app_user,
        })
    }
}
