//! The outbox: what a write of the API leads to lies on the queue before the write is made.
//!
//! A function that died between its write and what follows from it would leave a message that is kept and never sent, or
//! a link that nobody hears of. So the order is: prepare, write, answer. The write leaves a mark, in the same
//! transaction; whoever reads the entry looks for the mark, and only then sends and tells. An entry whose write was
//! refused, or never made, comes to nothing. What was written may be gone by then: deleted, run out, or overwritten by
//! the next. Does not look itself: `receive` does.

pub use domain::outbox::*;

use crate::config::ConfigError;
use crate::ids::AppId;
use crate::queue::{Queue, QueueError, Sqs};
use crate::system::now;
use crate::tasks::ReceiveTask;

#[derive(Clone)]
pub struct Outbox(Queue);

impl Outbox {
    /// On the queue that `RECEIVE_QUEUE_URL` names.
    pub fn from_env(sqs: &Sqs) -> Result<Self, ConfigError> {
        Ok(Self(sqs.queue("RECEIVE_QUEUE_URL")?))
    }

    /// To be awaited before the write that leaves this mark.
    pub async fn prepare(&self, app_id: AppId, mark: Mark, follows: Follows) -> Result<(), QueueError> {
        let prepared = now();
        self.0.send(&ReceiveTask::Outbox2 { app_id, prepared, mark, follows }).await
    }

    pub async fn warm(&self) {
        self.0.warm().await;
    }
}
