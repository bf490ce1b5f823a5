//! App users: the profile, the business's own name for them, and what is listed under them.
//!
//! A person is read by one query over their listing, and by one batch for the clients that it points to. The name index
//! says who bears a `userId`; it and the profile come into being and go together.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::keys::{self, AddressPartition, UserPartition};
use super::matches::ClientPointer;
use super::merges::MergedPointer;
use super::transaction::{Change, Outcome, TRIES, Transaction, back_off};
use super::{MatchItem, Store, StoreError, from_item};
use crate::ids::{AppId, AppUserId};
use crate::model::{self, AppUser, Client, ClientStatus, Person, ProfileChange};

/// How many merges are followed from an old id to the person who bears it now.
const MERGES_FOLLOWED: usize = 16;

/// A profile, or where it went.
#[derive(Serialize, Deserialize)]
#[serde(untagged)]
pub(super) enum UserItem {
    #[serde(rename_all = "camelCase")]
    Merged {
        merged_into: AppUserId,
    },
    Here(Box<AppUser>),
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct NameItem {
    pub app_user_id: AppUserId,
}

/// What a query over a person's listing found.
#[derive(Default)]
pub(super) struct Listing {
    user: Option<UserItem>,
    pub clients: Vec<ClientPointer>,
    pub pending: Vec<Client>,
    pub merged: Vec<MergedPointer>,
}

impl Listing {
    /// The profile, if the person was not merged away.
    pub fn profile(&self) -> Option<&AppUser> {
        match &self.user {
            Some(UserItem::Here(user)) => Some(user),
            Some(UserItem::Merged { .. }) | None => None,
        }
    }
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
        let mut id = id;
        for _ in 0..MERGES_FOLLOWED {
            let listing = self.listing(app, id).await?;
            match listing.user {
                None => return Ok(None),
                Some(UserItem::Merged { merged_into }) => id = merged_into,
                Some(UserItem::Here(user)) => {
                    let clients = self.clients(app, &user, &listing.clients).await?;
                    return Ok(Some(Person { user: *user, clients, pending: listing.pending }));
                }
            }
        }
        Ok(None)
    }

    /// The profile alone.
    pub async fn app_user(&self, app: AppId, id: AppUserId) -> Result<Option<AppUser>, StoreError> {
        let mut id = id;
        for _ in 0..MERGES_FOLLOWED {
            match self.get_consistent("app user", &keys::app_user(app, id)).await? {
                None => return Ok(None),
                Some(UserItem::Merged { merged_into }) => id = merged_into,
                Some(UserItem::Here(user)) => return Ok(Some(*user)),
            }
        }
        Ok(None)
    }

    pub(super) async fn listing(&self, app: AppId, id: AppUserId) -> Result<Listing, StoreError> {
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

    /// Changes fields of a profile, whatever others change at the same time. `None`: the person is gone.
    pub async fn change_profile(
        &self,
        app: AppId,
        id: AppUserId,
        change: ProfileChange,
    ) -> Result<Option<AppUser>, StoreError> {
        let Some(update) = profile_update(&keys::app_user(app, id), change) else {
            return self.app_user(app, id).await;
        };
        self.change("app user", update).await
    }

    /// Clears what v1.1 calls the profile; clients keep their addresses and lose what their channels told.
    pub async fn clear_profile(&self, app: AppId, person: &Person) -> Result<(), StoreError> {
        let update =
            Change::of(&keys::app_user(app, person.user.id), "SET properties = :none REMOVE givenName, surname, email")
                .when(HERE)
                .value(":none", &Map::<String, Value>::new());
        self.change::<AppUser>("app user", update).await?;
        for client in &person.clients {
            let key = AddressPartition::new(app, client.integration_id, &client.external_id).match_result();
            let update = Change::of(&key, "REMOVE client.displayName, client.#raw")
                .when("appUserId = :user")
                .name("#raw", "raw")
                .value(":user", &person.user.id);
            self.change::<MatchItem>("match", update).await?;
        }
        Ok(())
    }

    /// Profile and name are gone for whoever asks from now on; the rest is erased after.
    pub async fn hide_user(&self, app: AppId, user: &AppUser) -> Result<(), StoreError> {
        for attempt in 0..TRIES {
            let mut writes = Transaction::new().delete(self, Change::of(&keys::app_user(app, user.id), ""));
            if let Some(user_id) = &user.user_id {
                let theirs = Change::of(&keys::user_name(app, user_id), "")
                    .when("attribute_not_exists(pk) OR appUserId = :user")
                    .value(":user", &user.id);
                writes = writes.delete(self, theirs);
            }
            match writes.commit(self).await? {
                Outcome::Done | Outcome::Refused(_) => return Ok(()),
                Outcome::Collided => back_off(attempt).await,
            }
        }
        Err(StoreError::Contended)
    }

    /// The person's first message, theirs or the business's, starts the conversation.
    pub(super) fn start_conversation(&self, app: AppId, id: AppUserId) -> Change {
        Change::of(&keys::app_user(app, id), "SET conversationStarted = :yes").when(HERE).value(":yes", &true)
    }
}

/// A profile that is there and was not merged away.
pub(super) const HERE: &str = "attribute_exists(pk) AND attribute_not_exists(mergedInto)";

/// `None` where nothing changes.
fn profile_update(key: &keys::Key, change: ProfileChange) -> Option<Change> {
    let ProfileChange { given_name, surname, email, signed_up, credential_required, properties } = change;
    let mut sets: Vec<(String, String, Value)> = Vec::new();
    let mut removes: Vec<(String, String)> = Vec::new();
    for (name, field) in [("givenName", given_name), ("surname", surname), ("email", email)] {
        match field {
            model::Change::Keep => {}
            model::Change::Unset => removes.push((format!("#{name}"), name.into())),
            model::Change::Set(text) => sets.push((format!("#{name}"), name.into(), text.into())),
        }
    }
    if let Some(at) = signed_up {
        sets.push(("#signedUp".into(), "signedUp".into(), serde_json::json!(at)));
    }
    if let Some(required) = credential_required {
        sets.push(("#required".into(), "credentialRequired".into(), required.into()));
    }
    for (index, (name, value)) in properties.into_iter().enumerate() {
        let path = format!("properties.#p{index}");
        match value {
            Value::Null => removes.push((path, name)),
            value => sets.push((path, name, value)),
        }
    }
    if sets.is_empty() && removes.is_empty() {
        return None;
    }
    let assignments: Vec<_> = sets.iter().enumerate().map(|(n, (path, ..))| format!("{path} = :v{n}")).collect();
    let removals: Vec<_> = removes.iter().map(|(path, _)| path.as_str()).collect();
    let mut expression = String::new();
    if !assignments.is_empty() {
        expression.push_str(&format!("SET {}", assignments.join(", ")));
    }
    if !removals.is_empty() {
        expression.push_str(&format!(" REMOVE {}", removals.join(", ")));
    }
    let placeholder = |path: &str| path.rsplit('.').next().unwrap_or(path).to_owned();
    let mut update = Change::of(key, expression).when(HERE);
    for (n, (path, name, value)) in sets.into_iter().enumerate() {
        update = update.name(placeholder(&path), name).value(format!(":v{n}"), &value);
    }
    for (path, name) in removes {
        update = update.name(placeholder(&path), name);
    }
    Some(update)
}
