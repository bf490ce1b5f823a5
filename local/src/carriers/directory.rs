//! Integrations that nobody registered: made or changed through the product's API, and looked up in its table.
//!
//! A send names its integration in the callback URL it gives, so that is where one is first heard of. What a deployed
//! carrier knows from its own customers, these learn from the table.

use shared::ids::{AppId, IntegrationId};
use shared::store::Store;

use super::State;

/// The table, where the engine has one.
pub struct Directory(Option<Store>);

impl Directory {
    pub fn new(store: Option<Store>) -> Self {
        Self(store)
    }
}

impl State {
    /// Makes the integration behind a callback URL known, as it is now.
    pub(super) async fn meet_caller(&self, callback_url: &str) {
        let Some(path) = self.0.callbacks.path(callback_url) else { return };
        let mut segments = path.trim_start_matches('/').split('/').skip(2);
        let mut next = || segments.next().unwrap_or_default();
        if let (Ok(app), Ok(integration)) = (next().parse(), next().parse()) {
            self.meet(app, integration).await;
        }
    }

    /// Makes an integration known, as it is now.
    pub(super) async fn meet(&self, app: AppId, integration: IntegrationId) {
        let Directory(Some(store)) = &self.0.directory else { return };
        if let Ok(Some(found)) = store.current_integration(app, integration).await {
            self.know(&found);
        }
    }
}
