//! One batch of what carriers told us, and of what writes of the API lead to.

use std::sync::Arc;

use aws_lambda_events::sqs::SqsEvent;
use serde_json::Value;
use shared::batch::{self, Later, Record};
use shared::config::ConfigError;
use shared::model::{Integration, Timestamp};
use shared::publish::Publisher;
use shared::queue::{Queue, SendQueues, Sqs};
use shared::store::Store;
use shared::tasks::{ReceiveTask, Received};
use shared::webhook::Event;

use crate::{outbox, receipt, reply};

pub struct Context {
    pub store: Store,
    pub queue: Queue,
    publisher: Publisher,
    pub senders: SendQueues,
}

impl Context {
    pub async fn from_env() -> Result<Self, ConfigError> {
        let aws = shared::aws::config()?;
        let (sqs, store) = (Sqs::new(&aws), Store::from_env(&aws)?);
        Ok(Self {
            queue: sqs.queue("RECEIVE_QUEUE_URL")?,
            publisher: Publisher::from_env(&sqs, store.clone())?,
            senders: SendQueues::from_env(&sqs)?,
            store,
        })
    }

    pub async fn warm(&self) {
        self.store.warm().await;
        self.publisher.warm().await;
    }
}

pub async fn handle(context: Arc<Context>, batch: SqsEvent) -> Value {
    let each = |record| receive(Arc::clone(&context), record);
    batch::run(batch, &context.queue, Some(&context.publisher), each).await
}

async fn receive(context: Arc<Context>, record: Record<ReceiveTask>) -> Result<Vec<Event>, Later> {
    let made = match &record.task {
        ReceiveTask::V1 { received, .. } => *received,
        ReceiveTask::Outbox1 { prepared, .. } => *prepared,
    };
    let redelivered = record.may_be_a_repeat(made);
    match record.task {
        ReceiveTask::Outbox1 { app_id, prepared, entry } => outbox::follow(&context, app_id, prepared, entry).await,
        ReceiveTask::V1 { app_id, integration_id, received, what } => {
            match context.store.integration(app_id, integration_id).await? {
                Some(integration) => heard(&context, &integration, received, redelivered, what).await,
                // Deleted since the callback was taken: nobody is left to tell.
                None => Ok(Vec::new()),
            }
        }
    }
}

async fn heard(
    context: &Context,
    integration: &Integration,
    received: Timestamp,
    redelivered: bool,
    what: Received,
) -> Result<Vec<Event>, Later> {
    let Some(channel) = integration.channel() else { return Ok(Vec::new()) };
    match what {
        Received::Receipt { context: send, receipt } => {
            let heard = receipt::Heard { integration, channel, send, receipt, received, redelivered };
            receipt::receive(&context.store, heard).await
        }
        Received::Reply(reply) => {
            let heard = reply::Heard { integration, channel, reply, received, redelivered };
            reply::receive(&context.store, heard).await
        }
    }
}
