//! Which operation is whose.

use lambda_http::{Body, Request, Response};
use shared::api::{Api, Call, Operation, Service, call};
use shared::config;
use shared::files::Files;
use shared::gateway::Refusal;
use shared::http::CarrierClient;
use shared::model::{ApiError, ErrorCode};
use shared::queue::{Queue, Sqs};
use shared::store::Store;

use crate::{integrations, menus, photos, templates, webhooks};

pub struct Context {
    api: Api,
    pub store: Store,
    pub carrier: CarrierClient,
    pub files: Files,
    pub upkeep: Queue,
    /// Our own public base URL: carriers post messages below it, and photos are found there.
    pub public_url: String,
    /// Twilio's API, without a slash at its end.
    pub twilio_api_url: String,
    /// Whether webhooks may point into private networks.
    pub private_networks: bool,
}

impl Context {
    pub async fn from_env() -> Result<Self, lambda_http::Error> {
        let aws = shared::aws::config()?;
        let (sqs, store) = (Sqs::new(&aws), Store::from_env(&aws)?);
        Ok(Self {
            api: Api::new(Service::Settings, store.clone()),
            store,
            carrier: CarrierClient::new()?,
            upkeep: sqs.queue("UPKEEP_QUEUE_URL")?,
            files: Files::from_env(&aws)?,
            public_url: config::base_url("PUBLIC_URL")?,
            twilio_api_url: config::base_url("TWILIO_API_URL")?,
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
        Operation::ListIntegrations => integrations::list(context, call).await,
        Operation::CreateIntegration => integrations::create(context, call).await,
        Operation::GetIntegration => integrations::get(context, call).await,
        Operation::UpdateIntegration => integrations::update(context, call).await,
        Operation::DeleteIntegration => integrations::delete(context, call).await,
        Operation::GetIntegrationProfile => integrations::profile(context, call).await,
        Operation::UpdateIntegrationProfile => integrations::update_profile(context, call).await,
        Operation::UploadIntegrationProfilePhoto => photos::upload(context, call).await,
        Operation::GetIntegrationMenu => menus::get_own(context, call).await,
        Operation::CreateIntegrationMenu => menus::create_own(context, call).await,
        Operation::UpdateIntegrationMenu => menus::update_own(context, call).await,
        Operation::DeleteIntegrationMenu => menus::delete_own(context, call).await,
        Operation::GetMenu => menus::get(context, call).await,
        Operation::UpdateMenu => menus::update(context, call).await,
        Operation::DeleteMenu => menus::delete(context, call).await,
        Operation::ListTemplates => templates::list(context, call).await,
        Operation::CreateTemplate => templates::create(context, call).await,
        Operation::GetTemplate => templates::get(context, call).await,
        Operation::UpdateTemplate => templates::update(context, call).await,
        Operation::DeleteTemplate => templates::delete(context, call).await,
        Operation::ListWebhooks => webhooks::list(context, call).await,
        Operation::CreateWebhook => webhooks::create(context, call).await,
        Operation::GetWebhook => webhooks::get(context, call).await,
        Operation::UpdateWebhook => webhooks::update(context, call).await,
        Operation::ReplaceWebhookSigningSecret => webhooks::replace_signing_secret(context, call).await,
        Operation::DeleteWebhook => webhooks::delete(context, call).await,
        _ => Err(ApiError::missing(ErrorCode::NotFound).into()),
    }
}
