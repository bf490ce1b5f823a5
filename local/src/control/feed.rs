//! What happens in the engine, as it happens: carriers, webhook receiver and function logs publish here, the console
//! and `GET /_local/events` listen. Nothing is kept: who subscribes late has missed what came before.

use std::sync::Arc;

use serde::Serialize;
use serde_json::Value;
use tokio::sync::broadcast;

/// Events that a slow listener may fall behind before it loses the oldest.
const BACKLOG: usize = 1024;

/// One thing that happened.
#[derive(Debug, Clone, Serialize)]
pub struct FeedEvent {
    /// What it is about, such as `log`, `webhook` or a name of the carriers' choice.
    pub kind: String,
    /// Unix milliseconds.
    pub at: i64,
    pub data: Value,
}

/// The engine's news channel. Cloning gives another handle on the same feed.
#[derive(Clone)]
pub struct Feed {
    sender: broadcast::Sender<Arc<FeedEvent>>,
}

impl Feed {
    pub fn new() -> Self {
        Self { sender: broadcast::channel(BACKLOG).0 }
    }

    /// Tells every listener; costs next to nothing when there is none.
    pub fn publish(&self, kind: &str, value: Value) {
        if self.sender.receiver_count() > 0 {
            // Fails only when the last listener has just left.
            let _ = self.sender.send(Arc::new(FeedEvent {
                kind: kind.to_owned(),
                at: crate::clock::now_ms(),
                data: value,
            }));
        }
    }

    pub fn subscribe(&self) -> broadcast::Receiver<Arc<FeedEvent>> {
        self.sender.subscribe()
    }
}

impl Default for Feed {
    fn default() -> Self {
        Self::new()
    }
}
