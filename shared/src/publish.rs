//! Publishing an event: find the app's webhooks that want it, and put it on the deliver queue for each.
//!
//! The events of one batch go out together: one task for each webhook, all of them in one request where they fit. A
//! webhook's task holds nothing of another's, so a slow one delays nobody else.

use std::collections::BTreeMap;

use crate::config::ConfigError;
use crate::ids::{AppId, WebhookId};
use crate::model::{Person, Webhook};
use crate::queue::{Queue, QueueError, Sqs};
use crate::store::{Store, StoreError};
use crate::tasks::{DeliverTask, WebhookEvent};
use crate::webhook::{self, Event};

/// A task stays far below the queue's limit, so that tasks share requests.
const TASK_BYTES: usize = 200 * 1024;

#[derive(Debug, thiserror::Error)]
pub enum PublishError {
    #[error(transparent)]
    Store(#[from] StoreError),
    #[error(transparent)]
    Queue(#[from] QueueError),
}

#[derive(Clone)]
pub struct Publisher {
    store: Store,
    deliver: Queue,
}

impl Publisher {
    /// With the queue that `DELIVER_QUEUE_URL` names.
    pub fn from_env(sqs: &Sqs, store: Store) -> Result<Self, ConfigError> {
        Ok(Self { store, deliver: sqs.queue("DELIVER_QUEUE_URL")? })
    }

    pub async fn publish(&self, events: &[Event]) -> Result<(), PublishError> {
        let mut by_webhook: BTreeMap<(AppId, WebhookId), Vec<WebhookEvent>> = BTreeMap::new();
        for event in events {
            let webhooks = self.store.webhooks(event.app_id).await?;
            let wanted: Vec<_> = webhooks.iter().filter(|webhook| webhook.wants(event.trigger)).collect();
            let full = self.full_user(event, &wanted).await?;
            for webhook in wanted {
                let written = WebhookEvent {
                    id: event.id,
                    trigger: event.trigger,
                    subject: event.subject,
                    body: webhook::body(event, webhook, full.as_ref()),
                    at: event.at,
                };
                by_webhook.entry((webhook.app_id, webhook.id)).or_default().push(written);
            }
        }
        let tasks: Vec<_> = by_webhook.into_iter().flat_map(|((app, id), events)| tasks(app, id, events)).collect();
        if tasks.is_empty() { Ok(()) } else { Ok(self.deliver.send_all(&tasks).await?) }
    }

    /// The person an event is about, read only where a webhook wants all of them and the event does not hold them.
    async fn full_user(&self, event: &Event, webhooks: &[&Webhook]) -> Result<Option<Person>, StoreError> {
        if let Some(person) = &event.full {
            return Ok(Some(Person::clone(person)));
        }
        match &event.who {
            Some(who) if webhooks.iter().any(|webhook| webhook.include_full_app_user) => {
                self.store.person_by_id(event.app_id, who.app_user_id).await
            }
            _ => Ok(None),
        }
    }

    pub async fn warm(&self) {
        self.deliver.warm().await;
    }
}

/// One webhook's events in as few tasks as the size limit allows.
fn tasks(app_id: AppId, webhook_id: WebhookId, events: Vec<WebhookEvent>) -> Vec<DeliverTask> {
    let mut groups: Vec<Vec<WebhookEvent>> = Vec::new();
    let mut room = 0;
    for event in events {
        match groups.last_mut() {
            Some(group) if event.body.len() <= room => {
                room -= event.body.len();
                group.push(event);
            }
            _ => {
                room = TASK_BYTES.saturating_sub(event.body.len());
                groups.push(vec![event]);
            }
        }
    }
    let task = |events| DeliverTask::V1 { app_id, webhook_id, attempts: 0, events, dead: None };
    groups.into_iter().map(task).collect()
}
