//! What a warm instance holds, and what follows from one step of its work.

use lambda_runtime::Error;
use shared::files::Files;
use shared::publish::Publisher;
use shared::queue::{Queue, Sqs};
use shared::serve::Instance;
use shared::store::Store;
use shared::tasks::Work;

pub struct Context {
    pub store: Store,
    pub publisher: Publisher,
    pub files: Files,
    pub queue: Queue,
}

impl Instance for Context {
    async fn from_env() -> Result<Self, Error> {
        let aws = shared::aws::config()?;
        let (sqs, store) = (Sqs::new(&aws), Store::without_secrets(&aws)?);
        Ok(Self {
            publisher: Publisher::from_env(&sqs, store.clone())?,
            store,
            files: Files::from_env(&aws)?,
            queue: sqs.queue("UPKEEP_QUEUE_URL")?,
        })
    }

    async fn warm(&self) {
        self.store.warm().await;
    }
}

pub enum Next {
    Nothing,
    /// Seconds from now.
    Again(Work, u32),
}
