//! What a warm instance holds.

use std::sync::LazyLock;

use lambda_http::Error;
use shared::api::Api;
use shared::config;
use shared::files::Files;
use shared::http::{CarrierClient, ClientError};
use shared::ids::AppId;
use shared::intake::Intake;
use shared::model::AppSettings;
use shared::outbox::Outbox;
use shared::publish::Publisher;
use shared::queue::Sqs;
use shared::serve::Instance;
use shared::store::{Store, StoreError};
use shared::upkeep::Upkeep;

pub struct Context {
    pub api: Api,
    pub store: Store,
    pub publisher: Publisher,
    pub outbox: Outbox,
    pub upkeep: Upkeep,
    pub intake: Intake,
    pub files: Files,
    /// Made at its first use: few calls ask a carrier anything.
    pub carrier: LazyLock<Result<CarrierClient, ClientError>>,
    /// Our own public base URL, without a slash at its end: files are found there, and pages of a history name each other
    /// by it.
    pub public_url: String,
    /// What carriers are told to call.
    pub callbacks_url: String,
    /// Twilio's API, without a slash at its end.
    pub twilio_api_url: String,
    /// Whether webhooks may point into private networks.
    pub private_networks: bool,
}

impl Instance for Context {
    async fn from_env() -> Result<Self, Error> {
        let aws = shared::aws::config()?;
        let (sqs, store) = (Sqs::new(&aws), Store::from_env(&aws)?);
        Ok(Self {
            api: Api::new(store.clone()),
            publisher: Publisher::from_env(&sqs, store.clone())?,
            outbox: Outbox::from_env(&sqs)?,
            upkeep: Upkeep::from_env(&sqs)?,
            intake: Intake::from_env(&sqs, store.clone())?,
            files: Files::from_env(&aws)?,
            carrier: LazyLock::new(CarrierClient::new),
            public_url: config::base_url("PUBLIC_URL")?,
            callbacks_url: config::base_url("CALLBACKS_URL")?,
            twilio_api_url: config::base_url("TWILIO_API_URL")?,
            private_networks: config::allowed("WEBHOOK_PRIVATE_NETWORKS")?,
            store,
        })
    }

    async fn warm(&self) {
        tokio::join!(self.store.warm(), self.outbox.warm());
    }
}

impl Context {
    /// What the app wishes of its conversations.
    pub async fn settings(&self, app: AppId) -> Result<AppSettings, StoreError> {
        Ok(self.store.app(app).await?.map(|app| app.settings).unwrap_or_default())
    }
}
