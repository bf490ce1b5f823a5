//! Apps, and where an account lists them.

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::ids::{AccountId, AppId, IntegrationId, ServiceAccountId};
use crate::model::{App, AppChange, Change, KeyOwner, Sdks};
use crate::store::table::keys::{self, Key};
use crate::store::table::{ItemChange, Query, Transaction};
use crate::store::{Store, StoreError};

/// What an account's partition holds of an app.
#[derive(Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
struct AppPointer {
    app_id: AppId,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    service_account_id: Option<ServiceAccountId>,
}

/// An integration, as far as SDKs need to know it.
#[derive(Deserialize)]
struct SdkItem {
    id: IntegrationId,
    settings: SdkSettings,
}

#[derive(Deserialize)]
struct SdkSettings {
    #[serde(rename = "type")]
    kind: String,
}

impl Store {
    /// As it was at most 30 seconds ago.
    pub async fn app(&self, id: AppId) -> Result<Option<App>, StoreError> {
        if let Some(app) = self.caches.apps.get(&id) {
            return Ok(Some(app));
        }
        let app = self.app_now(id).await?;
        if let Some(app) = &app {
            self.caches.apps.put(id, app.clone());
        }
        Ok(app)
    }

    pub async fn app_now(&self, id: AppId) -> Result<Option<App>, StoreError> {
        self.table.get(&keys::app(id)).await
    }

    /// Makes an app, and lists it. `false`: the service account that it is to be linked to is gone.
    pub async fn create_app(&self, app: &App) -> Result<bool, StoreError> {
        let pointer = AppPointer { app_id: app.id, service_account_id: app.service_account_id };
        let listing = keys::account_app(app.account_id, app.id);
        let mut writes = Transaction::new()
            .put(ItemChange::of(&keys::app(app.id)).when_absent(), app)
            .put(ItemChange::of(&listing).when_absent(), &pointer);
        if let Some(service_account) = app.service_account_id {
            let key = keys::service_account(app.account_id, service_account);
            writes = writes.check(ItemChange::of(&key).when_there());
        }
        Ok(self.table.commit(writes).await?.is_done())
    }

    /// Ids of an account's apps, oldest first; of those linked to a service account only, if one is named.
    pub async fn app_ids(
        &self,
        account: AccountId,
        linked_to: Option<ServiceAccountId>,
    ) -> Result<Vec<AppId>, StoreError> {
        let listed = Query::of(keys::account_partition(account)).under(keys::APP_PREFIX);
        let pointers: Vec<AppPointer> = self.table.query(listed).await?;
        let is_wanted = |pointer: &AppPointer| linked_to.is_none() || pointer.service_account_id == linked_to;
        Ok(pointers.into_iter().filter(is_wanted).map(|pointer| pointer.app_id).collect())
    }

    /// Apps in the order of their ids here.
    pub async fn apps(&self, ids: &[AppId]) -> Result<Vec<App>, StoreError> {
        let wanted: Vec<_> = ids.iter().map(|id| keys::app(*id)).collect();
        let mut found = self.table.get_all::<App>(&wanted).await?;
        found.sort_by_key(|app| ids.iter().position(|id| *id == app.id));
        Ok(found)
    }

    /// Changes what the change names, whatever others change at the same time. `None`: the app is gone.
    pub async fn change_app(&self, id: AppId, change: AppChange) -> Result<Option<App>, StoreError> {
        let Some(update) = app_update(&keys::app(id), change) else { return self.app_now(id).await };
        let app = self.table.update(update).await?.read()?;
        self.caches.apps.forget(&id);
        Ok(app.done())
    }

    /// Deletes an app and all its keys at once. `false`: it is gone already. What else it had is left to
    /// [`Store::erase_people`].
    pub async fn delete_app(&self, app: &App) -> Result<bool, StoreError> {
        let pointer = keys::account_app(app.account_id, app.id);
        let deleted = self.delete_owner(KeyOwner::App(app.id), Some(pointer)).await?;
        self.caches.apps.forget(&app.id);
        Ok(deleted)
    }

    /// The integrations that SDKs start with; of several of a type, the oldest.
    pub async fn sdks(&self, app: AppId) -> Result<Sdks, StoreError> {
        let listed = Query::of(keys::app_partition(app)).under(keys::INTEGRATION_PREFIX);
        let items: Vec<SdkItem> = self.table.query(listed).await?;
        let of = |kind: &str| items.iter().find(|item| item.settings.kind == kind).map(|item| item.id);
        Ok(Sdks { android_integration_id: of("android"), ios_integration_id: of("ios"), web_integration_id: of("web") })
    }
}

/// `None` where nothing changes.
fn app_update(key: &Key, change: AppChange) -> Option<ItemChange> {
    let AppChange { name, settings, metadata } = change;
    let retention = match settings.conversation_retention_seconds {
        Change::Set(seconds) => Some(json!(seconds)),
        Change::Keep | Change::Unset => None,
    };
    let forgets = settings.conversation_retention_seconds == Change::Unset;
    let assignments: [(&str, Option<Value>); 7] = [
        ("name", name.map(Value::from)),
        ("metadata", metadata.map(Value::from)),
        ("settings.maskCreditCardNumbers", settings.mask_credit_card_numbers.map(Value::from)),
        ("settings.useAnimalNames", settings.use_animal_names.map(Value::from)),
        ("settings.conversationRetentionSeconds", retention),
        ("settings.echoPostback", settings.echo_postback.map(Value::from)),
        ("settings.ignoreAutoConversationStart", settings.ignore_auto_conversation_start.map(Value::from)),
    ];
    let changes = forgets || assignments.iter().any(|(_, value)| value.is_some());
    let there = ItemChange::of(key).when_there();
    let update = assignments.iter().fold(there, |update, (path, value)| update.set_if(path, value.as_ref()));
    let update = if forgets { update.remove("settings.conversationRetentionSeconds") } else { update };
    changes.then_some(update)
}
