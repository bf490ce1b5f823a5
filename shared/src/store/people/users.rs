//! App users: the profile, the business's own name for them, and what is listed under them.
//!
//! A person is read by one query over their listing, and by one batch for the clients that it points to. The name index
//! says who bears a `userId`; it and the profile come into being and go together.

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::matches::ClientPointer;
use super::merges::MergedPointer;
use crate::ids::{AppId, AppUserId};
use crate::model::{self, AppUser, Client, ClientStatus, MERGED_LIMIT, Person, ProfileChange};
use crate::store::table::keys::{self, AddressPartition, UserPartition};
use crate::store::table::transaction::{Change, Outcome, TRIES, Transaction, back_off};
use crate::store::table::{Written, from_item};
use crate::store::{MatchItem, Store, StoreError};

/// So many merges from an old id to the person who bears it now, each of which takes a read, are not gone over twice.
const LONG_WAY: usize = 8;

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

/// What a query over a person's listing found.
#[derive(Default)]
pub(in crate::store) struct Listing {
    user: Option<UserItem>,
    pub clients: Vec<ClientPointer>,
    pub pending: Vec<Client>,
    pub merged: Vec<MergedPointer>,
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
        let named: Option<NameItem> = self.get_consistent("user's name", &keys::user_name(app, user_id)).await?;
        match named {
            Some(named) => self.person_by_id(app, named.app_user_id).await,
            None => Ok(None),
        }
    }

    /// By id; the id of somebody who was merged leads to whom they are now.
    pub async fn person_by_id(&self, app: AppId, id: AppUserId) -> Result<Option<Person>, StoreError> {
        let mut listing = self.listing(app, id).await?;
        // They may be merged again in this moment.
        for _ in 0..TRIES {
            match listing.user {
                None => return Ok(None),
                Some(UserItem::Merged { .. }) => listing = self.listing(app, self.bearer(app, id).await?).await?,
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
            match self.get_consistent("app user", &keys::app_user(app, at)).await? {
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
            let change = Change::of(&keys::app_user(app, id), "SET mergedInto = :last").when("mergedInto = :first");
            let shortened = change.value(":first", first).value(":last", last).write(self).await;
            if let Err(error) = shortened {
                tracing::warn!(%error, "the way over merges stays long");
            }
        }
    }

    pub(in crate::store) async fn listing(&self, app: AppId, id: AppUserId) -> Result<Listing, StoreError> {
        let partition = UserPartition::new(app, id);
        let mut listing = Listing::default();
        for item in self.list_items(&partition.pk, &partition.prefix, true).await? {
            let sk = item.get(keys::SK).and_then(|sk| sk.as_s().ok()).cloned().unwrap_or_default();
            match sk.strip_prefix(&partition.prefix).and_then(|rest| rest.split('#').next()) {
                Some("USER") => listing.user = Some(from_item("app user", item)?),
                Some("CLIENT") => listing.clients.push(from_item("client", item)?),
                Some("MERGED") => listing.merged.push(from_item("merged person", item)?),
                Some("PENDING") => {
                    let client: Client = from_item("pending client", item)?;
                    listing.pending.push(Client { status: ClientStatus::Pending, ..client });
                }
                _ => {}
            }
        }
        Ok(listing)
    }

    /// The clients that a listing points to, oldest first. A pointer whose address has another owner by now counts for
    /// nothing.
    async fn clients(&self, app: AppId, user: &AppUser, pointers: &[ClientPointer]) -> Result<Vec<Client>, StoreError> {
        let key = |pointer: &ClientPointer| {
            AddressPartition::new(app, pointer.integration_id, &pointer.address).match_result()
        };
        let keys: Vec<_> = pointers.iter().map(key).collect();
        let matches: Vec<MatchItem> = self.read_all("match", &keys).await?;
        let own = matches.into_iter().filter(|item| item.result.app_user_id == user.id);
        let mut clients: Vec<Client> = own.map(|item| item.result.client).collect();
        clients.sort_by_key(|client| (client.linked, client.id));
        Ok(clients)
    }

    /// Creates a person of the business's own naming. `false`: somebody bears that name.
    pub async fn create_user(&self, app: AppId, user: &AppUser) -> Result<bool, StoreError> {
        for attempt in 0..TRIES {
            let mut writes = Transaction::new().put_absent(self, &keys::app_user(app, user.id), user);
            if let Some(user_id) = &user.user_id {
                let name = NameItem { app_user_id: user.id };
                writes = writes.put_absent(self, &keys::user_name(app, user_id), &name);
            }
            match writes.commit(self).await? {
                Outcome::Done => return Ok(true),
                Outcome::Refused(_) => return Ok(false),
                Outcome::Collided => back_off(attempt).await,
            }
        }
        Err(StoreError::Contended)
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
        for attempt in 0..TRIES {
            let mut changed = change.clone().apply(known.clone());
            changed.revision += 1;
            let unchanged =
                Change::of(&keys::app_user(app, known.id), "").when(UNCHANGED).value(":seen", &known.revision);
            if unchanged.put(self, "app user", &changed).await? == Written::Yes {
                return Ok(Some(changed));
            }
            back_off(attempt).await;
            match self.app_user(app, user.id).await? {
                Some(now) => known = now,
                None => return Ok(None),
            }
        }
        Err(StoreError::Contended)
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
            let update = Change::of(&key, "REMOVE client.displayName, client.#raw")
                .when("client.#id = :client")
                .name("#raw", "raw")
                .name("#id", "_id")
                .value(":client", &client.id);
            self.change::<MatchItem>("match", update).await?;
        }
        Ok(cleared)
    }

    /// The person's first message, theirs or the business's, starts the conversation.
    pub(in crate::store) fn start_conversation(&self, app: AppId, id: AppUserId) -> Change {
        Change::of(&keys::app_user(app, id), "SET conversationStarted = :yes ADD revision :one")
            .when(HERE)
            .value(":yes", &true)
            .value(":one", &1)
    }
}

/// A profile that is there and was not merged away.
pub(in crate::store) const HERE: &str = "attribute_exists(pk) AND attribute_not_exists(mergedInto)";

/// A profile that is there, was not merged away, and is as it was when `:seen` was its revision.
pub(in crate::store) const UNCHANGED: &str = "attribute_exists(pk) AND attribute_not_exists(mergedInto) \
                                    AND (attribute_not_exists(revision) OR revision = :seen)";
