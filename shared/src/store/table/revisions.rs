//! Changing what several may change at once: read, edit, and write back only if nobody else wrote in between.
//!
//! What was written once bears no revision; the first change gives it one.

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use super::Written;
use super::keys::Key;
use super::transaction::{Change, TRIES, back_off};
use crate::store::{Store, StoreError};

#[derive(Serialize, Deserialize)]
pub(in crate::store) struct Revised<T> {
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
    pub fn unchanged(&self, key: &Key) -> Change {
        unchanged(Change::of(key, ""), self.revision)
    }
}

/// The change, which holds while nobody has made another since that revision.
pub(in crate::store) fn unchanged(change: Change, revision: u64) -> Change {
    let change = change.name("#revision", "revision");
    match revision {
        0 => change.when("attribute_exists(pk) AND attribute_not_exists(#revision)"),
        revision => change.when("#revision = :revision").value(":revision", &revision),
    }
}

impl Store {
    /// Edits an item, again from the start whenever somebody was faster. `None`: there is none.
    pub(in crate::store) async fn revise<T, E>(
        &self,
        kind: &'static str,
        key: &Key,
        edit: impl Fn(T) -> Result<T, E>,
    ) -> Result<Option<Revised<T>>, E>
    where
        T: Serialize + DeserializeOwned + Clone,
        E: From<StoreError>,
    {
        for attempt in 0..TRIES {
            let Some(found) = self.get_consistent::<Revised<T>>(kind, key).await? else { return Ok(None) };
            let next = found.next(edit(found.value.clone())?);
            match found.unchanged(key).put(self, kind, &next).await? {
                Written::Yes => return Ok(Some(next)),
                Written::No => back_off(attempt).await,
            }
        }
        Err(StoreError::Contended.into())
    }
}
