//! API keys. A key's secret is sealed, not hashed: JWTs are checked with the secret itself.
//!
//! A key is found by its id, and listed by its owner. The owner's item counts its keys: a key comes and goes in one
//! transaction with the count, so the limit holds however many are made at once, and no key outlives its owner.

use serde::{Deserialize, Serialize};

use crate::ids::{AccountId, KeyId};
use crate::model::{ApiKey, KeyOwner};
use crate::secrets::{Keyring, Purpose, Unopenable};
use crate::store::table::keys::{self, Key};
use crate::store::table::{Committed, ItemChange, Query, Transaction, Tries};
use crate::store::{Store, StoreError};

/// Keys of one owner (docs/REFERENCE.md, 11).
pub const KEY_LIMIT: usize = 10;

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
struct KeyItem {
    id: KeyId,
    owner: KeyOwner,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    name: Option<String>,
    sealed_secret: String,
}

/// What an owner's partition holds of a key: where it is.
#[derive(Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
struct KeyPointer {
    key_id: KeyId,
}

#[derive(Serialize)]
struct AccountItem {
    #[serde(rename = "_id")]
    id: AccountId,
}

/// What creating something came to of which an owner has only so many.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Creation {
    Done,
    /// The owner has as many as it may have.
    Full,
    /// The owner was deleted.
    NoOwner,
}

impl Store {
    /// Who presents this key; remembered for at most 30 seconds, which is how late a deletion is noticed.
    pub async fn api_key(&self, id: &KeyId) -> Result<Option<ApiKey>, StoreError> {
        if let Some(key) = self.caches.keys.get(id) {
            return Ok(Some(key));
        }
        let key = self.api_key_now(id).await?;
        if let Some(key) = &key {
            self.caches.keys.put(id.clone(), key.clone());
        }
        Ok(key)
    }

    async fn api_key_now(&self, id: &KeyId) -> Result<Option<ApiKey>, StoreError> {
        let item = self.table.get::<KeyItem>(&keys::api_key(id)).await?;
        let Some(item) = item else { return Ok(None) };
        Ok(Some(self.sealer.opening(|keys| open(keys, &item)).await?))
    }

    /// One of the owner's keys; another's is not found.
    pub async fn key_of(&self, owner: KeyOwner, id: &KeyId) -> Result<Option<ApiKey>, StoreError> {
        Ok(self.api_key_now(id).await?.filter(|key| key.owner == owner))
    }

    /// All keys of an owner, oldest first.
    pub async fn keys_of(&self, owner: KeyOwner) -> Result<Vec<ApiKey>, StoreError> {
        let ids = self.key_ids(owner).await?;
        let items: Vec<_> = ids.iter().map(keys::api_key).collect();
        let items = self.table.get_all::<KeyItem>(&items).await?;
        let open_all = |keys: &Keyring| items.iter().map(|item| open(keys, item)).collect::<Result<Vec<_>, _>>();
        let mut found = self.sealer.opening(open_all).await?;
        found.sort_by(|a, b| a.id.cmp(&b.id));
        Ok(found)
    }

    async fn key_ids(&self, owner: KeyOwner) -> Result<Vec<KeyId>, StoreError> {
        let listed = Query::of(keys::owner_partition(owner)).under(keys::KEY_PREFIX);
        let pointers: Vec<KeyPointer> = self.table.query(listed).await?;
        Ok(pointers.into_iter().map(|pointer| pointer.key_id).collect())
    }

    pub async fn create_key(&self, key: &ApiKey) -> Result<Creation, StoreError> {
        let item = seal(&*self.sealer.keys().await?, key);
        let pointer = KeyPointer { key_id: key.id.clone() };
        let owner = keys::key_owner(key.owner);
        let count = ItemChange::of(&owner).add("keyCount", 1).when_there().when_below("keyCount", KEY_LIMIT);
        let writes = Transaction::new()
            .update(count)
            .put(ItemChange::of(&keys::api_key(&key.id)).when_absent(), &item)
            .put(ItemChange::of(&keys::key_listing(key.owner, &key.id)).when_absent(), &pointer);
        Ok(match self.table.commit(writes).await? {
            Committed::Done => Creation::Done,
            Committed::Refused(_) if self.table.is_there(&owner).await? => Creation::Full,
            Committed::Refused(_) => Creation::NoOwner,
        })
    }

    /// `false`: the owner has no such key.
    pub async fn delete_key(&self, owner: KeyOwner, id: &KeyId) -> Result<bool, StoreError> {
        let uncount = ItemChange::of(&keys::key_owner(owner)).add("keyCount", -1).when_there();
        let writes = Transaction::new()
            .delete(ItemChange::of(&keys::key_listing(owner, id)).when_there())
            .delete(&keys::api_key(id))
            .update(uncount);
        let committed = self.table.commit(writes).await?;
        self.caches.keys.forget(id);
        Ok(committed.is_done())
    }

    /// Deletes an owner with all its keys, and what points to it, at once. `false`: it is gone already.
    ///
    /// The keys listed before are all it has in the moment of deletion: each must still be there, and their number is
    /// the owner's count.
    pub(in crate::store) async fn delete_owner(
        &self,
        owner: KeyOwner,
        pointer: Option<Key>,
    ) -> Result<bool, StoreError> {
        let owner_key = keys::key_owner(owner);
        let mut tries = Tries::default();
        loop {
            let ids = self.key_ids(owner).await?;
            if self.table.commit(deletion(owner, &ids, pointer.as_ref())).await?.is_done() {
                ids.iter().for_each(|id| self.caches.keys.forget(id));
                return Ok(true);
            }
            if !self.table.is_there(&owner_key).await? {
                return Ok(false);
            }
            tries.again().await?;
        }
    }

    /// An account, so that keys can be made for it. There is no API for accounts: who owns the stack makes them.
    pub async fn create_account(&self, id: AccountId) -> Result<(), StoreError> {
        self.table.put(ItemChange::of(&keys::account(id)).when_absent(), &AccountItem { id }).await?;
        Ok(())
    }
}

fn seal(keys: &Keyring, key: &ApiKey) -> KeyItem {
    KeyItem {
        id: key.id.clone(),
        owner: key.owner,
        name: key.name.clone(),
        sealed_secret: keys.seal_secret(Purpose::KeySecret, key.id.as_str(), &key.secret),
    }
}

fn open(keys: &Keyring, item: &KeyItem) -> Result<ApiKey, Unopenable> {
    let secret = keys.open_secret(Purpose::KeySecret, item.id.as_str(), &item.sealed_secret)?;
    Ok(ApiKey { id: item.id.clone(), owner: item.owner, name: item.name.clone(), secret })
}

/// Of an owner that has these keys and no other.
fn deletion(owner: KeyOwner, ids: &[KeyId], pointer: Option<&Key>) -> Transaction {
    let item = ItemChange::of(&keys::key_owner(owner)).when_there();
    let item = match ids {
        [] => item.when("attribute_not_exists(#keyCount) OR #keyCount = :none").value(":none", &0),
        ids => item.when_is("keyCount", &ids.len()),
    };
    let writes = ids.iter().fold(Transaction::new().delete(item), |writes, id| {
        writes.delete(ItemChange::of(&keys::key_listing(owner, id)).when_there()).delete(&keys::api_key(id))
    });
    pointer.into_iter().fold(writes, Transaction::delete)
}
