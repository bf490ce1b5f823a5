//! Deletions by the API: certain once their task is queued, and made at once where that works.
//!
//! The task's first step makes the deletion, too: so a deletion that was answered happens, whatever dies, and one that
//! was refused never does.

use std::time::Duration;

use crate::config::ConfigError;
use crate::ids::AppId;
use crate::queue::{Queue, QueueError, Sqs};
use crate::store::StoreError;
use crate::tasks::{UpkeepTask, Work};
use crate::telemetry::Causes;

/// A deletion that takes longer is left to its task: the answer is due before the function's time is up.
const AT_ONCE: Duration = Duration::from_secs(4);
/// Longer than a function lives that queues work, and than settings are remembered.
const A_MINUTE: u32 = 60;

#[derive(Clone)]
pub struct Upkeep(Queue);

impl Upkeep {
    /// On the queue that `UPKEEP_QUEUE_URL` names.
    pub fn from_env(sqs: &Sqs) -> Result<Self, ConfigError> {
        Ok(Self(sqs.queue("UPKEEP_QUEUE_URL")?))
    }

    /// Queues the work, to be done once whoever asks for it has made their change or never will, and no function
    /// remembers what it was before.
    pub async fn in_a_minute(&self, app_id: AppId, work: Work) -> Result<(), QueueError> {
        self.0.send_later(&UpkeepTask::V1 { app_id, work }, A_MINUTE).await
    }

    /// Queues the work; then makes its first step `at_once`, so that what was deleted is gone for whoever asks next. If
    /// that fails, or takes too long, it is a moment later that it is gone.
    pub async fn delete<T>(
        &self,
        app_id: AppId,
        work: Work,
        at_once: impl Future<Output = Result<T, StoreError>>,
    ) -> Result<(), QueueError> {
        let name = work.name();
        self.0.send(&UpkeepTask::V1 { app_id, work }).await?;
        match tokio::time::timeout(AT_ONCE, at_once).await {
            Ok(Ok(_)) => {}
            Ok(Err(error)) => tracing::warn!(error = %Causes(&error), work = name, "a deletion is left to its task"),
            Err(error) => tracing::warn!(%error, work = name, "a deletion is left to its task"),
        }
        Ok(())
    }
}
