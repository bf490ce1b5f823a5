//! What travels on the queues: versioned, tagged, and complete enough that nothing has to be looked up twice.
//!
//! A task written by one version of the code may be read by the next: fields are added with defaults, and a change of
//! meaning is a new version.

mod deliver;
mod receive;
mod send;
mod upkeep;

pub use deliver::{DeliverTask, WebhookEvent};
pub use receive::{ReceiveTask, Received, SendContext};
pub use send::SendTask;
pub use upkeep::{MessagePlace, UpkeepTask, Work};

use serde::Serialize;

use crate::ids::{AppId, WebhookId};

/// Whose a task is. Where many wait, a queue gives first to those who have few under way.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Group(String);

impl Group {
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl From<AppId> for Group {
    fn from(app: AppId) -> Self {
        Self(app.to_string())
    }
}

impl From<WebhookId> for Group {
    fn from(webhook: WebhookId) -> Self {
        Self(webhook.to_string())
    }
}

/// What a queue takes: every task says whose it is, so nobody who enqueues one can forget to.
pub trait Task: Serialize {
    fn group(&self) -> Group;
}

impl<T: Task> Task for &T {
    fn group(&self) -> Group {
        T::group(self)
    }
}
