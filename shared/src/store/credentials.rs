//! API keys and apps. A key's secret is sealed, not hashed: JWTs are checked with the secret itself.

use serde::{Deserialize, Serialize};

use super::{Store, StoreError, keys};
use crate::ids::{AppId, KeyId};
use crate::model::{ApiKey, App, KeyOwner};
use crate::secrets::Purpose;

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
struct KeyItem {
    id: KeyId,
    owner: KeyOwner,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    name: Option<String>,
    sealed_secret: String,
}

impl Store {
    pub async fn api_key(&self, id: &KeyId) -> Result<Option<ApiKey>, StoreError> {
        if let Some(key) = self.caches.keys.get(id) {
            return Ok(Some(key));
        }
        let Some(item) = self.get::<KeyItem>("API key", &keys::api_key(id)).await? else {
            return Ok(None);
        };
        let secret = self.sealer.open_secret(Purpose::KeySecret, item.id.as_str(), &item.sealed_secret)?;
        let key = ApiKey { id: item.id, owner: item.owner, name: item.name, secret };
        self.caches.keys.put(id.clone(), key.clone());
        Ok(Some(key))
    }

    pub async fn put_api_key(&self, key: &ApiKey) -> Result<(), StoreError> {
        let item = KeyItem {
            id: key.id.clone(),
            owner: key.owner,
            name: key.name.clone(),
            sealed_secret: self.sealer.seal_secret(Purpose::KeySecret, key.id.as_str(), &key.secret),
        };
        self.put("API key", &keys::api_key(&key.id), &item).await
    }

    pub async fn app(&self, id: AppId) -> Result<Option<App>, StoreError> {
        if let Some(app) = self.caches.apps.get(&id) {
            return Ok(Some(app));
        }
        let app = self.get::<App>("app", &keys::app(id)).await?;
        if let Some(app) = &app {
            self.caches.apps.put(id, app.clone());
        }
        Ok(app)
    }

    pub async fn put_app(&self, app: &App) -> Result<(), StoreError> {
        self.put("app", &keys::app(app.id), app).await
    }
}
