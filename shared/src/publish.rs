//! Publishing an event: find the app's webhooks that want it, and put it on the deliver queue for each.
//!
//! The events of one batch go out together: one task for each webhook, all of them in one request where they fit. A
//! webhook's task holds nothing of another's, so a slow one delays nobody else.
//!
//! An event that cannot be published fails alone: the others are on the queue all the same.

use std::collections::{BTreeMap, BTreeSet};

use crate::config::ConfigError;
use crate::ids::{AppId, EventId, WebhookId};
use crate::model::{Person, Webhook};
use crate::queue::{Queue, QueueError, Sqs, Unsent};
use crate::store::{Store, StoreError};
use crate::tasks::{DeliverTask, WebhookEvent};
use crate::webhook::{self, Event};

/// A task stays far below the queue's limit, so that tasks share requests.
const TASK_BYTES: usize = 200 * 1024;
/// A body that is longer does without all of the person's clients: as text within a task it may grow to twice its length,
/// and a queue takes 1 MiB.
const FULL_BODY_BYTES: usize = 500 * 1024;

/// These events are not on the queue for every webhook that wants them; all others are.
#[derive(Debug, thiserror::Error)]
#[error("{} events could not be published: {cause}", events.len())]
pub struct PublishError {
    pub events: BTreeSet<EventId>,
    /// Why the first of them is not.
    #[source]
    cause: Cause,
}

#[derive(Debug, thiserror::Error)]
enum Cause {
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
        let mut failed = Failed::default();
        let mut by_webhook: BTreeMap<(AppId, WebhookId), Vec<WebhookEvent>> = BTreeMap::new();
        for event in events {
            match self.written(event).await {
                Ok(written) => {
                    written.into_iter().for_each(|(id, event)| by_webhook.entry(id).or_default().push(event))
                }
                Err(error) => failed.add([event.id], error),
            }
        }
        let tasks: Vec<_> = by_webhook.into_iter().flat_map(|((app, id), events)| tasks(app, id, events)).collect();
        for Unsent { index, error } in self.deliver.send_each(&tasks).await {
            let DeliverTask::V1 { events, .. } = &tasks[index];
            failed.add(events.iter().map(|event| event.id), error);
        }
        failed.into()
    }

    /// An event as each webhook that wants it gets it.
    async fn written(&self, event: &Event) -> Result<Vec<((AppId, WebhookId), WebhookEvent)>, StoreError> {
        let webhooks = self.store.webhooks(event.app_id).await?;
        let wanted: Vec<_> = webhooks.iter().filter(|webhook| webhook.wants(event.trigger)).collect();
        let full = self.full_user(event, &wanted).await?;
        let written = wanted.into_iter().map(|webhook| {
            let written = WebhookEvent {
                id: event.id,
                trigger: event.trigger,
                subject: event.subject,
                body: body(event, webhook, full.as_ref()),
                at: event.at,
            };
            ((webhook.app_id, webhook.id), written)
        });
        Ok(written.collect())
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

/// Events that could not be published, and the first cause.
#[derive(Default)]
struct Failed {
    events: BTreeSet<EventId>,
    cause: Option<Cause>,
}

impl Failed {
    fn add(&mut self, events: impl IntoIterator<Item = EventId>, cause: impl Into<Cause>) {
        self.events.extend(events);
        self.cause.get_or_insert_with(|| cause.into());
    }
}

impl From<Failed> for Result<(), PublishError> {
    fn from(Failed { events, cause }: Failed) -> Self {
        cause.map_or(Ok(()), |cause| Err(PublishError { events, cause }))
    }
}

fn body(event: &Event, webhook: &Webhook, full: Option<&Person>) -> String {
    let body = webhook::body(event, webhook, full);
    if body.len() > FULL_BODY_BYTES && webhook.include_full_app_user {
        return webhook::body(event, webhook, None);
    }
    body
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
