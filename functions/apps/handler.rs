//! Which operation is whose.

use lambda_http::{Body, Request, Response};
use shared::api::{Api, Call, Operation, Service, call};
use shared::config::ConfigError;
use shared::gateway::Refusal;
use shared::model::{ApiError, ErrorCode};
use shared::queue::{Queue, Sqs};
use shared::store::Store;

use crate::{apps, keys, service_accounts};

pub struct Context {
    api: Api,
    pub store: Store,
    pub upkeep: Queue,
}

impl Context {
    pub async fn from_env() -> Result<Self, ConfigError> {
        let aws = shared::aws::config()?;
        let store = Store::from_env(&aws)?;
        Ok(Self {
            api: Api::new(Service::Apps, store.clone()),
            upkeep: Sqs::new(&aws).queue("UPKEEP_QUEUE_URL")?,
            store,
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
    use Operation as O;
    match call.operation {
        O::ListApps => apps::list(context, call).await,
        O::CreateApp => apps::create(context, call).await,
        O::GetApp => apps::get(context, call).await,
        O::UpdateApp => apps::update(context, call).await,
        O::DeleteApp => apps::delete(context, call).await,
        O::GetSdks => apps::sdks(context, call).await,
        O::ListServiceAccounts => service_accounts::list(context, call).await,
        O::CreateServiceAccount => service_accounts::create(context, call).await,
        O::GetServiceAccount => service_accounts::get(context, call).await,
        O::UpdateServiceAccount => service_accounts::update(context, call).await,
        O::DeleteServiceAccount => service_accounts::delete(context, call).await,
        O::ListAppKeys | O::ListServiceAccountKeys => keys::list(context, call).await,
        O::CreateAppKey | O::CreateServiceAccountKey => keys::create(context, call).await,
        O::GetAppKey | O::GetServiceAccountKey => keys::get(context, call).await,
        O::DeleteAppKey | O::DeleteServiceAccountKey => keys::delete(context, call).await,
        O::GetAppKeyJwt | O::GetServiceAccountKeyJwt => keys::token(context, call).await,
        // The table of routes sends nothing else here.
        _ => Err(ApiError::missing(ErrorCode::NotFound).into()),
    }
}
