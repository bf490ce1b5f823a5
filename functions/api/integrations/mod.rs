//! Integrations. Secrets go in and are never shown.

pub mod photo;
pub mod profile;
mod twilio;

use lambda_http::{Body, Response};
use serde_json::{Value, json};
use shared::api::{Answer, Call};
use shared::erasure::Walk;
use shared::gateway::{self, Refusal};
use shared::ids::IntegrationId;
use shared::model::{ApiError, ErrorCode, Integration};
use shared::system::System;
use shared::tasks::Work;

use crate::context::Context;

pub async fn list(context: &Context, call: &Call<'_>) -> Answer {
    let page = call.page()?;
    let mut found = context.store.integrations(call.app()?).await?;
    if let Some(types) = call.query("types") {
        found.retain(|integration| types.split(',').any(|name| name.trim() == integration.kind().as_str()));
    }
    let (views, has_more) = page.show(found, Integration::view);
    Ok(gateway::json(200, &json!({ "integrations": views, "hasMore": has_more, "offset": page.offset })))
}

pub async fn create(context: &Context, call: &Call<'_>) -> Answer {
    let (body, new) = twilio::completed(context, call.json::<Value>()?).await?;
    let integration = Integration::create(&System, call.app()?, &body)?;
    if let Some(new) = new {
        twilio::listen(context, &new, &integration).await?;
    }
    context.store.put_integration(&integration).await?;
    Ok(answer(201, &integration))
}

pub async fn get(context: &Context, call: &Call<'_>) -> Answer {
    Ok(answer(200, &named(context, call).await?))
}

pub async fn update(context: &Context, call: &Call<'_>) -> Answer {
    let body = call.json::<Value>()?;
    let old = named(context, call).await?;
    let body = twilio::confirmed(context, &old, body).await?;
    let edit = |integration: Integration| Ok::<_, Refusal>(integration.update(&body)?);
    let changed = context.store.change_integration(call.app()?, id(call)?, edit).await?;
    Ok(answer(200, &changed.ok_or_else(missing)?))
}

/// The task comes first: people lose their clients on what is deleted, whatever dies in between.
pub async fn delete(context: &Context, call: &Call<'_>) -> Answer {
    let (app_id, integration) = (call.app()?, named(context, call).await?.id);
    let work = Work::EraseIntegration { integration, walk: Walk::default() };
    context.upkeep.in_a_minute(app_id, work).await?;
    if context.store.delete_integration(app_id, integration).await? {
        Ok(gateway::done())
    } else {
        Err(missing().into())
    }
}

/// The integration that the path names.
pub async fn named(context: &Context, call: &Call<'_>) -> Result<Integration, Refusal> {
    let found = context.store.current_integration(call.app()?, id(call)?).await?;
    Ok(found.ok_or_else(missing)?)
}

pub fn id(call: &Call<'_>) -> Result<IntegrationId, ApiError> {
    call.id("integrationId", ErrorCode::IntegrationNotFound)
}

pub fn missing() -> ApiError {
    ApiError::missing(ErrorCode::IntegrationNotFound)
}

fn answer(status: u16, integration: &Integration) -> Response<Body> {
    gateway::json(status, &json!({ "integration": integration.view() }))
}
