//! One batch of what carriers told us.

use std::sync::Arc;

use aws_lambda_events::sqs::SqsEvent;
use serde_json::Value;
use shared::batch::{self, Later, Record};
use shared::config::ConfigError;
use shared::publish::Publisher;
use shared::queue::Queue;
use shared::store::Store;
use shared::tasks::{ReceiveTask, Received};
use shared::webhook::Event;

use crate::{receipt, reply};

pub struct Context {
    pub store: Store,
    queue: Queue,
    publisher: Publisher,
}

impl Context {
    pub async fn from_env() -> Result<Self, ConfigError> {
        let aws = shared::aws::config().await;
        let store = Store::from_env(&aws)?;
        Ok(Self {
            queue: Queue::from_env(&aws, "RECEIVE_QUEUE_URL")?,
            publisher: Publisher::from_env(&aws, store.clone())?,
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
    let ReceiveTask::V1 { received, .. } = record.task;
    let redelivered = record.may_be_a_repeat(received);
    let ReceiveTask::V1 { app_id, integration_id, what, .. } = record.task;
    let integration = match context.store.integration(app_id, integration_id).await? {
        Some(integration) => integration,
        // Deleted since the callback was taken: nobody is left to tell.
        None => return Ok(Vec::new()),
    };
    let Some(channel) = integration.channel() else { return Ok(Vec::new()) };
    match what {
        Received::Receipt { context: send, receipt } => {
            let heard = receipt::Heard { integration: &integration, channel, send, receipt, received, redelivered };
            receipt::receive(&context.store, heard).await
        }
        Received::Reply(reply) => {
            let heard = reply::Heard { integration: &integration, channel, reply, received, redelivered };
            reply::receive(&context.store, heard).await
        }
    }
}
