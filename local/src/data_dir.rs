//! The folder that outlives the engine: queues, table, buckets, secrets. One engine at a time, and its owner's alone.

use std::fs::{File, TryLockError};
use std::io;
use std::path::{Path, PathBuf};

use crate::engine::StartError;
use crate::private_files;

/// SQLite gives what it makes beside a database the database's own permissions.
const DATABASES: [&str; 3] = ["queues.sqlite", "table.sqlite", "carriers.sqlite"];
const BUCKETS: &str = "buckets";

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
        private_files::make_folder(folder).map_err(|e| unusable(e.to_string()))?;
        let lock = private_files::open(&folder.join("lock")).map_err(|e| unusable(e.to_string()))?;
        match lock.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => return Err(unusable("another engine uses it".to_owned())),
            Err(TryLockError::Error(e)) => return Err(unusable(e.to_string())),
        }
        close(folder).map_err(|e| unusable(e.to_string()))?;
        Ok(Self { folder: Some(folder.to_owned()), _lock: Some(lock) })
    }

    pub fn folder(&self) -> Option<&Path> {
        self.folder.as_deref()
    }

    /// A file in the folder; `None` when everything ends with the engine.
    pub fn file(&self, name: &str) -> Option<PathBuf> {
        Some(self.folder.as_ref()?.join(name))
    }
}

/// What is kept here holds keys and people's messages, and an earlier engine may have left it open to others.
fn close(folder: &Path) -> io::Result<()> {
    for database in DATABASES {
        private_files::open(&folder.join(database))?;
        for beside in ["-wal", "-shm"] {
            private_files::close(&folder.join(format!("{database}{beside}")))?;
        }
    }
    private_files::make_folder(&folder.join(BUCKETS))?;
    private_files::close(&folder.join(BUCKETS))?;
    ["secrets.json", "seed.json"].iter().try_for_each(|name| private_files::close(&folder.join(name)))
}
