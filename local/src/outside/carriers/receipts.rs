//! Receipts on their way: one task for each message, which ends when all are sent and the journal knows.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use serde_json::json;
use tokio::task::JoinHandle;

use super::State;
use super::message::{Message, Step, Work};
use crate::control::activity::Activity;

pub struct Receipts {
    activity: Activity,
    pending: AtomicUsize,
    unfinished: Mutex<Vec<Work>>,
}

impl Receipts {
    pub fn new(activity: Activity, unfinished: Vec<Work>) -> Self {
        Self { activity, pending: AtomicUsize::new(0), unfinished: Mutex::new(unfinished) }
    }

    pub fn pending(&self) -> usize {
        self.pending.load(Ordering::SeqCst)
    }

    pub fn take_unfinished(&self) -> Vec<Work> {
        std::mem::take(&mut self.unfinished.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

/// Counts one message as pending until it is dropped, however its task ends.
struct Pending(State);

impl Pending {
    fn new(state: State) -> Self {
        state.0.receipts.pending.fetch_add(1, Ordering::SeqCst);
        Self(state)
    }
}

impl Drop for Pending {
    fn drop(&mut self) {
        self.0.0.receipts.pending.fetch_sub(1, Ordering::SeqCst);
        self.0.0.receipts.activity.bump();
    }
}

impl State {
    /// Sends the receipts from a task of their own, which outlives the request that asks for them.
    pub(super) fn start_receipts(&self, work: Work) -> JoinHandle<()> {
        let pending = Pending::new(self.clone());
        tokio::spawn(async move { pending.0.send_receipts(work).await })
    }

    /// Sends the receipts one after another, then closes the message's row.
    async fn send_receipts(&self, mut work: Work) {
        for step in &work.steps {
            tokio::time::sleep(Duration::from_millis(step.after)).await;
            self.send_receipt(&work.message, step).await;
            work.message.status.clone_from(&step.status);
        }
        if self.0.journal.finished(work.row, &work.message).await.is_err() {
            tracing::warn!("a message's receipts will be sent again after a restart");
        }
    }

    /// Sends one receipt and tells what the product answered; `None` when it could not be reached.
    pub(super) async fn send_receipt(&self, message: &Message, step: &Step) -> Option<u16> {
        self.0.accepted.set_status(&message.external_id, &step.status);
        let account = self.0.accounts.of_integration(message.integration_id)?;
        let answer = self.0.callbacks.receipt(&account, message, step).await.map(|answer| answer.status);
        self.0.feed.publish(
            "receipt",
            json!({
                "externalId": message.external_id, "integrationId": message.integration_id, "appId": message.app_id,
                "channel": message.channel, "to": message.to, "status": step.status, "errorCode": step.error,
                "answered": answer,
            }),
        );
        answer
    }
}
