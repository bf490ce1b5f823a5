//! What must outlive a restart: messages taken, the receipts still owed for them, and what was set at the carriers.
//!
//! One thread writes; what arrives while it commits goes into its next transaction, so that a thousand messages a second
//! cost a few commits. Without a data directory nothing is written and rows are only numbered.

use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::mpsc::{self, Receiver, Sender};

use rusqlite::{Connection, params};
use shared::model::ChannelType;
use tokio::sync::oneshot;

use super::accepted;
use super::message::{Message, Step, Work};
use super::setup::Setup;

const FILE: &str = "carriers.sqlite";
/// Writes in one transaction at most.
const BATCH: usize = 512;
const SCHEMA: &str = "
    PRAGMA journal_mode = WAL;
    PRAGMA synchronous = NORMAL;
    CREATE TABLE IF NOT EXISTS messages (
        row INTEGER PRIMARY KEY,
        message TEXT NOT NULL,
        steps TEXT
    ) STRICT;
    CREATE INDEX IF NOT EXISTS owed ON messages (row) WHERE steps IS NOT NULL;
    CREATE TABLE IF NOT EXISTS setups (
        channel TEXT NOT NULL,
        what TEXT NOT NULL,
        value TEXT NOT NULL,
        PRIMARY KEY (channel, what)
    ) STRICT;";

/// From a file that knew of numbers only.
const SINCE: &str = "
    INSERT OR IGNORE INTO setups SELECT 'twilio', account || '/' || number,
        json_object('url', target, 'fallback', fallback, 'applicationSid', application) FROM numbers;
    DROP TABLE numbers;";

#[derive(Debug, thiserror::Error)]
pub enum JournalError {
    #[error("the carriers' journal cannot be opened: {0}")]
    Open(#[from] rusqlite::Error),
    #[error("the carriers' journal holds a row that can't be read: {0}")]
    Row(#[from] serde_json::Error),
    #[error("the carriers' journal has no thread to write it: {0}")]
    Thread(#[from] std::io::Error),
}

/// A write that did not reach the disk. The carrier says that it is down then.
#[derive(Debug, thiserror::Error)]
#[error("the carriers' journal cannot be written")]
pub struct NotWritten;

/// What an earlier run has left.
#[derive(Debug, Default)]
pub struct Kept {
    /// Oldest first.
    pub messages: Vec<Message>,
    pub unfinished: Vec<Work>,
    pub setups: Vec<Setup>,
}

pub struct Journal {
    writer: Option<Sender<(Write, oneshot::Sender<bool>)>>,
    next_row: AtomicI64,
}

enum Write {
    Took { row: i64, message: String, steps: String },
    Finished { row: i64, message: String },
    SetUp(Setup),
}

impl Journal {
    pub fn open(data_dir: Option<PathBuf>) -> Result<(Self, Kept), JournalError> {
        let Some(dir) = data_dir else {
            return Ok((Self { writer: None, next_row: AtomicI64::new(1) }, Kept::default()));
        };
        let connection = connect(&dir)?;
        let kept = read(&connection)?;
        let last: i64 = connection.query_row("SELECT coalesce(max(row), 0) FROM messages", [], |row| row.get(0))?;
        let (writer, writes) = mpsc::channel();
        std::thread::Builder::new().name("carriers-journal".into()).spawn(move || write_all(connection, &writes))?;
        Ok((Self { writer: Some(writer), next_row: AtomicI64::new(last + 1) }, kept))
    }

    /// Keeps a message with the receipts owed for it. Once this returns, no restart loses them.
    pub async fn took(&self, message: &Message, steps: &[Step]) -> Result<i64, NotWritten> {
        let row = self.next_row.fetch_add(1, Ordering::Relaxed);
        self.write(|| {
            Some(Write::Took {
                row,
                message: serde_json::to_string(message).ok()?,
                steps: serde_json::to_string(steps).ok()?,
            })
        })
        .await?;
        Ok(row)
    }

    /// Nothing more is owed for it.
    pub async fn finished(&self, row: i64, message: &Message) -> Result<(), NotWritten> {
        self.write(|| Some(Write::Finished { row, message: serde_json::to_string(message).ok()? })).await
    }

    /// What was set at a carrier.
    pub async fn set_up(&self, setup: &Setup) -> Result<(), NotWritten> {
        self.write(|| Some(Write::SetUp(setup.clone()))).await
    }

    async fn write(&self, write: impl FnOnce() -> Option<Write>) -> Result<(), NotWritten> {
        let Some(writer) = &self.writer else { return Ok(()) };
        let (done, is_done) = oneshot::channel();
        writer.send((write().ok_or(NotWritten)?, done)).map_err(|_| NotWritten)?;
        if is_done.await.unwrap_or(false) { Ok(()) } else { Err(NotWritten) }
    }
}

fn connect(dir: &Path) -> Result<Connection, JournalError> {
    std::fs::create_dir_all(dir)?;
    let connection = Connection::open(dir.join(FILE))?;
    connection.execute_batch(SCHEMA)?;
    if connection.prepare("SELECT fallback FROM numbers").is_ok() {
        connection.execute_batch(SINCE)?;
    }
    Ok(connection)
}

fn read(connection: &Connection) -> Result<Kept, JournalError> {
    let mut kept = Kept::default();
    let mut recent = connection.prepare("SELECT message FROM messages ORDER BY row DESC LIMIT ?1")?;
    for message in recent.query_map(params![accepted::CAPACITY], |row| row.get::<_, String>(0))? {
        kept.messages.push(serde_json::from_str(&message?)?);
    }
    kept.messages.reverse();
    let mut owed =
        connection.prepare("SELECT row, message, steps FROM messages WHERE steps IS NOT NULL ORDER BY row")?;
    for work in owed.query_map([], |row| Ok((row.get(0)?, row.get::<_, String>(1)?, row.get::<_, String>(2)?)))? {
        let (row, message, steps) = work?;
        let (message, steps) = (serde_json::from_str(&message)?, serde_json::from_str(&steps)?);
        kept.unfinished.push(Work { row, message, steps });
    }
    let mut setups = connection.prepare("SELECT channel, what, value FROM setups")?;
    for setup in setups.query_map([], |row| Ok((row.get::<_, String>(0)?, row.get(1)?, row.get::<_, String>(2)?)))? {
        let (channel, what, value) = setup?;
        // A carrier that an older engine had, and this one hasn't.
        let Some(channel) = ChannelType::from_name(&channel) else { continue };
        kept.setups.push(Setup { channel, what, value: serde_json::from_str(&value)? });
    }
    Ok(kept)
}

/// Ends when the journal is dropped.
fn write_all(mut connection: Connection, writes: &Receiver<(Write, oneshot::Sender<bool>)>) {
    while let Ok(first) = writes.recv() {
        let batch: Vec<_> = std::iter::once(first).chain(writes.try_iter().take(BATCH)).collect();
        let is_written = commit(&mut connection, batch.iter().map(|(write, _)| write)).is_ok();
        for (_, done) in batch {
            // Who asked may have given up.
            let _ = done.send(is_written);
        }
    }
}

fn commit<'a>(connection: &mut Connection, writes: impl Iterator<Item = &'a Write>) -> Result<(), rusqlite::Error> {
    let transaction = connection.transaction()?;
    for write in writes {
        match write {
            Write::Took { row, message, steps } => transaction
                .prepare_cached("INSERT INTO messages (row, message, steps) VALUES (?1, ?2, ?3)")?
                .execute(params![row, message, steps])?,
            Write::SetUp(setup) => transaction
                .prepare_cached("INSERT OR REPLACE INTO setups VALUES (?1, ?2, ?3)")?
                .execute(params![setup.channel.as_str(), setup.what, setup.value.to_string()])?,
            Write::Finished { row, message } => {
                transaction
                    .prepare_cached("UPDATE messages SET message = ?2, steps = NULL WHERE row = ?1")?
                    .execute(params![row, message])?;
                transaction
                    .prepare_cached("DELETE FROM messages WHERE row = ?1 AND steps IS NULL")?
                    .execute(params![row - accepted::CAPACITY as i64])?
            }
        };
    }
    transaction.commit()
}
