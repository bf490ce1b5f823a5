//! One batch of what carriers told us, and of what writes of the API lead to; or of what the queue could not take before.

use std::sync::Arc;

use aws_lambda_events::sqs::SqsEvent;
use serde::Deserialize;
use serde_json::Value;
use shared::batch::{self, Later, Record};
use shared::ids::{AppId, IntegrationId};
use shared::model::{ChannelType, IntegrationType};
use shared::store::StoreError;
use shared::tasks::{ReceiveTask, Received};
use shared::webhook::Event;

use crate::context::{Context, Source};
use crate::parked::{self, StreamEvent};
use crate::{outbox, receipt, reply};

/// What invokes us.
#[derive(Deserialize)]
#[serde(untagged)]
pub enum Batch {
    /// The table's stream.
    Parked(StreamEvent),
    /// The receive queue.
    Tasks(SqsEvent),
}

pub async fn handle(context: Arc<Context>, batch: Batch) -> Value {
    match batch {
        Batch::Parked(event) => parked::bring(&context, event).await,
        Batch::Tasks(batch) => {
            let each = |record| receive(Arc::clone(&context), record);
            batch::run(batch, &context.queue, Some(&context.publisher), each).await
        }
    }
}

async fn receive(context: Arc<Context>, record: Record<ReceiveTask>) -> Result<Vec<Event>, Later> {
    let made = match &record.task {
        ReceiveTask::V1 { received, put_back, .. } => put_back.unwrap_or(*received),
        ReceiveTask::Outbox1 { prepared, .. } | ReceiveTask::Outbox2 { prepared, .. } => *prepared,
    };
    let redelivered = record.may_be_a_repeat(made);
    match record.task {
        ReceiveTask::Outbox1 { app_id, prepared, entry } => {
            outbox::follow_unmarked(&context, app_id, prepared, entry).await
        }
        ReceiveTask::Outbox2 { app_id, prepared, mark, follows } => {
            outbox::follow(&context, app_id, prepared, mark, follows).await
        }
        ReceiveTask::V1 { app_id, integration_id, channel, received, place, what, .. } => {
            let Some(channel) = known(&context, app_id, integration_id, channel).await? else { return Ok(Vec::new()) };
            let source = Source { app_id, integration_id, channel };
            match what {
                Received::Receipt { context: send, receipt } => {
                    receipt::receive(&context, receipt::Heard { source, send, receipt, received, redelivered }).await
                }
                Received::Reply(reply) => {
                    reply::receive(&context, reply::Heard { source, reply, received, place, redelivered }).await
                }
            }
        }
    }
}

/// By which channel it came. An older task does not say, and of a deleted integration nobody knows.
async fn known(
    context: &Context,
    app: AppId,
    integration: IntegrationId,
    said: Option<ChannelType>,
) -> Result<Option<ChannelType>, StoreError> {
    match said {
        Some(channel) => Ok(Some(channel)),
        None => Ok(context.store.integration_type(app, integration).await?.and_then(IntegrationType::channel)),
    }
}
