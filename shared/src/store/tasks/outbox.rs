//! Whether the write that a task speaks of was made.

use serde::de::IgnoredAny;
use serde::{Deserialize, Serialize};

use crate::ids::AppId;
use crate::outbox::{MARK_DAYS, Mark, OutboxEntry};
use crate::store::people::users::UserItem;
use crate::store::table::keys::{self, AddressPartition};
use crate::store::table::seconds_from;
use crate::store::table::transaction::Transaction;
use crate::store::{Store, StoreError};
use crate::system::now;
use crate::tasks::MessagePlace;

#[derive(Serialize, Deserialize)]
struct MarkItem {
    ttl: i64,
}

impl Transaction {
    /// Says from now on that this was written.
    pub(in crate::store) fn mark(self, store: &Store, app: AppId, mark: Mark) -> Self {
        let item = MarkItem { ttl: seconds_from(now(), MARK_DAYS) };
        self.put(store, &keys::mark(app, mark.conversation, mark.id), &item)
    }
}

impl Store {
    /// Read consistently: a write that was answered is seen.
    pub async fn was_made(&self, app: AppId, mark: Mark) -> Result<bool, StoreError> {
        let found: Option<MarkItem> = self.get_consistent("mark", &keys::mark(app, mark.conversation, mark.id)).await?;
        Ok(found.is_some())
    }

    /// Whether there is a message at a place.
    pub async fn is_kept(&self, app: AppId, place: MessagePlace) -> Result<bool, StoreError> {
        let key = keys::message(app, place.conversation, place.received, place.id);
        Ok(self.get_consistent::<IgnoredAny>("message", &key).await?.is_some())
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
                let owner: Option<_> = self.find_match(&at, true).await?;
                Ok(owner.is_none_or(|owner| owner.result.app_user_id != *user))
            }
            OutboxEntry::Merge { discarded, .. } => {
                let found = self.get_consistent("app user", &keys::app_user(app, *discarded)).await?;
                Ok(matches!(found, Some(UserItem::Merged { .. })))
            }
        }
    }
}
