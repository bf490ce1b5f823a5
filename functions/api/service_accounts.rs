//! Service accounts of an account.

use lambda_http::{Body, Response};
use serde_json::{Value, json};
use shared::api::{Answer, Call};
use shared::gateway::{self, Refusal};
use shared::ids::ServiceAccountId;
use shared::model::{ApiError, ErrorCode, NameBody, ServiceAccount};
use shared::system::System;

use crate::context::Context;

pub async fn list(context: &Context, call: &Call<'_>) -> Answer {
    let page = call.page()?;
    let (found, has_more) = page.cut(context.store.service_accounts(call.account()?).await?);
    let found: Vec<Value> = found.iter().map(ServiceAccount::wire).collect();
    let body = json!({ "serviceAccounts": found, "hasMore": has_more, "offset": page.offset });
    Ok(gateway::json(200, &body))
}

pub async fn create(context: &Context, call: &Call<'_>) -> Answer {
    let name = call.json::<NameBody>()?.required()?;
    let new = ServiceAccount::new(&System, call.account()?, name);
    context.store.create_service_account(&new).await?;
    Ok(answer(201, &new))
}

pub async fn get(context: &Context, call: &Call<'_>) -> Answer {
    Ok(answer(200, &named(context, call).await?))
}

pub async fn update(context: &Context, call: &Call<'_>) -> Answer {
    let found = match call.json::<NameBody>()?.optional()? {
        None => named(context, call).await?,
        Some(name) => {
            let renamed = context.store.rename_service_account(call.account()?, id(call)?, &name).await?;
            renamed.ok_or_else(missing)?
        }
    };
    Ok(answer(200, &found))
}

pub async fn delete(context: &Context, call: &Call<'_>) -> Answer {
    if !context.store.delete_service_account(call.account()?, id(call)?).await? {
        return Err(missing().into());
    }
    Ok(gateway::done())
}

/// The service account of the path.
pub async fn named(context: &Context, call: &Call<'_>) -> Result<ServiceAccount, Refusal> {
    let found = context.store.service_account(call.account()?, id(call)?).await?;
    Ok(found.ok_or_else(missing)?)
}

fn id(call: &Call<'_>) -> Result<ServiceAccountId, ApiError> {
    call.id("serviceAccountId", ErrorCode::ServiceAccountNotFound)
}

fn answer(status: u16, found: &ServiceAccount) -> Response<Body> {
    gateway::json(status, &json!({ "serviceAccount": found.wire() }))
}

fn missing() -> ApiError {
    ApiError::missing(ErrorCode::ServiceAccountNotFound)
}
