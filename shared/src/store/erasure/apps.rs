//! Everything of an app that is deleted: nobody is left to whom anything could belong by now.

use super::pages::{EVERYTHING, key_of};
use super::people::Leaving;
use crate::erasure::{Budget, Progress};
use crate::ids::{AppId, ConversationId};
use crate::model::{Address, Client};
use crate::store::people::matches::ClientPointer;
use crate::store::people::merges::MergedPointer;
use crate::store::people::users::UserItem;
use crate::store::table::keys::{self, AddressPartition};
use crate::store::table::{Item, from_item};
use crate::store::{Store, StoreError};

/// Where the erasure of an app's people goes on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PeopleWalk {
    pub shard: u16,
    /// So many conversations of the first person there are done.
    pub conversations: usize,
}

/// What an item of a person's listing leads to.
#[derive(Default)]
struct Leads {
    address: Option<AddressPartition>,
    conversations: Vec<ConversationId>,
    name: Option<String>,
}

impl Store {
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
        let pk = keys::user_shard(app, u8::try_from(walk.shard).unwrap_or(u8::MAX));
        loop {
            if budget.is_spent() {
                return Ok(Progress::More);
            }
            budget.spend(1);
            let (items, _) = self.page(&pk, EVERYTHING, None).await?;
            if items.is_empty() {
                return Ok(Progress::Done);
            }
            let mut done = Vec::new();
            for item in items {
                let key = key_of(&item);
                if self.erase_what_follows(app, item, &mut walk.conversations, budget).await? != Progress::Done {
                    break;
                }
                done.extend(key);
            }
            budget.spend(self.delete_all(&done).await?);
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
            let pk = keys::conversation_partition(app, id);
            if self.erase_stretch(&pk, EVERYTHING, budget).await? != Progress::Done {
                return Ok(Progress::More);
            }
            *conversations_done += 1;
        }
        *conversations_done = 0;
        if let Some(name) = name {
            self.delete(&keys::user_name(app, &name)).await?;
            budget.spend(1);
        }
        match address {
            Some(address) => self.erase_stretch(&address.pk, EVERYTHING, budget).await,
            None => Ok(Progress::Done),
        }
    }
}

fn leads(app: AppId, item: Item) -> Result<Leads, StoreError> {
    let key = key_of(&item);
    let kind = key.as_ref().and_then(|key| key.sk.split('#').nth(1)).unwrap_or_default();
    let at = |integration, address: &Address| Some(AddressPartition::new(app, integration, address));
    let nowhere = Leads::default();
    Ok(match kind {
        "CLIENT" => {
            let pointer: ClientPointer = from_item("client", item)?;
            Leads { address: at(pointer.integration_id, &pointer.address), ..nowhere }
        }
        "PENDING" => {
            let client: Client = from_item("pending client", item)?;
            Leads { address: at(client.integration_id, &client.external_id), ..nowhere }
        }
        "MERGED" => Leads { name: from_item::<MergedPointer>("merged person", item)?.user_id, ..nowhere },
        "LEAVING" => {
            let leaving: Leaving = from_item("leaving person", item)?;
            Leads { conversations: leaving.person.user.conversations(), ..nowhere }
        }
        "USER" => match from_item("app user", item)? {
            UserItem::Here(user) => {
                Leads { conversations: user.conversations(), name: user.user_id.clone(), ..nowhere }
            }
            UserItem::Merged { .. } => nowhere,
        },
        _ => nowhere,
    })
}
