//! Integrations. Carrier credentials are sealed for the app and integration they belong to.
//!
//! One that is switched off is not remembered: what is refused or failed for it is refused by what the table says now.

use std::convert::Infallible;

use serde::{Deserialize, Serialize};

use super::sealed::EditError;
use crate::ids::{AppId, IntegrationId};
use crate::model::{ExpiredClaim, FileKey, Integration, IntegrationType, Secret, Settings, Switch};
use crate::secrets::{Keyring, Purpose, Unopenable};
use crate::store::table::revisions::{self, Revised};
use crate::store::table::{ItemChange, Query, Transaction, Written, keys};
use crate::store::{Store, StoreError};

/// What a sender notes while the business changes something else is noted anew over the change.
const NOTE_TRIES: usize = 3;

/// Fields of `settings` that are named `sealed…` hold ciphertext.
#[derive(Clone, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
struct IntegrationItem {
    id: IntegrationId,
    app_id: AppId,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    display_name: Option<String>,
    #[serde(default, rename = "status")]
    switch: Switch,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    error: Option<String>,
    #[serde(default)]
    expired_claim: ExpiredClaim,
    settings: Settings<Sealed>,
}

/// A secret as the table holds it.
#[derive(Clone, Serialize, Deserialize)]
#[serde(transparent)]
struct Sealed(String);

impl Store {
    /// One of this app's integrations, as remembered for up to 30 seconds; another app's is not found.
    pub async fn integration(&self, app: AppId, id: IntegrationId) -> Result<Option<Integration>, StoreError> {
        match self.caches.integrations.get(&(app, id)) {
            Some(integration) => Ok(Some(integration)),
            None => self.remember_integration(app, id).await,
        }
    }

    /// The integration as it is now, for whoever has reason to think that it was changed; remembered anew. `None` where it
    /// was asked for so within the last second: whoever gives such reasons all the time causes no more reads than that.
    pub async fn integration_anew(&self, app: AppId, id: IntegrationId) -> Result<Option<Integration>, StoreError> {
        if self.caches.asked_anew.get(&(app, id)).is_some() {
            return Ok(None);
        }
        self.caches.asked_anew.put((app, id), ());
        self.remember_integration(app, id).await
    }

    async fn remember_integration(&self, app: AppId, id: IntegrationId) -> Result<Option<Integration>, StoreError> {
        let found = self.current_integration(app, id).await?;
        match found.as_ref().filter(|found| !found.is_off()) {
            Some(found) => self.caches.integrations.put((app, id), found.clone()),
            None => self.caches.integrations.forget(&(app, id)),
        }
        Ok(found)
    }

    /// One integration as it is now.
    pub async fn current_integration(&self, app: AppId, id: IntegrationId) -> Result<Option<Integration>, StoreError> {
        let key = keys::integration(app, id);
        let Some(item) = self.table.get::<Revised<IntegrationItem>>(&key).await? else { return Ok(None) };
        Ok(Some(self.sealer.opening(|keys| open(keys, item.clone())).await?))
    }

    /// Of what type an integration is, as of now. `None`: there is none. Opens no secret.
    pub async fn integration_type(&self, app: AppId, id: IntegrationId) -> Result<Option<IntegrationType>, StoreError> {
        let item = self.table.get::<IntegrationItem>(&keys::integration(app, id)).await?;
        Ok(item.map(|item| item.settings.kind()))
    }

    /// The photo that an integration's profile shows now. Opens no secret.
    pub async fn integration_photo(&self, app: AppId, id: IntegrationId) -> Result<Option<FileKey>, StoreError> {
        let item = self.table.get::<Revised<IntegrationItem>>(&keys::integration(app, id)).await?;
        let blank = |_| Ok::<_, Infallible>(Secret::new(""));
        Ok(item.and_then(|item| {
            let Ok(integration) = with_secrets(item, blank);
            integration.photo()
        }))
    }

    /// All of the app's, as they are now, oldest first.
    pub async fn integrations(&self, app: AppId) -> Result<Vec<Integration>, StoreError> {
        let listed = Query::of(keys::app_partition(app)).under(keys::INTEGRATION_PREFIX);
        let items: Vec<Revised<IntegrationItem>> = self.table.query(listed).await?;
        let open_all = |keys: &Keyring| items.iter().map(|item| open(keys, item.clone())).collect();
        Ok(self.sealer.opening(open_all).await?)
    }

    pub async fn put_integration(&self, integration: &Integration) -> Result<(), StoreError> {
        let key = keys::integration(integration.app_id, integration.id);
        let keys = self.sealer.keys().await?;
        self.table.put(&key, &seal(&keys, integration.clone())).await?;
        Ok(())
    }

    /// Edits an integration; what others change at the same time stays. `None`: there is none.
    pub async fn change_integration<E: From<StoreError>>(
        &self,
        app: AppId,
        id: IntegrationId,
        edit: impl Fn(Integration) -> Result<Integration, E>,
    ) -> Result<Option<Integration>, E> {
        let edit = |keys: &Keyring, item| {
            let old = open(keys, Revised::first(item))?;
            Ok(seal(keys, edit(old).map_err(EditError::Theirs)?))
        };
        let Some(item) = self.revise_sealed(&keys::integration(app, id), edit).await? else { return Ok(None) };
        Ok(Some(self.sealer.opening(|keys| open(keys, item.clone())).await.map_err(StoreError::from)?))
    }

    /// Notes what an integration's carrier has against it, or that it has nothing any more: of these very settings,
    /// whatever else was changed since they were read. `true`: it was written.
    ///
    /// Written once for each change: those who send at the same moment know of it by what this function remembers. And
    /// a carrier that says now this and now that is noted as ill only once in 30 seconds.
    pub async fn note_health(&self, integration: &Integration, error: Option<&str>) -> Result<bool, StoreError> {
        let name = (integration.app_id, integration.id);
        let is_news =
            |seen: &Integration| seen.settings == integration.settings && seen.error.is_some() != error.is_some();
        let mut seen = Some(self.caches.integrations.get(&name).unwrap_or_else(|| integration.clone()));
        for _ in 0..NOTE_TRIES {
            let Some(old) = seen.filter(is_news) else { return Ok(false) };
            if error.is_some() && self.caches.recovered.get(&name).is_some() {
                return Ok(false);
            }
            let new = Integration { error: error.map(str::to_owned), revision: old.revision + 1, ..old.clone() };
            self.caches.integrations.put(name, new);
            if error.is_none() {
                self.caches.recovered.put(name, ());
            }
            match self.table.update(noting(&old, error)).await {
                Ok(Written::Done(_)) => return Ok(true),
                Ok(Written::Refused(_)) => seen = self.remember_integration(integration.app_id, integration.id).await?,
                Err(error) => {
                    self.caches.integrations.forget(&name);
                    return Err(error);
                }
            }
        }
        Ok(false)
    }

    /// Takes an integration away with its menu. `false`: there was none.
    pub async fn delete_integration(&self, app: AppId, id: IntegrationId) -> Result<bool, StoreError> {
        let there = ItemChange::of(&keys::integration(app, id)).when_there();
        let writes = Transaction::new().delete(there).delete(&keys::menu(app, Some(id)));
        Ok(self.table.commit(writes).await?.is_done())
    }
}

fn seal(keys: &Keyring, integration: Integration) -> IntegrationItem {
    let owner = owner(integration.app_id, integration.id);
    let seal =
        |secret: Secret| Ok::<_, Infallible>(Sealed(keys.seal_secret(Purpose::CarrierCredential, &owner, &secret)));
    let Ok(settings) = integration.settings.with_secrets(seal);
    IntegrationItem {
        id: integration.id,
        app_id: integration.app_id,
        display_name: integration.display_name,
        switch: integration.switch,
        error: integration.error,
        expired_claim: integration.expired_claim,
        settings,
    }
}

fn open(keys: &Keyring, item: Revised<IntegrationItem>) -> Result<Integration, Unopenable> {
    let owner = owner(item.value.app_id, item.value.id);
    with_secrets(item, |sealed| keys.open_secret(Purpose::CarrierCredential, &owner, &sealed.0))
}

fn with_secrets<E>(
    item: Revised<IntegrationItem>,
    open: impl Fn(Sealed) -> Result<Secret, E>,
) -> Result<Integration, E> {
    let Revised { value: item, revision } = item;
    Ok(Integration {
        id: item.id,
        app_id: item.app_id,
        display_name: item.display_name,
        switch: item.switch,
        error: item.error,
        expired_claim: item.expired_claim,
        settings: item.settings.with_secrets(open)?,
        revision,
    })
}

/// Holds while nobody has changed the integration since it was read.
fn noting(old: &Integration, error: Option<&str>) -> ItemChange {
    let unchanged = revisions::unchanged(&keys::integration(old.app_id, old.id), old.revision);
    let next = unchanged.set("revision", &(old.revision + 1)).marked();
    match error {
        Some(error) => next.set("error", error),
        None => next.remove("error"),
    }
}

fn owner(app: AppId, integration: IntegrationId) -> String {
    format!("{app}/{integration}")
}
