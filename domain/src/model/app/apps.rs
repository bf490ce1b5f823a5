//! The app: one tenant, with its name and settings. And the service account, which acts on the apps linked to it.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::entropy::Entropy;
use crate::ids::{AccountId, AppId, AppToken, IntegrationId, ServiceAccountId};

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct App {
    #[serde(rename = "_id")]
    pub id: AppId,
    /// The account whose keys may act on this app.
    pub account_id: AccountId,
    /// The service account that made it, and whose keys may act on it too.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub service_account_id: Option<ServiceAccountId>,
    /// Shown to people where a fallback text speaks for the business: "Tea House has requested a location".
    pub name: String,
    #[serde(default)]
    pub settings: AppSettings,
    /// Flat, at most 4 kB.
    #[serde(default)]
    pub metadata: Map<String, Value>,
}

impl App {
    pub fn new(entropy: &impl Entropy, account_id: AccountId, name: String) -> Self {
        Self {
            id: AppId::generate(entropy),
            account_id,
            service_account_id: None,
            name,
            settings: AppSettings::default(),
            metadata: Map::new(),
        }
    }

    /// What SDKs of earlier days start with instead of an integration's id.
    pub fn token(&self) -> AppToken {
        AppToken::derive(&[self.id.as_bytes()])
    }
}

/// docs/REFERENCE.md, 12.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct AppSettings {
    /// Whether digits that look like a credit card's are masked in texts.
    pub mask_credit_card_numbers: bool,
    /// Whether people without a name are given one of an animal.
    pub use_animal_names: bool,
    /// Messages are deleted so many seconds after they came. Unset: kept.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub conversation_retention_seconds: Option<u32>,
    /// Whether a click on a postback button becomes a message of the history.
    pub echo_postback: bool,
    /// Whether events that are no messages leave a conversation unstarted.
    pub ignore_auto_conversation_start: bool,
}

impl Default for AppSettings {
    fn default() -> Self {
        Self {
            mask_credit_card_numbers: true,
            use_animal_names: false,
            conversation_retention_seconds: None,
            echo_postback: false,
            ignore_auto_conversation_start: false,
        }
    }
}

/// A name for keys that reach some of an account's apps.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ServiceAccount {
    #[serde(rename = "_id")]
    pub id: ServiceAccountId,
    pub account_id: AccountId,
    pub name: String,
}

impl ServiceAccount {
    pub fn new(entropy: &impl Entropy, account_id: AccountId, name: String) -> Self {
        Self { id: ServiceAccountId::generate(entropy), account_id, name }
    }
}

/// The integrations that SDKs start with.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Sdks {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub android_integration_id: Option<IntegrationId>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ios_integration_id: Option<IntegrationId>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub web_integration_id: Option<IntegrationId>,
}
