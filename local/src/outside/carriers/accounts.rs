//! Who has an account with which carrier.

use std::collections::HashMap;
use std::sync::{Arc, PoisonError, RwLock};

use shared::ids::{AppId, IntegrationId};
use shared::model::{ChannelType, Integration, Settings};

use super::carrier::{self, Carrier};

/// An integration's account with its carrier.
#[derive(Clone)]
pub struct Account {
    pub app_id: AppId,
    pub integration_id: IntegrationId,
    pub carrier: &'static dyn Carrier,
    pub settings: Settings,
    /// The part of the credentials that says who is calling.
    login: String,
}

impl Account {
    /// `None` for an integration whose carrier isn't simulated.
    pub fn of(integration: &Integration) -> Option<Self> {
        let carrier = carrier::of_channel(integration.channel()?)?;
        Some(Self {
            app_id: integration.app_id,
            integration_id: integration.id,
            carrier,
            settings: integration.settings.clone(),
            login: carrier.login(&integration.settings)?,
        })
    }

    pub fn channel(&self) -> ChannelType {
        self.carrier.channel()
    }

    /// Where the integration's callbacks go, below the public URL.
    pub fn callback_path(&self) -> String {
        format!("/callbacks/{}/{}/{}", self.channel(), self.app_id, self.integration_id)
    }

    fn login(&self) -> (ChannelType, String) {
        (self.channel(), self.login.clone())
    }
}

#[derive(Default)]
pub struct Accounts(RwLock<Registry>);

#[derive(Default)]
struct Registry {
    by_integration: HashMap<IntegrationId, Arc<Account>>,
    /// Several integrations may share one account.
    by_login: HashMap<(ChannelType, String), Vec<Arc<Account>>>,
}

impl Accounts {
    pub fn add(&self, account: Account) {
        self.remove(account.integration_id);
        let account = Arc::new(account);
        let mut registry = self.0.write().unwrap_or_else(PoisonError::into_inner);
        registry.by_login.entry(account.login()).or_default().push(Arc::clone(&account));
        registry.by_integration.insert(account.integration_id, account);
    }

    pub fn remove(&self, integration_id: IntegrationId) {
        let mut registry = self.0.write().unwrap_or_else(PoisonError::into_inner);
        if let Some(account) = registry.by_integration.remove(&integration_id)
            && let Some(sharing) = registry.by_login.get_mut(&account.login())
        {
            sharing.retain(|other| other.integration_id != integration_id);
            if sharing.is_empty() {
                registry.by_login.remove(&account.login());
            }
        }
    }

    pub fn of_integration(&self, integration_id: IntegrationId) -> Option<Arc<Account>> {
        self.0.read().unwrap_or_else(PoisonError::into_inner).by_integration.get(&integration_id).cloned()
    }

    /// All that share the account of that SID or access key; empty when there is no such account.
    pub fn of_login(&self, channel: ChannelType, name: &str) -> Vec<Arc<Account>> {
        let registry = self.0.read().unwrap_or_else(PoisonError::into_inner);
        registry.by_login.get(&(channel, name.to_owned())).cloned().unwrap_or_default()
    }
}
