//! App users: the profile, the business's own name for them, and what is listed under them.
//!
//! A person is read by one query over their listing, and by one batch for the clients that it points to. The name index
//! says who bears a `userId`; it and the profile come into being and go together.

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::matches::ClientPointer;
use crate::ids::{AppId, AppUserId};
use crate::model::{self, AppUser, Client, MERGED_LIMIT, Person, ProfileChange};
use crate::store::table::keys::{self, AddressPartition};
use crate::store::table::{ItemChange, Transaction, Tries};
use crate::store::{MatchItem, Store, StoreError};
use crate::telemetry::Causes;

/// So many merges from an old id to the person who bears it now, each of which takes a read, are not gone over twice.
const LONG_WAY: usize = 8;
/// Of one person, while others merge them.
const READS: usize = 12;

/// A profile, or where it went.
#[derive(Serialize, Deserialize)]
#[serde(untagged)]
pub(in crate::store) enum UserItem {
    #[serde(rename_all = "camelCase")]
    Merged {
        merged_into: AppUserId,
    },
    Here(Box<AppUser>),
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(in crate::store) struct NameItem {
    pub app_user_id: AppUserId,
}

impl Store {
    /// The person that a path names: by their `_id`, or by the business's own name for them.
    pub async fn person(&self, app: AppId, text: &str) -> Result<Option<Person>, StoreError> {
        if let Ok(id) = text.parse()
            && let Some(person) = self.person_by_id(app, id).await?
        {
            return Ok(Some(person));
        }
        self.person_by_name(app, text).await
    }

    /// By the business's own name alone.
    pub async fn person_by_name(&self, app: AppId, user_id: &str) -> Result<Option<Person>, StoreError> {
        let named: Option<NameItem> = self.table.get(&keys::user_name(app, user_id)).await?;
        match named {
            Some(named) => self.person_by_id(app, named.app_user_id).await,
            None => Ok(None),
        }
    }

    /// By id; the id of somebody who was merged leads to whom they are now.
    pub async fn person_by_id(&self, app: AppId, id: AppUserId) -> Result<Option<Person>, StoreError> {
        let mut at = id;
        // An id may be an old one; and they may be merged again in this moment.
        for _ in 0..READS {
            let listing = self.listing(app, at).await?;
            match listing.user {
                None => return Ok(None),
                Some(UserItem::Merged { .. }) => at = self.bearer(app, id).await?,
                Some(UserItem::Here(user)) => {
                    let clients = self.clients(app, &user, &listing.clients).await?;
                    return Ok(Some(Person { user: *user, clients, pending: listing.pending }));
                }
            }
        }
        Err(StoreError::Contended)
    }

    /// The profile alone.
    pub async fn app_user(&self, app: AppId, id: AppUserId) -> Result<Option<AppUser>, StoreError> {
        Ok(self.follow(app, id).await?.1)
    }

    /// Who bears an id, which after a merge is somebody else, and may be gone.
    pub(in crate::store) async fn bearer(&self, app: AppId, id: AppUserId) -> Result<AppUserId, StoreError> {
        Ok(self.follow(app, id).await?.0)
    }

    /// From an id to its bearer, whose profile may be gone. Nobody is merged more often than is followed.
    async fn follow(&self, app: AppId, id: AppUserId) -> Result<(AppUserId, Option<AppUser>), StoreError> {
        let mut followed = Vec::new();
        let mut at = id;
        while followed.len() <= MERGED_LIMIT {
            match self.table.get(&keys::app_user(app, at)).await? {
                Some(UserItem::Merged { merged_into }) => {
                    followed.push(merged_into);
                    at = merged_into;
                }
                here => {
                    self.shorten(app, id, &followed).await;
                    let user = here.and_then(|item| if let UserItem::Here(user) = item { Some(*user) } else { None });
                    return Ok((at, user));
                }
            }
        }
        Ok((at, None))
    }

    /// A long way is gone once: the next time it is one step. If this fails, it is gone again.
    async fn shorten(&self, app: AppId, id: AppUserId, followed: &[AppUserId]) {
        if let [first, .., last] = followed
            && followed.len() > LONG_WAY
        {
            let change = ItemChange::of(&keys::app_user(app, id)).set("mergedInto", last).when_is("mergedInto", first);
            let shortened = self.table.update(change).await;
            if let Err(error) = shortened {
                tracing::warn!(error = %Causes(&error), "the way over merges stays long");
            }
        }
    }

    /// The clients that a listing points to, oldest first. A pointer whose address has another owner by now counts for
    /// nothing.
    async fn clients(&self, app: AppId, user: &AppUser, pointers: &[ClientPointer]) -> Result<Vec<Client>, StoreError> {
        let key = |pointer: &ClientPointer| {
            AddressPartition::new(app, pointer.integration_id, &pointer.address).match_result()
        };
        let keys: Vec<_> = pointers.iter().map(key).collect();
        let matches: Vec<MatchItem> = self.table.get_all(&keys).await?;
        let own = matches.into_iter().filter(|item| item.result.app_user_id == user.id);
        let mut clients: Vec<Client> = own.map(|item| item.result.client).collect();
        clients.sort_by_key(|client| (client.linked, client.id));
        Ok(clients)
    }

    /// Creates a person of the business's own naming. `false`: somebody bears that name.
    pub async fn create_user(&self, app: AppId, user: &AppUser) -> Result<bool, StoreError> {
        let place = ItemChange::of(&keys::app_user(app, user.id)).when_absent();
        let mut writes = Transaction::new().put(place, user);
        if let Some(user_id) = &user.user_id {
            let free = ItemChange::of(&keys::user_name(app, user_id)).when_absent();
            writes = writes.put(free, &NameItem { app_user_id: user.id });
        }
        Ok(self.table.commit(writes).await?.is_done())
    }

    /// Changes fields of a profile, whatever others change at the same time, and whomever the person was merged into.
    /// `None`: the person is gone.
    pub async fn change_profile(
        &self,
        app: AppId,
        user: &AppUser,
        change: ProfileChange,
    ) -> Result<Option<AppUser>, StoreError> {
        let mut known = user.clone();
        let mut tries = Tries::default();
        loop {
            let mut changed = change.clone().apply(known.clone());
            changed.revision += 1;
            if self.table.put(as_read(app, &known).marked(), &changed).await?.is_done() {
                return Ok(Some(changed));
            }
            tries.again().await?;
            match self.app_user(app, user.id).await? {
                Some(now) => known = now,
                None => return Ok(None),
            }
        }
    }

    /// Clears what v1.1 calls the profile; clients keep their addresses and lose what their channels told.
    pub async fn clear_profile(&self, app: AppId, person: &Person) -> Result<Option<AppUser>, StoreError> {
        let change = ProfileChange {
            given_name: model::Change::Unset,
            surname: model::Change::Unset,
            email: model::Change::Unset,
            properties: person.user.properties.keys().map(|name| (name.clone(), Value::Null)).collect(),
            ..ProfileChange::default()
        };
        let cleared = self.change_profile(app, &person.user, change).await?;
        for client in &person.clients {
            let key = AddressPartition::new(app, client.integration_id, &client.external_id).match_result();
            let known = ItemChange::of(&key).when_is("client._id", &client.id);
            self.table.update(known.remove("client.displayName").remove("client.raw")).await?;
        }
        Ok(cleared)
    }
}

/// The person's first message, theirs or the business's, starts the conversation.
pub(in crate::store) fn start_conversation(app: AppId, id: AppUserId) -> ItemChange {
    here(app, id).set("conversationStarted", &true).add("revision", 1)
}

/// A profile that is there and was not merged away.
pub(in crate::store) fn here(app: AppId, id: AppUserId) -> ItemChange {
    ItemChange::of(&keys::app_user(app, id)).when_there().when("attribute_not_exists(#mergedInto)")
}

/// One that is as it was read, too.
pub(in crate::store) fn as_read(app: AppId, user: &AppUser) -> ItemChange {
    let unchanged = "attribute_not_exists(#revision) OR #revision = :seen";
    here(app, user.id).when(unchanged).value(":seen", &user.revision)
}
