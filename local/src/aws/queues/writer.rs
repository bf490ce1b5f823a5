//! One thread owns the SQLite connection and commits jobs in groups: whatever has piled up while the last group was
//! written becomes the next one. An answer is given only after its group is committed.

use std::path::Path;
use std::sync::mpsc;
use std::thread;

use rusqlite::Connection;
use tokio::sync::oneshot;

use super::messages;

/// Jobs per commit, so that no answer waits for long.
const GROUP: usize = 256;

type Answer = Box<dyn FnOnce() + Send>;
type Job = Box<dyn FnOnce(&Connection) -> Answer + Send>;

/// The handle to the thread, which ends when the last handle is gone.
#[derive(Clone)]
pub struct Writer {
    jobs: mpsc::Sender<Job>,
}

impl Writer {
    /// Opens `file`, or a database that ends with the engine, and starts the thread.
    pub fn start(file: Option<&Path>) -> rusqlite::Result<Self> {
        // Without a name SQLite keeps it in memory while it is small, then in a file that vanishes with it.
        let connection = Connection::open(file.unwrap_or(Path::new("")))?;
        // In write-ahead mode, synchronous=NORMAL survives a crash of this process; only a power cut may lose the end.
        connection.pragma_update(None, "journal_mode", "WAL")?;
        connection.pragma_update(None, "synchronous", "NORMAL")?;
        messages::prepare(&connection)?;
        let (jobs, queue) = mpsc::channel::<Job>();
        thread::Builder::new()
            .name("queues".into())
            .spawn(move || run(&connection, &queue))
            .map_err(|e| rusqlite::Error::ToSqlConversionFailure(Box::new(e)))?;
        Ok(Self { jobs })
    }

    /// Runs `job` on the connection and gives its result once that is committed; `None` if it can't be.
    pub async fn run<T: Send + 'static>(&self, job: impl FnOnce(&Connection) -> T + Send + 'static) -> Option<T> {
        let (sender, receiver) = oneshot::channel();
        self.jobs
            .send(Box::new(move |connection| {
                let result = job(connection);
                Box::new(move || {
                    // Whoever asked may have gone in the meantime.
                    let _ = sender.send(result);
                })
            }))
            .ok()?;
        receiver.await.ok()
    }
}

fn run(connection: &Connection, jobs: &mpsc::Receiver<Job>) {
    while let Ok(first) = jobs.recv() {
        if connection.execute_batch("BEGIN IMMEDIATE").is_err() {
            continue;
        }
        let mut answers = vec![first(connection)];
        while answers.len() < GROUP
            && let Ok(job) = jobs.try_recv()
        {
            answers.push(job(connection));
        }
        // Without a commit nothing is answered: dropping the answers tells those who wait.
        match connection.execute_batch("COMMIT") {
            Ok(()) => answers.into_iter().for_each(|answer| answer()),
            Err(_) => {
                let _ = connection.execute_batch("ROLLBACK");
            }
        }
    }
}
