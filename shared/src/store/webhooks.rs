//! Webhooks. At most ten an app (v1.1 reference, 6.1), so one query reads them all.

use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::{Range, Store, StoreError, keys};
use crate::ids::{AppId, WebhookId};
use crate::model::{Trigger, Webhook};
use crate::secrets::Purpose;

pub const WEBHOOK_LIMIT: i32 = 10;

#[derive(Serialize, Deserialize)]
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
    pub async fn webhooks(&self, app: AppId) -> Result<Arc<Vec<Webhook>>, StoreError> {
        if let Some(webhooks) = self.caches.webhooks.get(&app) {
            return Ok(webhooks);
        }
        let range = Range {
            pk: &keys::app_partition(app),
            from: keys::WEBHOOK_PREFIX,
            to: &format!("{}~", keys::WEBHOOK_PREFIX),
            newest_first: false,
            consistent: false,
            limit: WEBHOOK_LIMIT,
        };
        let items = self.query::<WebhookItem>("webhook", range).await?;
        let webhooks = items.into_iter().map(|item| self.open_webhook(item)).collect::<Result<Vec<_>, _>>()?;
        let webhooks = Arc::new(webhooks);
        self.caches.webhooks.put(app, Arc::clone(&webhooks));
        Ok(webhooks)
    }

    /// One webhook, also one so new that the cached list does not have it.
    pub async fn webhook(&self, app: AppId, id: WebhookId) -> Result<Option<Webhook>, StoreError> {
        if let Some(webhook) = self.webhooks(app).await?.iter().find(|webhook| webhook.id == id) {
            return Ok(Some(webhook.clone()));
        }
        let item = self.get::<WebhookItem>("webhook", &keys::webhook(app, id)).await?;
        item.map(|item| self.open_webhook(item)).transpose()
    }

    pub async fn put_webhook(&self, webhook: &Webhook) -> Result<(), StoreError> {
        let item = WebhookItem {
            id: webhook.id,
            app_id: webhook.app_id,
            target: webhook.target.clone(),
            triggers: webhook.triggers.clone(),
            sealed_secret: self.sealer.seal_secret(Purpose::WebhookSecret, &webhook.id.to_string(), &webhook.secret),
            include_client: webhook.include_client,
            include_full_app_user: webhook.include_full_app_user,
        };
        self.put("webhook", &keys::webhook(webhook.app_id, webhook.id), &item).await
    }

    fn open_webhook(&self, item: WebhookItem) -> Result<Webhook, StoreError> {
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
