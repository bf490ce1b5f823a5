//! Integrations. Carrier credentials are sealed for the app and integration they belong to.

use std::convert::Infallible;

use serde::{Deserialize, Serialize};

use super::transaction::{Change, Outcome, TRIES, Transaction, back_off};
use super::{Store, StoreError, keys};
use crate::ids::{AppId, IntegrationId};
use crate::model::{ExpiredClaim, Integration, IntegrationStatus, Secret, Settings};
use crate::secrets::{Purpose, Unopenable};

/// Fields of `settings` that are named `sealed…` hold ciphertext.
#[derive(Clone, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
struct IntegrationItem {
    id: IntegrationId,
    app_id: AppId,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    display_name: Option<String>,
    #[serde(default)]
    status: IntegrationStatus,
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
        if let Some(integration) = self.caches.integrations.get(&(app, id)) {
            return Ok(Some(integration));
        }
        let Some(item) = self.get::<IntegrationItem>("integration", &keys::integration(app, id)).await? else {
            return Ok(None);
        };
        let integration = self.open_integration(item)?;
        self.caches.integrations.put((app, id), integration.clone());
        Ok(Some(integration))
    }

    /// One integration as it is now.
    pub async fn current_integration(&self, app: AppId, id: IntegrationId) -> Result<Option<Integration>, StoreError> {
        let item = self.get_consistent::<IntegrationItem>("integration", &keys::integration(app, id)).await?;
        Ok(item.map(|item| self.open_integration(item)).transpose()?)
    }

    /// All of the app's, as they are now, oldest first.
    pub async fn integrations(&self, app: AppId) -> Result<Vec<Integration>, StoreError> {
        let pk = keys::app_partition(app);
        let items = self.list::<IntegrationItem>("integration", &pk, keys::INTEGRATION_PREFIX, true).await?;
        Ok(items.into_iter().map(|item| self.open_integration(item)).collect::<Result<_, _>>()?)
    }

    pub async fn put_integration(&self, integration: &Integration) -> Result<(), StoreError> {
        let key = keys::integration(integration.app_id, integration.id);
        self.put("integration", &key, &self.seal_integration(integration.clone())).await
    }

    /// Edits an integration; what others change at the same time stays. `None`: there is none.
    pub async fn change_integration<E: From<StoreError>>(
        &self,
        app: AppId,
        id: IntegrationId,
        edit: impl Fn(Integration) -> Result<Integration, E>,
    ) -> Result<Option<Integration>, E> {
        let edit = |item| -> Result<_, E> {
            let old = self.open_integration(item).map_err(StoreError::from)?;
            Ok(self.seal_integration(edit(old)?))
        };
        let item = self.revise("integration", &keys::integration(app, id), edit).await?;
        Ok(item.map(|item| self.open_integration(item)).transpose().map_err(StoreError::from)?)
    }

    /// Takes an integration away with its menu. `false`: there was none.
    pub async fn delete_integration(&self, app: AppId, id: IntegrationId) -> Result<bool, StoreError> {
        let there = Change::of(&keys::integration(app, id), "").when("attribute_exists(pk)");
        let menu = keys::menu(app, Some(id));
        for attempt in 0..TRIES {
            let write = Transaction::new().delete(self, there.clone()).delete(self, Change::of(&menu, ""));
            match write.commit(self).await? {
                Outcome::Done => return Ok(true),
                Outcome::Refused(_) => return Ok(false),
                Outcome::Collided => back_off(attempt).await,
            }
        }
        Err(StoreError::Contended)
    }

    fn seal_integration(&self, integration: Integration) -> IntegrationItem {
        let owner = owner(integration.app_id, integration.id);
        let seal = |secret: Secret| {
            Ok::<_, Infallible>(Sealed(self.sealer.seal_secret(Purpose::CarrierCredential, &owner, &secret)))
        };
        let Ok(settings) = integration.settings.with_secrets(seal);
        IntegrationItem {
            id: integration.id,
            app_id: integration.app_id,
            display_name: integration.display_name,
            status: integration.status,
            expired_claim: integration.expired_claim,
            settings,
        }
    }

    fn open_integration(&self, item: IntegrationItem) -> Result<Integration, Unopenable> {
        let owner = owner(item.app_id, item.id);
        let open = |sealed: Sealed| self.sealer.open_secret(Purpose::CarrierCredential, &owner, &sealed.0);
        Ok(Integration {
            id: item.id,
            app_id: item.app_id,
            display_name: item.display_name,
            status: item.status,
            expired_claim: item.expired_claim,
            settings: item.settings.with_secrets(open)?,
        })
    }
}

fn owner(app: AppId, integration: IntegrationId) -> String {
    format!("{app}/{integration}")
}
