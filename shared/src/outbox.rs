//! The outbox: what a write of the API leads to lies on the queue before the write is made.
//!
//! A function that died between its write and what follows from it would leave a message that is kept and never sent, or
//! a link that nobody hears of. So the order is: prepare, write, answer. Whoever reads the entry looks whether the write is
//! there, and only then sends and tells; an entry whose write was refused, or never made, comes to nothing. Does not
//! look itself: `receive` does.

use crate::config::ConfigError;
use crate::ids::AppId;
use crate::model::Timestamp;
use crate::queue::{Queue, QueueError, Sqs};
use crate::tasks::{OutboxEntry, ReceiveTask};

#[derive(Clone)]
pub struct Outbox(Queue);

impl Outbox {
    /// On the queue that `RECEIVE_QUEUE_URL` names.
    pub fn from_env(sqs: &Sqs) -> Result<Self, ConfigError> {
        Ok(Self(sqs.queue("RECEIVE_QUEUE_URL")?))
    }

    /// To be awaited before the write.
    pub async fn prepare(&self, app_id: AppId, entries: Vec<OutboxEntry>) -> Result<(), QueueError> {
        let prepared = Timestamp::from(std::time::SystemTime::now());
        let task = |entry| ReceiveTask::Outbox1 { app_id, prepared, entry };
        let tasks: Vec<_> = entries.into_iter().map(task).collect();
        if tasks.is_empty() { Ok(()) } else { self.0.send_all(&tasks).await }
    }

    pub async fn warm(&self) {
        self.0.warm().await;
    }
}
