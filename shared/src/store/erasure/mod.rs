//! Taking things away for good, in steps: whatever dies half-way is done again from what is left.
//!
//! Order matters. What leads to other items goes last: an address's match after its records, a person's listing after
//! everything it points to. What makes new items goes first: an app's integrations before its people.

mod history;
mod pages;
mod people;
mod records;

use std::collections::BTreeSet;

use super::keys;
use super::{Item, Store, StoreError};
use crate::flow::erasure::{Budget, Progress};
use crate::ids::{AppId, AppUserId};

pub(super) use pages::{EVERYTHING, key_of};

pub use history::{HistoryPage, HistoryPart};
pub use people::Leaving;

impl Store {
    /// All people of an app that is deleted, from a shard on. The shard to go on with, if it is not done.
    pub async fn erase_people(&self, app: AppId, from: u16, budget: &mut Budget) -> Result<Option<u16>, StoreError> {
        for shard in from..keys::USER_SHARDS {
            let shard_number = u8::try_from(shard).unwrap_or(u8::MAX);
            if self.erase_shard(app, shard_number, budget).await? != Progress::Done {
                return Ok(Some(shard));
            }
        }
        Ok(None)
    }

    /// The app's own partition: integrations, webhooks, templates, menus. Whether anything was there.
    pub async fn erase_settings(&self, app: AppId, budget: &mut Budget) -> Result<bool, StoreError> {
        let pk = keys::app_partition(app);
        let mut found = false;
        loop {
            budget.spend(1);
            let (items, _) = self.page(&pk, EVERYTHING, None).await?;
            if items.is_empty() || budget.is_spent() {
                return Ok(found || !items.is_empty());
            }
            found = true;
            let keys: Vec<_> = items.iter().filter_map(key_of).collect();
            budget.spend(self.delete_all(&keys).await?);
        }
    }

    async fn erase_shard(&self, app: AppId, shard: u8, budget: &mut Budget) -> Result<Progress, StoreError> {
        let pk = keys::user_shard(app, shard);
        loop {
            if budget.is_spent() {
                return Ok(Progress::More);
            }
            budget.spend(1);
            let (items, _) = self.page(&pk, EVERYTHING, None).await?;
            if items.is_empty() {
                return Ok(Progress::Done);
            }
            for id in people(&items) {
                if self.erase_everything(app, id, budget).await? != Progress::Done {
                    return Ok(Progress::More);
                }
            }
        }
    }

    /// A person of a deleted app: nobody is left to whom an address could belong by now.
    async fn erase_everything(&self, app: AppId, id: AppUserId, budget: &mut Budget) -> Result<Progress, StoreError> {
        let remains = self.remains(app, id).await?;
        budget.spend(remains.ids.len() + remains.names.len());
        for address in &remains.addresses {
            if self.erase_stretch(&address.pk, EVERYTHING, budget).await? != Progress::Done {
                return Ok(Progress::More);
            }
        }
        if self.erase_conversations(app, &remains, budget).await? != Progress::Done {
            return Ok(Progress::More);
        }
        self.erase_names(app, &remains).await?;
        // The last merged first: what leads to somebody goes after them.
        for id in remains.ids.iter().rev() {
            if self.erase_listing(app, *id, budget).await? != Progress::Done {
                return Ok(Progress::More);
            }
        }
        Ok(Progress::Done)
    }
}

/// Whose listings these items are of.
fn people(items: &[Item]) -> BTreeSet<AppUserId> {
    let id = |item: &Item| item.get(keys::SK)?.as_s().ok()?.split('#').next()?.parse().ok();
    items.iter().filter_map(id).collect()
}
