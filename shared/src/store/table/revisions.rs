//! Changing what several may change at once: read, edit, and write back only if nobody else wrote in between.
//!
//! What was written once bears no revision; the first change gives it one.

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use super::keys::Key;
use super::{ItemChange, Table, Tries};
use crate::store::StoreError;

#[derive(Clone, Serialize, Deserialize)]
pub struct Revised<T> {
    #[serde(flatten)]
    pub value: T,
    #[serde(default, skip_serializing_if = "is_first")]
    pub revision: u64,
}

fn is_first(revision: &u64) -> bool {
    *revision == 0
}

impl<T> Revised<T> {
    /// What was written once.
    pub fn first(value: T) -> Self {
        Self { value, revision: 0 }
    }

    /// What takes its place.
    pub fn next(&self, value: T) -> Self {
        Self { value, revision: self.revision + 1 }
    }

    /// Holds while nobody has changed it.
    pub fn unchanged(&self, key: &Key) -> ItemChange {
        unchanged(key, self.revision)
    }
}

/// Holds while nobody has made another change since that revision.
pub fn unchanged(key: &Key, revision: u64) -> ItemChange {
    let item = ItemChange::of(key);
    match revision {
        0 => item.when_there().when("attribute_not_exists(#revision)"),
        revision => item.when_is("revision", &revision),
    }
}

impl Table {
    /// Edits an item, again from the start whenever somebody was faster. `None`: there is none.
    pub async fn revise<T, E>(&self, key: &Key, edit: impl Fn(T) -> Result<T, E>) -> Result<Option<Revised<T>>, E>
    where
        T: Serialize + DeserializeOwned + Clone,
        E: From<StoreError>,
    {
        let mut tries = Tries::default();
        loop {
            let Some(found) = self.get::<Revised<T>>(key).await? else { return Ok(None) };
            let next = found.next(edit(found.value.clone())?);
            if self.put(found.unchanged(key).marked(), &next).await?.is_done() {
                return Ok(Some(next));
            }
            tries.again().await?;
        }
    }
}
