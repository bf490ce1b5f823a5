//! Integrations, and how those of WhatsApp show the business. Secrets go in and are never shown.

use lambda_http::{Body, Response};
use serde_json::{Value, json};
use shared::api::Call;
use shared::flow::erasure::Walk;
use shared::gateway::{self, Refusal};
use shared::ids::IntegrationId;
use shared::model::{ApiError, BusinessProfileWire, ErrorCode, Integration};
use shared::tasks::{UpkeepTask, Work};

use crate::handler::Context;
use crate::{photos, twilio};

/// Seconds. By then the deletion has happened or never will, and no function remembers the integration.
const ERASED_AFTER: u32 = 60;

type Answer = Result<Response<Body>, Refusal>;

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
    let integration = Integration::create(call.app()?, &body)?;
    if let Some(new) = new {
        twilio::listen(context, &new, &integration).await?;
    }
    context.store.put_integration(&integration).await?;
    Ok(shown(201, &integration))
}

pub async fn get(context: &Context, call: &Call<'_>) -> Answer {
    Ok(shown(200, &found(context, call).await?))
}

pub async fn update(context: &Context, call: &Call<'_>) -> Answer {
    let body = call.json::<Value>()?;
    let old = found(context, call).await?;
    let body = twilio::confirmed(context, &old, body).await?;
    let edit = |integration: Integration| Ok::<_, Refusal>(integration.update(&body)?);
    let changed = context.store.change_integration(call.app()?, id(call)?, edit).await?;
    Ok(shown(200, &changed.ok_or_else(missing)?))
}

/// The task comes first: people lose their clients on what is deleted, whatever dies in between.
pub async fn delete(context: &Context, call: &Call<'_>) -> Answer {
    let (app_id, integration) = (call.app()?, found(context, call).await?.id);
    let erasure = UpkeepTask::V1 { app_id, work: Work::EraseIntegration { integration, walk: Walk::default() } };
    context.upkeep.send_later(&erasure, ERASED_AFTER).await?;
    if context.store.delete_integration(app_id, integration).await? {
        Ok(gateway::json(200, &json!({})))
    } else {
        Err(missing().into())
    }
}

pub async fn profile(context: &Context, call: &Call<'_>) -> Answer {
    let integration = found(context, call).await?;
    Ok(gateway::json(200, &json!({ "profile": integration.profile()?.view() })))
}

pub async fn update_profile(context: &Context, call: &Call<'_>) -> Answer {
    let (app, id, wire) = (call.app()?, id(call)?, call.json::<BusinessProfileWire>()?);
    if wire.has_photo() {
        photos::replaced(context, &found(context, call).await?).await?;
    }
    let edit = |integration: Integration| Ok::<_, Refusal>(integration.with_profile(wire.clone())?);
    let changed = context.store.change_integration(app, id, edit).await?.ok_or_else(missing)?;
    Ok(gateway::json(200, &json!({ "profile": changed.profile()?.view() })))
}

/// The integration that the path names.
pub async fn found(context: &Context, call: &Call<'_>) -> Result<Integration, Refusal> {
    let found = context.store.current_integration(call.app()?, id(call)?).await?;
    Ok(found.ok_or_else(missing)?)
}

pub fn id(call: &Call<'_>) -> Result<IntegrationId, ApiError> {
    call.id("integrationId", ErrorCode::IntegrationNotFound)
}

pub fn missing() -> ApiError {
    ApiError::missing(ErrorCode::IntegrationNotFound)
}

fn shown(status: u16, integration: &Integration) -> Response<Body> {
    gateway::json(status, &json!({ "integration": integration.view() }))
}
