//! What a warm instance holds.

use lambda_runtime::Error;
use shared::config;
use shared::http::WebhookClient;
use shared::queue::{Queue, Sqs};
use shared::serve::Instance;
use shared::store::Store;

use crate::patience::Hung;

pub struct Context {
    pub store: Store,
    pub queue: Queue,
    pub dead: Queue,
    pub client: WebhookClient,
    pub hung: Hung,
}

impl Instance for Context {
    async fn from_env() -> Result<Self, Error> {
        let aws = shared::aws::config()?;
        let sqs = Sqs::new(&aws);
        Ok(Self {
            store: Store::from_env(&aws)?,
            queue: sqs.queue("DELIVER_QUEUE_URL")?,
            dead: sqs.queue("DELIVER_DEAD_LETTER_QUEUE_URL")?,
            client: WebhookClient::new(config::allowed("WEBHOOK_PRIVATE_NETWORKS")?)?,
            hung: Hung::default(),
        })
    }

    async fn warm(&self) {
        self.store.warm().await;
    }
}
