//! One call about a person.

use lambda_http::{Body, Request, Response};
use serde_json::json;
use shared::api::{Api, Call, Operation, Service, call};
use shared::config::ConfigError;
use shared::gateway::{self, Refusal};
use shared::model::{ApiError, ErrorCode, Person, Timestamp, user_wire};
use shared::outbox::Outbox;
use shared::queue::Sqs;
use shared::store::Store;
use shared::upkeep::Upkeep;

use crate::{channels, links, profiles};

pub struct Context {
    pub api: Api,
    pub store: Store,
    pub outbox: Outbox,
    pub upkeep: Upkeep,
}

impl Context {
    pub async fn from_env() -> Result<Self, ConfigError> {
        let aws = shared::aws::config()?;
        let (sqs, store) = (Sqs::new(&aws), Store::from_env(&aws)?);
        Ok(Self {
            api: Api::new(Service::Users, store.clone()),
            outbox: Outbox::from_env(&sqs)?,
            upkeep: Upkeep::from_env(&sqs)?,
            store,
        })
    }

    pub async fn warm(&self) {
        tokio::join!(self.store.warm(), self.outbox.warm());
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
        Operation::CreateAppUser => profiles::create(context, call).await,
        Operation::MergeAppUsers => profiles::merge(context, call).await,
        Operation::GetAppUser => Ok(shown(200, &context.api.person(call).await?)),
        Operation::UpdateAppUser => profiles::update(context, call).await,
        Operation::DeleteAppUser => profiles::delete(context, call).await,
        Operation::DeleteAppUserProfile => profiles::clear(context, call).await,
        Operation::ListChannels => channels::list(context, call).await,
        Operation::LinkChannel => links::link(context, call).await,
        Operation::UnlinkChannel => channels::unlink(context, call).await,
        Operation::ListBusinessSystems => channels::business_systems(context, call).await,
        Operation::GetAuthCode => channels::auth_code(context, call).await,
        Operation::GetLinkRequests => channels::link_requests(context, call).await,
        _ => Err(ApiError::missing(ErrorCode::NotFound).into()),
    }
}

/// `{"appUser"}`
pub fn shown(status: u16, person: &Person) -> Response<Body> {
    gateway::json(status, &json!({ "appUser": user_wire::full(person) }))
}

/// `{}`
pub fn nothing() -> Response<Body> {
    gateway::json(200, &json!({}))
}

pub fn now() -> Timestamp {
    std::time::SystemTime::now().into()
}
