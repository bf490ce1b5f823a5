//! API keys. A key's secret is sealed, not hashed: JWTs are checked with the secret itself.
//!
//! A key is found by its id, and listed by its owner. The owner's item counts its keys: a key comes and goes in one
//! transaction with the count, so the limit holds however many are made at once, and no key outlives its owner.

use serde::{Deserialize, Serialize};

use crate::ids::{AccountId, KeyId};
use crate::model::{ApiKey, KeyOwner};
use crate::secrets::Purpose;
use crate::store::table::keys;
use crate::store::table::transaction::{Change, Outcome, TRIES, Transaction, back_off};
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
        let item = self.get_consistent::<KeyItem>("API key", &keys::api_key(id)).await?;
        item.map(|item| self.open_key(item)).transpose()
    }

    /// One of the owner's keys; another's is not found.
    pub async fn key_of(&self, owner: KeyOwner, id: &KeyId) -> Result<Option<ApiKey>, StoreError> {
        Ok(self.api_key_now(id).await?.filter(|key| key.owner == owner))
    }

    /// All keys of an owner, oldest first.
    pub async fn keys_of(&self, owner: KeyOwner) -> Result<Vec<ApiKey>, StoreError> {
        let ids = self.key_ids(owner).await?;
        let items: Vec<_> = ids.iter().map(keys::api_key).collect();
        let items = self.read_all::<KeyItem>("API key", &items).await?;
        let mut found = items.into_iter().map(|item| self.open_key(item)).collect::<Result<Vec<_>, _>>()?;
        found.sort_by(|a, b| a.id.cmp(&b.id));
        Ok(found)
    }

    async fn key_ids(&self, owner: KeyOwner) -> Result<Vec<KeyId>, StoreError> {
        let pk = keys::owner_partition(owner);
        let pointers = self.list::<KeyPointer>("key listing", &pk, keys::KEY_PREFIX, true).await?;
        Ok(pointers.into_iter().map(|pointer| pointer.key_id).collect())
    }

    pub async fn create_key(&self, key: &ApiKey) -> Result<Creation, StoreError> {
        let item = self.seal_key(key);
        let pointer = KeyPointer { key_id: key.id.clone() };
        let owner = keys::key_owner(key.owner);
        let count = || {
            Change::of(&owner, "ADD keyCount :one")
                .when("attribute_exists(pk) AND (attribute_not_exists(keyCount) OR keyCount < :limit)")
                .value(":one", &1)
                .value(":limit", &KEY_LIMIT)
        };
        let writes = || {
            Transaction::new().update(self, count()).put_absent(self, &keys::api_key(&key.id), &item).put_absent(
                self,
                &keys::key_listing(key.owner, &key.id),
                &pointer,
            )
        };
        if self.commit(writes).await?.is_empty() {
            return Ok(Creation::Done);
        }
        let is_there = self.get_consistent::<serde::de::IgnoredAny>("key owner", &owner).await?.is_some();
        Ok(if is_there { Creation::Full } else { Creation::NoOwner })
    }

    /// `false`: the owner has no such key.
    pub async fn delete_key(&self, owner: KeyOwner, id: &KeyId) -> Result<bool, StoreError> {
        let owner_key = keys::key_owner(owner);
        let uncount = || Change::of(&owner_key, "ADD keyCount :less").when("attribute_exists(pk)").value(":less", &-1);
        let writes = || {
            let listing = Change::of(&keys::key_listing(owner, id), "").when("attribute_exists(pk)");
            let key = Change::of(&keys::api_key(id), "");
            Transaction::new().delete(self, listing).delete(self, key).update(self, uncount())
        };
        let refused = self.commit(writes).await?;
        self.caches.keys.forget(id);
        Ok(refused.is_empty())
    }

    /// Deletes an owner with all its keys, and what points to it, at once. `false`: it is gone already.
    ///
    /// The keys listed before are all it has in the moment of deletion: each must still be there, and their number is
    /// the owner's count.
    pub(in crate::store) async fn delete_owner(
        &self,
        owner: KeyOwner,
        pointer: Option<keys::Key>,
    ) -> Result<bool, StoreError> {
        let owner_key = keys::key_owner(owner);
        for attempt in 0..TRIES {
            let ids = self.key_ids(owner).await?;
            let count = "keyCount = :count";
            let count =
                if ids.is_empty() { format!("(attribute_not_exists(keyCount) OR {count})") } else { count.into() };
            let item = Change::of(&owner_key, "").when(format!("attribute_exists(pk) AND {count}"));
            let mut writes = Transaction::new().delete(self, item.value(":count", &ids.len()));
            for id in &ids {
                let listing = Change::of(&keys::key_listing(owner, id), "").when("attribute_exists(pk)");
                writes = writes.delete(self, listing).delete(self, Change::of(&keys::api_key(id), ""));
            }
            if let Some(pointer) = &pointer {
                writes = writes.delete(self, Change::of(pointer, ""));
            }
            match writes.commit(self).await? {
                Outcome::Done => {
                    ids.iter().for_each(|id| self.caches.keys.forget(id));
                    return Ok(true);
                }
                Outcome::Refused(_) | Outcome::Collided => {
                    let left = self.get_consistent::<serde::de::IgnoredAny>("key owner", &owner_key).await?;
                    if left.is_none() {
                        return Ok(false);
                    }
                    back_off(attempt).await;
                }
            }
        }
        Err(StoreError::Contended)
    }

    /// An account, so that keys can be made for it. There is no API for accounts: who owns the stack makes them.
    pub async fn create_account(&self, id: AccountId) -> Result<(), StoreError> {
        self.put_if_absent("account", &keys::account(id), &AccountItem { id }).await?;
        Ok(())
    }

    fn seal_key(&self, key: &ApiKey) -> KeyItem {
        KeyItem {
            id: key.id.clone(),
            owner: key.owner,
            name: key.name.clone(),
            sealed_secret: self.sealer.seal_secret(Purpose::KeySecret, key.id.as_str(), &key.secret),
        }
    }

    fn open_key(&self, item: KeyItem) -> Result<ApiKey, StoreError> {
        let secret = self.sealer.open_secret(Purpose::KeySecret, item.id.as_str(), &item.sealed_secret)?;
        Ok(ApiKey { id: item.id, owner: item.owner, name: item.name, secret })
    }
}
