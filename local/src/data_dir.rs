//! The folder that outlives the engine: queues, table, buckets, secrets. One engine at a time.

use std::fs::{self, File, TryLockError};
use std::path::{Path, PathBuf};

use crate::engine::StartError;

/// The folder, locked for this engine; or nothing, and everything ends with the engine.
#[derive(Debug)]
pub struct DataDir {
    folder: Option<PathBuf>,
    _lock: Option<File>,
}

impl DataDir {
    /// Makes the folder if need be, and takes it.
    pub fn open(folder: Option<&Path>) -> Result<Self, StartError> {
        let Some(folder) = folder else { return Ok(Self { folder: None, _lock: None }) };
        let unusable = |reason: String| StartError::DataDir { path: folder.to_owned(), reason };
        fs::create_dir_all(folder).map_err(|e| unusable(e.to_string()))?;
        let lock = File::create(folder.join("lock")).map_err(|e| unusable(e.to_string()))?;
        match lock.try_lock() {
            Ok(()) => Ok(Self { folder: Some(folder.to_owned()), _lock: Some(lock) }),
            Err(TryLockError::WouldBlock) => Err(unusable("another engine uses it".to_owned())),
            Err(TryLockError::Error(e)) => Err(unusable(e.to_string())),
        }
    }

    pub fn folder(&self) -> Option<&Path> {
        self.folder.as_deref()
    }

    /// A file in the folder; `None` when everything ends with the engine.
    pub fn file(&self, name: &str) -> Option<PathBuf> {
        Some(self.folder.as_ref()?.join(name))
    }
}
