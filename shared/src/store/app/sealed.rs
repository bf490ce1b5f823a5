//! Editing what holds sealed values.

use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::secrets::{Keyring, Unopenable};
use crate::store::table::keys::Key;
use crate::store::table::revisions::Revised;
use crate::store::{Store, StoreError};

impl Store {
    /// As the table's own `revise`. Where a value bears the version of a key that is not known here, the keys are read
    /// anew, and it begins again.
    pub(super) async fn revise_sealed<T, E>(
        &self,
        key: &Key,
        edit: impl Fn(&Keyring, T) -> Result<T, EditError<E>>,
    ) -> Result<Option<Revised<T>>, E>
    where
        T: Serialize + DeserializeOwned + Clone,
        E: From<StoreError>,
    {
        let mut keys = self.sealer.keys().await.map_err(StoreError::from)?;
        loop {
            match self.table.revise(key, |item| edit(&keys, item)).await {
                Ok(revised) => return Ok(revised),
                Err(EditError::Unopenable(Unopenable::UnknownVersion)) => {
                    keys = self.sealer.newer_than(&keys).await.map_err(StoreError::from)?;
                }
                Err(EditError::Unopenable(error)) => return Err(StoreError::Sealing(error.into()).into()),
                Err(EditError::Store(error)) => return Err(error.into()),
                Err(EditError::Theirs(error)) => return Err(error),
            }
        }
    }
}

/// Why an item with sealed values could not be edited.
pub(super) enum EditError<E> {
    Unopenable(Unopenable),
    Store(StoreError),
    /// By whoever edits.
    Theirs(E),
}

impl<E> From<Unopenable> for EditError<E> {
    fn from(error: Unopenable) -> Self {
        Self::Unopenable(error)
    }
}

impl<E> From<StoreError> for EditError<E> {
    fn from(error: StoreError) -> Self {
        Self::Store(error)
    }
}
