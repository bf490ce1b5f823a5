//! What a warm instance holds.

use lambda_http::Error;
use shared::api::Api;
use shared::intake::Intake;
use shared::queue::Sqs;
use shared::serve::Instance;
use shared::store::Store;

pub struct Context {
    pub api: Api,
    pub intake: Intake,
    store: Store,
}

impl Instance for Context {
    async fn from_env() -> Result<Self, Error> {
        let aws = shared::aws::config()?;
        let store = Store::from_env(&aws)?;
        let intake = Intake::from_env(&Sqs::new(&aws), store.clone())?;
        Ok(Self { api: Api::new(store.clone()), intake, store })
    }

    async fn warm(&self) {
        self.store.warm().await;
        self.intake.warm().await;
    }
}
