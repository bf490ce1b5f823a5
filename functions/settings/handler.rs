//! Which operation is whose.

use lambda_http::{Body, Request, Response};
use shared::api::{Api, Call, Operation, Service, call};
use shared::config::{self, ConfigError};
use shared::gateway::Refusal;
use shared::model::{ApiError, ErrorCode};
use shared::store::Store;

use crate::webhooks;

pub struct Context {
    api: Api,
    pub store: Store,
    /// Whether webhooks may point into private networks.
    pub private_networks: bool,
}

impl Context {
    pub async fn from_env() -> Result<Self, ConfigError> {
        let store = Store::from_env(&shared::aws::config().await)?;
        Ok(Self {
            api: Api::from_env(Service::Settings, store.clone())?,
            store,
            private_networks: config::allowed("WEBHOOK_PRIVATE_NETWORKS")?,
        })
    }

    pub async fn warm(&self) {
        self.store.warm().await;
    }
}

pub async fn handle(context: &Context, request: &Request) -> Response<Body> {
    match context.api.open(request).await {
        Ok(call) => call::closed(&call, serve(context, &call).await),
        Err(refusal) => call::refused(&refusal),
    }
}

async fn serve(context: &Context, call: &Call<'_>) -> Result<Response<Body>, Refusal> {
    match call.operation {
        Operation::ListWebhooks => webhooks::list(context, call).await,
        Operation::CreateWebhook => webhooks::create(context, call).await,
        Operation::GetWebhook => webhooks::get(context, call).await,
        Operation::UpdateWebhook => webhooks::update(context, call).await,
        Operation::DeleteWebhook => webhooks::delete(context, call).await,
        _ => Err(ApiError::missing(ErrorCode::NotFound).into()),
    }
}
