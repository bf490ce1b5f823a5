//! Menus: one of the app, and one of each integration that has its own.

use crate::ids::{AppId, IntegrationId};
use crate::model::Menu;
use crate::store::table::transaction::{Change, Outcome, TRIES, Transaction, back_off};
use crate::store::table::{Written, keys};
use crate::store::{Store, StoreError};

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
        self.get_consistent("menu", &keys::menu(app, integration)).await
    }

    pub async fn put_menu(&self, app: AppId, menu: &Menu) -> Result<(), StoreError> {
        self.put("menu", &keys::menu(app, None), menu).await
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
        for attempt in 0..TRIES {
            let there = Change::of(&keys::integration(app, integration), "").when("attribute_exists(pk)");
            let write = Transaction::new().check(self, there);
            let write = match place {
                MenuPlace::Empty => write.put_absent(self, &key, menu),
                MenuPlace::Any => write.put(self, &key, menu),
            };
            match write.commit(self).await? {
                Outcome::Done => return Ok(MenuWritten::Done),
                Outcome::Refused(refused) if refused.contains(&0) => return Ok(MenuWritten::NoIntegration),
                Outcome::Refused(_) => return Ok(MenuWritten::Taken),
                Outcome::Collided => back_off(attempt).await,
            }
        }
        Err(StoreError::Contended)
    }

    /// `false`: there was none.
    pub async fn delete_menu(&self, app: AppId, integration: Option<IntegrationId>) -> Result<bool, StoreError> {
        Ok(self.take_away(&keys::menu(app, integration)).await? == Written::Yes)
    }
}
