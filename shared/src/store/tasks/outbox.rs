//! Whether the write that a task speaks of was made.

use serde::Serialize;

use crate::ids::AppId;
use crate::outbox::{MARK_DAYS, Mark, OutboxEntry};
use crate::store::people::users::UserItem;
use crate::store::table::keys::{self, AddressPartition};
use crate::store::table::seconds_from;
use crate::store::table::transaction::Transaction;
use crate::store::{Store, StoreError};
use crate::system::now;
use crate::tasks::MessagePlace;

#[derive(Serialize)]
struct MarkItem {
    ttl: i64,
}

impl Transaction {
    /// Says from now on that this was written.
    pub(in crate::store) fn mark(self, app: AppId, mark: Mark) -> Self {
        let item = MarkItem { ttl: seconds_from(now(), MARK_DAYS) };
        self.put(&keys::mark(app, mark.conversation, mark.id), &item)
    }
}

impl Store {
    /// Read consistently: a write that was answered is seen.
    pub async fn was_made(&self, app: AppId, mark: Mark) -> Result<bool, StoreError> {
        self.table.is_there(&keys::mark(app, mark.conversation, mark.id)).await
    }

    /// Whether there is a message at a place.
    pub async fn is_kept(&self, app: AppId, place: MessagePlace) -> Result<bool, StoreError> {
        self.table.is_there(&keys::message(app, place.conversation, place.received, place.id)).await
    }

    /// Of an entry without a mark: whether what it wrote is there.
    pub async fn is_there(&self, app: AppId, entry: &OutboxEntry) -> Result<bool, StoreError> {
        match entry {
            OutboxEntry::Message { conversation, received, id, .. } => {
                let place = MessagePlace { conversation: *conversation, received: *received, id: *id };
                self.is_kept(app, place).await
            }
            OutboxEntry::Link { link, .. } => {
                Ok(self.link(app, &link.client).await?.is_some_and(|found| found.id == link.id))
            }
            OutboxEntry::Unlinking { user, integration, address, .. } => {
                let at = AddressPartition::new(app, *integration, address);
                let owner = self.find_match(&at).await?;
                Ok(owner.is_none_or(|owner| owner.result.app_user_id != *user))
            }
            OutboxEntry::Merge { discarded, .. } => {
                let found = self.table.get(&keys::app_user(app, *discarded)).await?;
                Ok(matches!(found, Some(UserItem::Merged { .. })))
            }
        }
    }
}
