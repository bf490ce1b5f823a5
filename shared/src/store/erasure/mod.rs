//! Taking things away for good, in steps, each of which begins where the last one ended.
//!
//! Order matters, since a step may die half-way and be made again. What leads to other items goes last: an address's
//! match after its records, a person's listing after everything it points to. What makes new items goes first: an app's
//! integrations before its people.

mod apps;
mod history;
mod orphans;
mod people;
mod records;

use crate::erasure::{Budget, Progress};
use crate::store::table::keys::Key;
use crate::store::table::{Item, Page, Query};
use crate::store::{Store, StoreError};

pub use apps::PeopleWalk;
pub use history::{HistoryPage, HistoryPart};
pub use orphans::Orphans;
pub use people::{Leaving, Walked};

impl Store {
    /// Everything that a query finds.
    async fn erase_all(&self, query: &Query, budget: &mut Budget) -> Result<Progress, StoreError> {
        loop {
            if budget.is_spent() {
                return Ok(Progress::More);
            }
            budget.spend(1);
            let Page { items, last } = self.table.page(query).await?;
            let keys = keys_of(&items);
            budget.spend(self.table.delete_all(&keys).await?);
            budget.erase(keys.len());
            if last.is_none() {
                return Ok(Progress::Done);
            }
        }
    }
}

fn keys_of(items: &[Item]) -> Vec<Key> {
    items.iter().filter_map(Key::of).collect()
}
