//! Menus: one of the app, and one of each integration that has its own.

use crate::ids::{AppId, IntegrationId};
use crate::model::Menu;
use crate::store::table::{Committed, ItemChange, Label, Transaction, keys};
use crate::store::{Store, StoreError};

const INTEGRATION: Label = Label("the integration is there");

/// Whether a menu takes the place of one that is there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum MenuPlace {
    Empty,
    Any,
}

/// What became of writing a menu.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum MenuWritten {
    Done,
    NoIntegration,
    /// There is one already.
    Taken,
}

impl Store {
    pub async fn menu(&self, app: AppId, integration: Option<IntegrationId>) -> Result<Option<Menu>, StoreError> {
        self.table.get(&keys::menu(app, integration)).await
    }

    pub async fn put_menu(&self, app: AppId, menu: &Menu) -> Result<(), StoreError> {
        self.table.put(&keys::menu(app, None), menu).await?;
        Ok(())
    }

    /// A menu of an integration that is there.
    pub async fn put_integration_menu(
        &self,
        app: AppId,
        integration: IntegrationId,
        menu: &Menu,
        place: MenuPlace,
    ) -> Result<MenuWritten, StoreError> {
        let key = keys::menu(app, Some(integration));
        let place = match place {
            MenuPlace::Empty => ItemChange::of(&key).when_absent(),
            MenuPlace::Any => ItemChange::of(&key),
        };
        let there = ItemChange::of(&keys::integration(app, integration)).when_there().labelled(INTEGRATION);
        Ok(match self.table.commit(Transaction::new().check(there).put(place, menu)).await? {
            Committed::Done => MenuWritten::Done,
            refused if refused.is_refused_by(INTEGRATION) => MenuWritten::NoIntegration,
            Committed::Refused(_) => MenuWritten::Taken,
        })
    }

    /// `false`: there was none.
    pub async fn delete_menu(&self, app: AppId, integration: Option<IntegrationId>) -> Result<bool, StoreError> {
        self.table.take_away(ItemChange::of(&keys::menu(app, integration)).when_there()).await
    }
}
