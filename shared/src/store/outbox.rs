//! Whether the write that a task speaks of was made.

use serde::de::IgnoredAny;

use super::keys::{self, AddressPartition};
use super::users::UserItem;
use super::{Store, StoreError};
use crate::ids::AppId;
use crate::tasks::{MessagePlace, OutboxEntry};

impl Store {
    /// Whether there is a message at a place.
    pub async fn is_kept(&self, app: AppId, place: MessagePlace) -> Result<bool, StoreError> {
        let key = keys::message(app, place.conversation, place.received, place.id);
        Ok(self.get_consistent::<IgnoredAny>("message", &key).await?.is_some())
    }

    /// Read consistently: a write that was answered is seen.
    pub async fn was_made(&self, app: AppId, entry: &OutboxEntry) -> Result<bool, StoreError> {
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
