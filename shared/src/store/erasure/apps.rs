//! Everything of an app that is deleted: nobody is left to whom anything could belong by now.

use super::keys_of;
use crate::erasure::{Budget, Progress};
use crate::ids::{AppId, ConversationId};
use crate::store::people::listing::Listed;
use crate::store::people::users::UserItem;
use crate::store::table::keys::{self, AddressPartition, Key};
use crate::store::table::{Item, Query};
use crate::store::{Store, StoreError};

/// Where the erasure of an app's people goes on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PeopleWalk {
    pub shard: u16,
    /// So many conversations of the first person there are done.
    pub conversations: usize,
}

/// What an item of a person's listing leads to.
struct Leads {
    address: Option<AddressPartition>,
    conversations: Vec<ConversationId>,
    name: Option<String>,
}

impl Store {
    /// The app's own partition: integrations, webhooks, templates, menus. Whether anything was there.
    pub async fn erase_settings(&self, app: AppId, budget: &mut Budget) -> Result<bool, StoreError> {
        let all = Query::of(keys::app_partition(app));
        let mut found = false;
        loop {
            budget.spend(1);
            let items = self.table.page(&all).await?.items;
            if items.is_empty() || budget.is_spent() {
                return Ok(found || !items.is_empty());
            }
            found = true;
            budget.spend(self.table.delete_all(&keys_of(&items)).await?);
        }
    }

    /// All people, shard by shard. Where to go on, if it is not done.
    pub async fn erase_people(
        &self,
        app: AppId,
        from: PeopleWalk,
        budget: &mut Budget,
    ) -> Result<Option<PeopleWalk>, StoreError> {
        let mut walk = from;
        while walk.shard < keys::USER_SHARDS {
            if self.erase_shard(app, &mut walk, budget).await? != Progress::Done {
                return Ok(Some(walk));
            }
            walk = PeopleWalk { shard: walk.shard + 1, conversations: 0 };
        }
        Ok(None)
    }

    /// Item by item: each goes once what it leads to is gone, so that the next step finds the next one first.
    async fn erase_shard(
        &self,
        app: AppId,
        walk: &mut PeopleWalk,
        budget: &mut Budget,
    ) -> Result<Progress, StoreError> {
        let all = Query::of(keys::user_shard(app, u8::try_from(walk.shard).unwrap_or(u8::MAX)));
        loop {
            if budget.is_spent() {
                return Ok(Progress::More);
            }
            budget.spend(1);
            let items = self.table.page(&all).await?.items;
            if items.is_empty() {
                return Ok(Progress::Done);
            }
            let mut done = Vec::new();
            for item in items {
                let key = Key::of(&item);
                if self.erase_what_follows(app, item, &mut walk.conversations, budget).await? != Progress::Done {
                    break;
                }
                done.extend(key);
            }
            budget.spend(self.table.delete_all(&done).await?);
            budget.erase(done.len());
        }
    }

    async fn erase_what_follows(
        &self,
        app: AppId,
        item: Item,
        conversations_done: &mut usize,
        budget: &mut Budget,
    ) -> Result<Progress, StoreError> {
        if budget.is_spent() {
            return Ok(Progress::More);
        }
        let Leads { address, conversations, name } = leads(app, item)?;
        for id in conversations.into_iter().skip(*conversations_done) {
            let said = Query::of(keys::conversation_partition(app, id));
            if self.erase_all(&said, budget).await? != Progress::Done {
                return Ok(Progress::More);
            }
            *conversations_done += 1;
        }
        *conversations_done = 0;
        if let Some(name) = name {
            self.table.delete(&keys::user_name(app, &name)).await?;
            budget.spend(1);
        }
        match address {
            Some(address) => self.erase_all(&Query::of(&address.pk), budget).await,
            None => Ok(Progress::Done),
        }
    }
}

fn leads(app: AppId, item: Item) -> Result<Leads, StoreError> {
    let listed = Listed::read(item)?;
    let address = listed.address(app);
    let (conversations, name) = match listed {
        Listed::User(UserItem::Here(user)) => (user.conversations(), user.user_id),
        Listed::Leaving(leaving) => (leaving.person.user.conversations(), None),
        Listed::Merged(merged) => (Vec::new(), merged.user_id),
        Listed::User(UserItem::Merged { .. }) | Listed::Client(_) | Listed::Pending(_) | Listed::Other => {
            (Vec::new(), None)
        }
    };
    Ok(Leads { address, conversations, name })
}
