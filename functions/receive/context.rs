//! What a warm instance holds, and what is known of whatever it hears.

use lambda_runtime::Error;
use shared::ids::{AppId, IntegrationId};
use shared::model::ChannelType;
use shared::publish::Publisher;
use shared::queue::{Queue, SendQueues, Sqs};
use shared::serve::Instance;
use shared::store::Store;
use shared::upkeep::Upkeep;

pub struct Context {
    pub store: Store,
    pub queue: Queue,
    pub publisher: Publisher,
    pub senders: SendQueues,
    pub upkeep: Upkeep,
}

impl Instance for Context {
    async fn from_env() -> Result<Self, Error> {
        let aws = shared::aws::config()?;
        let (sqs, store) = (Sqs::new(&aws), Store::without_secrets(&aws)?);
        Ok(Self {
            queue: sqs.queue("RECEIVE_QUEUE_URL")?,
            publisher: Publisher::from_env(&sqs, store.clone())?,
            senders: SendQueues::from_env(&sqs)?,
            upkeep: Upkeep::from_env(&sqs)?,
            store,
        })
    }

    async fn warm(&self) {
        self.store.warm().await;
        self.publisher.warm().await;
    }
}

/// Where something was heard. The integration may be deleted since.
#[derive(Clone, Copy)]
pub struct Source {
    pub app_id: AppId,
    pub integration_id: IntegrationId,
    pub channel: ChannelType,
}
