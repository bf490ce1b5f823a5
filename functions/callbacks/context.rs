//! What a warm instance holds.

use lambda_http::Error;
use shared::config;
use shared::queue::{Queue, Sqs};
use shared::serve::Instance;
use shared::store::Store;

pub struct Context {
    pub store: Store,
    pub receive: Queue,
    /// The stack's own address, if it has one.
    pub public_url: Option<String>,
}

impl Instance for Context {
    async fn from_env() -> Result<Self, Error> {
        let aws = shared::aws::config()?;
        Ok(Self {
            store: Store::from_env(&aws)?,
            receive: Sqs::new(&aws).queue("RECEIVE_QUEUE_URL")?,
            public_url: config::base_url_if_any("PUBLIC_URL")?,
        })
    }

    async fn warm(&self) {
        self.store.warm().await;
        self.receive.warm().await;
    }
}
