//! Publishing an event: find the app's webhooks that want it, and put it on the deliver queue for each.
//!
//! The events of one batch go out together: one task for each webhook, all of them in one request where they fit. A
//! webhook's task holds nothing of another's, so a slow one delays nobody else.
//!
//! An event that cannot be published fails alone: the others are on the queue all the same.

use std::collections::{BTreeMap, BTreeSet};

use crate::config::ConfigError;
use crate::ids::{AppId, EventId, WebhookId};
use crate::model::{Person, Subscription};
use crate::queue::{Queue, QueueError, Sqs, Unsent};
use crate::store::{Store, StoreError};
use crate::tasks::{DeliverTask, WebhookEvent};
use crate::telemetry::{Metric, Outcome};
use crate::webhook::{self, Event};

/// A task stays far below the queue's limit, so that tasks share requests.
const TASK_BYTES: usize = 200 * 1024;
/// A body that is longer does without all of the person's clients, then without all that is long: as text within a task
/// it may grow to twice its length, and a queue takes 1 MiB.
const BODY_BYTES: usize = 500 * 1024;

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
        enqueue(&self.deliver, &tasks, &mut failed).await;
        failed.into()
    }

    /// An event as each webhook that wants it gets it.
    async fn written(&self, event: &Event) -> Result<Vec<((AppId, WebhookId), WebhookEvent)>, StoreError> {
        let subscriptions = self.store.subscriptions(event.app_id).await?;
        let wanted: Vec<_> = subscriptions.iter().filter(|wanted| wanted.wants(event.trigger)).collect();
        let full = self.full_user(event, &wanted).await?;
        let written = wanted.into_iter().map(|wanted| {
            let written = WebhookEvent {
                id: event.id,
                trigger: event.trigger,
                subject: event.subject,
                body: body(event, wanted, full.as_ref()),
                at: event.at,
            };
            ((wanted.app_id, wanted.webhook), written)
        });
        Ok(written.collect())
    }

    /// The person an event is about, read only where a webhook wants all of them and the event does not hold them.
    async fn full_user(&self, event: &Event, wanted: &[&Subscription]) -> Result<Option<Person>, StoreError> {
        if let Some(person) = &event.full {
            return Ok(Some(Person::clone(person)));
        }
        match &event.who {
            Some(who) if wanted.iter().any(|wanted| wanted.include_full_app_user) => {
                self.store.person_by_id(event.app_id, who.app_user_id).await
            }
            _ => Ok(None),
        }
    }

    pub async fn warm(&self) {
        self.deliver.warm().await;
    }
}

/// Of a task that SQS refuses each event goes alone, so that one takes no other with it.
async fn enqueue(queue: &Queue, tasks: &[DeliverTask], failed: &mut Failed) {
    let mut alone = Vec::new();
    for Unsent { index, error } in queue.send_each(tasks).await {
        let DeliverTask::V1 { app_id, webhook_id, events, .. } = &tasks[index];
        if error.is_refusal() && events.len() > 1 {
            alone.extend(events.iter().map(|event| task(*app_id, *webhook_id, vec![event.clone()])));
        } else {
            failed.add(events.iter().map(|event| event.id), error);
        }
    }
    for Unsent { index, error } in queue.send_each(&alone).await {
        let DeliverTask::V1 { events, .. } = &alone[index];
        failed.add(events.iter().map(|event| event.id), error);
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

/// Every body fits a queue: what can't be told whole is told in brief.
fn body(event: &Event, wanted: &Subscription, full: Option<&Person>) -> String {
    let whole = webhook::body(event, wanted, full);
    if whole.len() <= BODY_BYTES {
        return whole;
    }
    let without_person = webhook::body(event, wanted, None);
    if without_person.len() <= BODY_BYTES {
        return without_person;
    }
    let outcome = Outcome::of(Metric::EventShortened).with("appId", wanted.app_id).with("webhookId", wanted.webhook);
    let outcome = outcome.with("eventId", event.id).with("trigger", event.trigger);
    outcome.with_number("bytes", i64::try_from(without_person.len()).unwrap_or(i64::MAX)).log();
    webhook::brief(event, wanted)
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
    groups.into_iter().map(|events| task(app_id, webhook_id, events)).collect()
}

fn task(app_id: AppId, webhook_id: WebhookId, events: Vec<WebhookEvent>) -> DeliverTask {
    DeliverTask::V1 { app_id, webhook_id, attempts: 0, events, dead: None }
}

#[cfg(test)]
mod tests {
    use serde_json::{Map, json};

    use super::*;
    use crate::model::{Timestamp, Trigger};
    use crate::queue::tests::answering;
    use crate::system::System;

    fn written(body: String) -> WebhookEvent {
        let at = Timestamp::from_millis(0);
        WebhookEvent { id: EventId::derive(&body, "", ""), trigger: Trigger::MessageAppUser, subject: None, body, at }
    }

    #[tokio::test]
    async fn one_event_that_sqs_refuses_takes_no_other_with_it() {
        let (queue, requests) = answering(&[
            r#"{"Successful":[{"Id":"1","MessageId":"m","MD5OfMessageBody":"x"}],"Failed":[
                {"Id":"0","SenderFault":true,"Code":"InvalidMessageContents"}]}"#,
            r#"{"Successful":[{"Id":"0","MessageId":"m","MD5OfMessageBody":"x"}],"Failed":[
                {"Id":"1","SenderFault":true,"Code":"InvalidMessageContents"}]}"#,
        ]);
        let events: Vec<_> = ["fine", "poison", "another's"].map(|body| written(body.to_owned())).into();
        let task =
            |events: &[WebhookEvent]| task(AppId::generate(&System), WebhookId::generate(&System), events.to_vec());
        let mut failed = Failed::default();
        enqueue(&queue, &[task(&events[..2]), task(&events[2..])], &mut failed).await;
        assert_eq!(failed.events, BTreeSet::from([events[1].id]));
        requests.recv().unwrap();
        let second = requests.recv().unwrap();
        let bodies: Vec<_> = second["Entries"].as_array().unwrap().iter().map(|entry| &entry["MessageBody"]).collect();
        assert!(bodies.iter().all(|body| !body.as_str().unwrap().contains("another's")), "another's is repeated");
    }

    /// Much more than a queue takes, of what grows most on its way there.
    #[test]
    fn an_event_of_any_size_fits_a_queue() {
        let id = "64c0ffee0123456789abcdef";
        let (notification, huge) = (json!({ "_id": id }), json!([{ "text": "\"".repeat(2_000_000) }]));
        let event = Event {
            app_id: AppId::generate(&System),
            trigger: Trigger::MessageAppUser,
            id: EventId::derive("one", "", ""),
            at: Timestamp::from_millis(0),
            subject: None,
            who: None,
            full: None,
            fields: Map::from_iter([("notification".to_owned(), notification), ("messages".to_owned(), huge)]),
        };
        let wanted = Subscription {
            webhook: WebhookId::generate(&System),
            app_id: event.app_id,
            triggers: vec![Trigger::All],
            include_client: true,
            include_full_app_user: true,
        };
        let body = body(&event, &wanted, None);
        assert!(body.len() < 10_000, "{}", body.len());
        let told: serde_json::Value = serde_json::from_str(&body).unwrap();
        assert_eq!((&told["eventId"], &told["notification"]["_id"]), (&json!(event.id.to_string()), &json!(id)));
        assert_eq!(told.get("messages"), None);
        assert!(serde_json::to_string(&"\"".repeat(BODY_BYTES)).unwrap().len() < 1_024 * 1_024);
    }
}
