//! Integrations. Carrier credentials are sealed for the app and integration they belong to.

use serde::{Deserialize, Serialize};

use super::{Store, StoreError, keys};
use crate::ids::{AppId, IntegrationId};
use crate::model::{
    Address, ExpiredClaim, Integration, IntegrationStatus, MessagebirdSettings, Secret, Settings, TwilioSettings,
};
use crate::secrets::{Purpose, Unopenable};

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
struct IntegrationItem {
    id: IntegrationId,
    app_id: AppId,
    #[serde(skip_serializing_if = "Option::is_none")]
    display_name: Option<String>,
    #[serde(default)]
    status: IntegrationStatus,
    #[serde(default)]
    expired_claim: ExpiredClaim,
    settings: SettingsItem,
}

/// Fields named `sealed…` hold ciphertext.
#[derive(Serialize, Deserialize)]
#[serde(rename_all = "lowercase", tag = "type")]
enum SettingsItem {
    #[serde(rename_all = "camelCase")]
    Twilio {
        account_sid: String,
        sealed_auth_token: String,
        phone_number_sid: String,
        phone_number: Address,
        #[serde(skip_serializing_if = "Option::is_none")]
        messaging_service_sid: Option<String>,
    },
    #[serde(rename_all = "camelCase")]
    Messagebird {
        sealed_access_key: String,
        originator: Address,
        #[serde(skip_serializing_if = "Option::is_none")]
        sealed_signing_key: Option<String>,
    },
}

impl Store {
    /// One of this app's integrations; another app's is not found.
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

    /// All of the app's.
    pub async fn integrations(&self, app: AppId) -> Result<Vec<Integration>, StoreError> {
        let pk = keys::app_partition(app);
        let items: Vec<IntegrationItem> = self.list("integration", &pk, keys::INTEGRATION_PREFIX, false).await?;
        items.into_iter().map(|item| Ok(self.open_integration(item)?)).collect()
    }

    pub async fn put_integration(&self, integration: &Integration) -> Result<(), StoreError> {
        let key = keys::integration(integration.app_id, integration.id);
        self.put("integration", &key, &self.seal_integration(integration)).await
    }

    fn seal_integration(&self, integration: &Integration) -> IntegrationItem {
        let owner = owner(integration.app_id, integration.id);
        let seal = |secret: &Secret| self.sealer.seal_secret(Purpose::CarrierCredential, &owner, secret);
        let settings = match &integration.settings {
            Settings::Twilio(twilio) => SettingsItem::Twilio {
                account_sid: twilio.account_sid.clone(),
                sealed_auth_token: seal(&twilio.auth_token),
                phone_number_sid: twilio.phone_number_sid.clone(),
                phone_number: twilio.phone_number.clone(),
                messaging_service_sid: twilio.messaging_service_sid.clone(),
            },
            Settings::Messagebird(messagebird) => SettingsItem::Messagebird {
                sealed_access_key: seal(&messagebird.access_key),
                originator: messagebird.originator.clone(),
                sealed_signing_key: messagebird.signing_key.as_ref().map(seal),
            },
        };
        IntegrationItem {
            id: integration.id,
            app_id: integration.app_id,
            display_name: integration.display_name.clone(),
            status: integration.status,
            expired_claim: integration.expired_claim,
            settings,
        }
    }

    fn open_integration(&self, item: IntegrationItem) -> Result<Integration, Unopenable> {
        let owner = owner(item.app_id, item.id);
        let open = |sealed: String| self.sealer.open_secret(Purpose::CarrierCredential, &owner, &sealed);
        let settings = match item.settings {
            SettingsItem::Twilio {
                account_sid,
                sealed_auth_token,
                phone_number_sid,
                phone_number,
                messaging_service_sid,
            } => Settings::Twilio(TwilioSettings {
                account_sid,
                auth_token: open(sealed_auth_token)?,
                phone_number_sid,
                phone_number,
                messaging_service_sid,
            }),
            SettingsItem::Messagebird { sealed_access_key, originator, sealed_signing_key } => {
                Settings::Messagebird(MessagebirdSettings {
                    access_key: open(sealed_access_key)?,
                    originator,
                    signing_key: sealed_signing_key.map(open).transpose()?,
                })
            }
        };
        Ok(Integration {
            id: item.id,
            app_id: item.app_id,
            display_name: item.display_name,
            status: item.status,
            expired_claim: item.expired_claim,
            settings,
        })
    }
}

fn owner(app: AppId, integration: IntegrationId) -> String {
    format!("{app}/{integration}")
}
