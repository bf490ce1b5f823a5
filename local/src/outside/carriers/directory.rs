//! Integrations that nobody registered: made or changed through the product's API, and looked up in its table.
//!
//! A send names its integration in the callback URL it gives, so that is where one is first heard of. What a deployed
//! carrier knows from its own customers, these learn from the table.

use std::collections::HashMap;
use std::sync::Arc;

use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::types::AttributeValue;
use shared::ids::{AppId, IntegrationId};
use shared::store::{Store, keys};
use shared::system::System;

use super::State;
use super::accounts::Account;

/// The product's table, with the product's own eyes and with a plain client.
#[derive(Clone)]
pub struct Table {
    pub store: Store,
    pub client: Client,
    pub name: String,
}

/// The table, where the engine has one.
pub struct Directory(Option<Table>);

impl Directory {
    pub fn new(table: Option<Table>) -> Self {
        Self(table)
    }
}

impl Table {
    /// Whose an integration is. Reads the whole table: nobody asks but a person who plays with a new integration.
    async fn owner(&self, integration: IntegrationId) -> Option<AppId> {
        // The keys of any app's integration begin and end like this one's.
        let key = keys::integration(AppId::generate(&System), integration);
        let mut pages = self.client.scan().table_name(&self.name).consistent_read(true).filter_expression("sk = :sk");
        pages = pages.expression_attribute_values(":sk", AttributeValue::S(key.sk));
        let mut pages = pages.into_paginator().items().send();
        while let Some(Ok(item)) = pages.next().await {
            if let Some(app) = app(&item) {
                return Some(app);
            }
        }
        None
    }
}

fn app(item: &HashMap<String, AttributeValue>) -> Option<AppId> {
    item.get(keys::PK)?.as_s().ok()?.strip_prefix(keys::APP_PREFIX)?.parse().ok()
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
        let Directory(Some(table)) = &self.0.directory else { return };
        if let Ok(Some(found)) = table.store.current_integration(app, integration).await {
            self.know(&found);
        }
    }

    /// An integration's account, looked up where nobody has heard of it yet.
    pub(super) async fn account(&self, integration: IntegrationId) -> Option<Arc<Account>> {
        if let Some(known) = self.0.accounts.of_integration(integration) {
            return Some(known);
        }
        let Directory(table) = &self.0.directory;
        let app = table.as_ref()?.owner(integration).await?;
        self.meet(app, integration).await;
        self.0.accounts.of_integration(integration)
    }
}
