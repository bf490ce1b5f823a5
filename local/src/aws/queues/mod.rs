//! Standard SQS queues on SQLite, kept in the data directory or until the engine ends. This file adds to [`messages`] what takes
//! time: long polls that wake with the next message, and the rows that running invocations hold. The AWS protocol is
//! in [`protocol`]. No FIFO queues, no access by other accounts, no encryption.

pub mod attributes;
pub mod error;
pub mod messages;
pub mod protocol;
pub mod requests;
mod tenants;
mod writer;

use std::collections::{BTreeMap, HashSet, VecDeque};
use std::path::Path;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::{Notify, watch};
use tokio::time::Instant;

use crate::clock::now_ms;
use crate::control::activity::Activity;
use crate::lambda::template::Queue;

pub use error::SqsError;
pub use messages::{Batch, Counts, NewMessage, Received};
use tenants::Tenants;
use writer::Writer;

/// All queues of a stack. Cloning gives another handle on the same queues.
#[derive(Clone)]
pub struct Queues {
    inner: Arc<Inner>,
}

struct Inner {
    queues: BTreeMap<String, Entry>,
    writer: Writer,
    held: Arc<Mutex<HashSet<i64>>>,
    pollers_paused: watch::Sender<bool>,
    moves: Mutex<VecDeque<Move>>,
    activity: Activity,
}

struct Entry {
    spec: Queue,
    is_dead_letter: bool,
    arrived: Notify,
    tenants: Arc<Mutex<Tenants>>,
}

impl Entry {
    fn tenants(&self) -> MutexGuard<'_, Tenants> {
        self.tenants.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// What to take from a queue.
#[derive(Debug, Clone, Copy)]
pub struct Receive {
    pub max: usize,
    /// How long the messages stay hidden; the queue's own timeout if not said.
    pub visibility: Option<Duration>,
    /// How long to wait for the first message.
    pub wait: Duration,
    /// Whether this is a poller's receive: it rests while pollers are paused, and its rows count as held by a running
    /// invocation until [`Queues::release`].
    pub by_poller: bool,
}

/// A finished move of dead letters; moving takes no time here, so that there are no others.
#[derive(Debug, Clone)]
pub struct Move {
    pub from: String,
    pub to: Option<String>,
    pub moved: usize,
    /// Unix milliseconds.
    pub at: i64,
}

/// Moves that are remembered, as many as SQS lists.
const MOVES: usize = 10;

/// A queue as the control API shows it.
#[derive(Debug, Clone)]
pub struct QueueState {
    pub name: String,
    pub counts: Counts,
    pub is_dead_letter: bool,
}

impl Queues {
    /// Opens the queues of a stack.
    ///
    /// # Errors
    /// When `file` can't be opened or written.
    pub fn open(
        specs: impl IntoIterator<Item = Queue>,
        file: Option<&Path>,
        activity: Activity,
    ) -> rusqlite::Result<Self> {
        let specs: Vec<Queue> = specs.into_iter().collect();
        let dead: HashSet<String> =
            specs.iter().filter_map(|q| q.redrive.as_ref()).map(|r| r.dead_letter_queue.clone()).collect();
        let entry = |spec: Queue| {
            let is_dead_letter = dead.contains(&spec.name);
            (spec.name.clone(), Entry { spec, is_dead_letter, arrived: Notify::new(), tenants: Arc::default() })
        };
        let queues = specs.into_iter().map(entry).collect();
        let inner = Inner {
            queues,
            writer: Writer::start(file)?,
            held: Arc::default(),
            pollers_paused: watch::channel(false).0,
            moves: Mutex::default(),
            activity,
        };
        Ok(Self { inner: Arc::new(inner) })
    }

    pub fn spec(&self, queue: &str) -> Result<&Queue, SqsError> {
        Ok(&self.entry(queue)?.spec)
    }

    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.inner.queues.keys().map(String::as_str)
    }

    /// Stores messages; all or none.
    pub async fn send(&self, queue: &str, messages: Vec<NewMessage>) -> Result<(), SqsError> {
        let entry = self.entry(queue)?;
        let name = entry.spec.name.clone();
        self.write(move |connection| {
            let now = now_ms();
            messages.iter().try_for_each(|message| messages::send(connection, &name, message, now))
        })
        .await??;
        entry.arrived.notify_waiters();
        Ok(())
    }

    /// Takes messages, waiting for the first if there is none. Wakes when one is sent or becomes visible.
    pub async fn receive(&self, queue: &str, how: Receive) -> Result<Vec<Received>, SqsError> {
        let entry = self.entry(queue)?;
        let deadline = Instant::now() + how.wait;
        let mut paused = self.inner.pollers_paused.subscribe();
        loop {
            if how.by_poller {
                // Cannot fail: the sender lives as long as the queues.
                let _ = paused.wait_for(|paused| !paused).await;
            }
            let arrived = entry.arrived.notified();
            tokio::pin!(arrived);
            // Listens from here on, so that what arrives between the look and the wait isn't missed.
            arrived.as_mut().enable();
            let (batch, next_due) = self.take(entry, how).await?;
            if batch.dead_lettered > 0
                && let Some(redrive) = &entry.spec.redrive
            {
                self.entry(&redrive.dead_letter_queue)?.arrived.notify_waiters();
                self.inner.activity.bump();
            }
            if !batch.messages.is_empty() || Instant::now() >= deadline {
                return Ok(batch.messages);
            }
            let due = next_due.map(|at| Duration::from_millis(u64::try_from(at - now_ms()).unwrap_or(0)));
            let until = due.map_or(deadline, |due| deadline.min(Instant::now() + due));
            let _ = tokio::time::timeout_at(until, arrived).await;
        }
    }

    /// Lets pollers take nothing more, until they may again. Tests let a backlog build up this way.
    pub fn pause_pollers(&self, paused: bool) {
        self.inner.pollers_paused.send_replace(paused);
    }

    /// Whether quiet tenants go first, as on SQS; without it, tests show what that is good for.
    pub fn play_fair(&self, is_fair: bool) {
        self.inner.queues.values().for_each(|entry| entry.tenants().play_fair(is_fair));
    }

    async fn take(&self, entry: &Entry, how: Receive) -> Result<(Batch, Option<i64>), SqsError> {
        let spec = entry.spec.clone();
        let (held, tenants) = (Arc::clone(&self.inner.held), Arc::clone(&entry.tenants));
        let visibility = millis(how.visibility.unwrap_or(spec.visibility_timeout));
        Ok(self
            .write(move |connection| {
                let mut tenants = tenants.lock().unwrap_or_else(PoisonError::into_inner);
                let batch = messages::receive(connection, &spec, &mut tenants, how.max, visibility, now_ms())?;
                drop(tenants);
                if how.by_poller {
                    held.lock().unwrap_or_else(PoisonError::into_inner).extend(batch.messages.iter().map(|m| m.row));
                }
                let next_due =
                    if batch.messages.is_empty() { messages::next_due(connection, &spec.name)? } else { None };
                Ok::<_, rusqlite::Error>((batch, next_due))
            })
            .await??)
    }

    /// Ends the hold of an invocation that is over.
    pub fn release(&self, rows: &[i64]) {
        let mut held = self.inner.held.lock().unwrap_or_else(PoisonError::into_inner);
        for row in rows {
            held.remove(row);
        }
        drop(held);
        self.inner.activity.bump();
    }

    /// Deletes by receipt handles; one result for each.
    pub async fn delete(&self, queue: &str, handles: Vec<String>) -> Result<Vec<Result<(), SqsError>>, SqsError> {
        let entry = self.entry(queue)?;
        let name = entry.spec.name.clone();
        {
            let (mut tenants, now) = (entry.tenants(), now_ms());
            handles.iter().for_each(|handle| tenants.done(handle, now));
        }
        let results = self
            .write(move |connection| {
                handles
                    .iter()
                    .map(|handle| messages::delete(connection, &name, handle))
                    .collect::<rusqlite::Result<Vec<_>>>()
            })
            .await??;
        self.inner.activity.bump();
        Ok(results.into_iter().map(|result| result.map_err(SqsError::from)).collect())
    }

    /// Sets when in-flight messages become visible; one result for each.
    pub async fn change_visibility(
        &self,
        queue: &str,
        changes: Vec<(String, Duration)>,
    ) -> Result<Vec<Result<(), SqsError>>, SqsError> {
        let entry = self.entry(queue)?;
        let name = entry.spec.name.clone();
        let now = now_ms();
        {
            let mut tenants = entry.tenants();
            changes.iter().for_each(|(handle, after)| tenants.hidden(handle, now + millis(*after)));
        }
        let results = self
            .write(move |connection| {
                changes
                    .iter()
                    .map(|(handle, after)| messages::change_visibility(connection, &name, handle, millis(*after), now))
                    .collect::<rusqlite::Result<Vec<_>>>()
            })
            .await??;
        entry.arrived.notify_waiters();
        Ok(results.into_iter().map(|result| result.map_err(SqsError::from)).collect())
    }

    pub async fn counts(&self, queue: &str) -> Result<Counts, SqsError> {
        let name = self.entry(queue)?.spec.name.clone();
        Ok(self.write(move |connection| messages::counts(connection, &name, now_ms())).await??)
    }

    pub async fn states(&self) -> Result<Vec<QueueState>, SqsError> {
        let mut states = Vec::new();
        for (name, entry) in &self.inner.queues {
            let counts = self.counts(name).await?;
            states.push(QueueState { name: name.clone(), counts, is_dead_letter: entry.is_dead_letter });
        }
        Ok(states)
    }

    /// The oldest messages of a queue, untouched.
    pub async fn peek(&self, queue: &str, limit: usize) -> Result<Vec<Received>, SqsError> {
        let name = self.entry(queue)?.spec.name.clone();
        Ok(self.write(move |connection| messages::peek(connection, &name, limit)).await??)
    }

    /// Whether nothing is left to do: every queue is empty, dead-letter queues aside.
    pub async fn are_empty(&self) -> Result<bool, SqsError> {
        let names = self.of_work();
        Ok(self
            .write(move |connection| {
                for name in &names {
                    if !messages::is_empty(connection, name)? {
                        return Ok::<_, rusqlite::Error>(false);
                    }
                }
                Ok(true)
            })
            .await??)
    }

    /// Whether no invocation holds a message and none is to be seen, dead-letter queues aside: all that is there is
    /// delayed or hidden.
    pub async fn are_asleep(&self) -> Result<bool, SqsError> {
        let (names, held) = (self.of_work(), Arc::clone(&self.inner.held));
        Ok(self
            .write(move |connection| {
                let now = now_ms();
                for name in &names {
                    if messages::counts(connection, name, now)?.visible > 0 {
                        return Ok::<_, rusqlite::Error>(false);
                    }
                }
                Ok(held.lock().unwrap_or_else(PoisonError::into_inner).is_empty())
            })
            .await??)
    }

    /// The names of all but the dead-letter queues.
    fn of_work(&self) -> Vec<String> {
        self.inner.queues.values().filter(|q| !q.is_dead_letter).map(|q| q.spec.name.clone()).collect()
    }

    /// Shows every delayed or hidden message that no running invocation holds. Returns how many.
    pub async fn wake(&self) -> Result<usize, SqsError> {
        let mut woken = 0;
        for (name, entry) in &self.inner.queues {
            let (name, held, tenants) = (name.clone(), Arc::clone(&self.inner.held), Arc::clone(&entry.tenants));
            woken += self
                .write(move |connection| {
                    let held = held.lock().unwrap_or_else(PoisonError::into_inner);
                    let mut tenants = tenants.lock().unwrap_or_else(PoisonError::into_inner);
                    tenants.shown(&|row| held.contains(&row), now_ms());
                    messages::wake(connection, &name, &|row| held.contains(&row), now_ms())
                })
                .await??;
            entry.arrived.notify_waiters();
        }
        Ok(woken)
    }

    /// Moves dead letters to `to`, or back to where they failed. Returns how many.
    pub async fn move_all(&self, from: &str, to: Option<&str>) -> Result<usize, SqsError> {
        let from = self.entry(from)?.spec.name.clone();
        let to = to.map(|to| self.entry(to).map(|entry| entry.spec.name.clone())).transpose()?;
        let (source, target) = (from.clone(), to.clone());
        let moved = self
            .write(move |connection| messages::move_all(connection, &source, target.as_deref(), now_ms()))
            .await??;
        let total = moved.iter().map(|(_, count)| count).sum();
        let mut moves = self.inner.moves.lock().unwrap_or_else(PoisonError::into_inner);
        moves.push_front(Move { from, to, moved: total, at: now_ms() });
        moves.truncate(MOVES);
        drop(moves);
        for (queue, _) in &moved {
            if let Ok(entry) = self.entry(queue) {
                entry.arrived.notify_waiters();
            }
        }
        self.inner.activity.bump();
        Ok(total)
    }

    /// Moves dead letters to the queue whose dead-letter queue this is: also those that a function sent there itself, of
    /// which SQS knows no origin. Returns how many.
    pub async fn redrive(&self, dead_letters: &str) -> Result<usize, SqsError> {
        let home = self.sources(dead_letters)?.next();
        self.move_all(dead_letters, home).await
    }

    /// The queues whose dead letters go to this one.
    pub fn sources(&self, dead_letters: &str) -> Result<impl Iterator<Item = &str>, SqsError> {
        let name = &self.entry(dead_letters)?.spec.name;
        let specs = self.inner.queues.values().map(|entry| &entry.spec);
        let fails_to = |spec: &&Queue| spec.redrive.as_ref().is_some_and(|r| r.dead_letter_queue == *name);
        Ok(specs.filter(fails_to).map(|spec| spec.name.as_str()))
    }

    /// The latest moves of dead letters from a queue, newest first.
    pub fn moves(&self, from: &str) -> Vec<Move> {
        let moves = self.inner.moves.lock().unwrap_or_else(PoisonError::into_inner);
        moves.iter().filter(|m| m.from == from).cloned().collect()
    }

    pub async fn purge(&self, queue: &str) -> Result<usize, SqsError> {
        let name = self.entry(queue)?.spec.name.clone();
        let purged = self.write(move |connection| messages::purge(connection, &name)).await??;
        self.inner.activity.bump();
        Ok(purged)
    }

    pub fn is_dead_letter_queue(&self, queue: &str) -> Result<bool, SqsError> {
        Ok(self.entry(queue)?.is_dead_letter)
    }

    fn entry(&self, queue: &str) -> Result<&Entry, SqsError> {
        self.inner.queues.get(queue).ok_or_else(SqsError::no_such_queue)
    }

    async fn write<T: Send + 'static>(
        &self,
        job: impl FnOnce(&rusqlite::Connection) -> T + Send + 'static,
    ) -> Result<T, SqsError> {
        self.inner.writer.run(job).await.ok_or_else(|| SqsError::internal("the queues can't be written"))
    }
}

fn millis(duration: Duration) -> i64 {
    i64::try_from(duration.as_millis()).unwrap_or(i64::MAX)
}
