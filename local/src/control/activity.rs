//! Tells waiters that something ended which may leave the engine idle: they look again, instead of looking all the time.

use tokio::sync::watch;

/// Cloning gives another handle on the same signal.
#[derive(Clone)]
pub struct Activity {
    changes: watch::Sender<u64>,
}

impl Activity {
    pub fn new() -> Self {
        Self { changes: watch::channel(0).0 }
    }

    /// Something ended.
    pub fn bump(&self) {
        self.changes.send_modify(|count| *count = count.wrapping_add(1));
    }

    /// A listener that has seen everything up to now.
    pub fn listen(&self) -> watch::Receiver<u64> {
        self.changes.subscribe()
    }
}

impl Default for Activity {
    fn default() -> Self {
        Self::new()
    }
}
