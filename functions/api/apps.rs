//! Apps. A deleted one is gone at once, with its keys; what it leaves behind is taken away by `upkeep`.

use lambda_http::{Body, Response};
use serde_json::{Value, json};
use shared::api::{Answer, Call};
use shared::auth::Caller;
use shared::erasure::Budget;
use shared::gateway;
use shared::ids::{AppId, ServiceAccountId};
use shared::model::{ApiError, App, AppBody, ErrorCode};
use shared::system::System;
use shared::tasks::Work;
use shared::telemetry::Causes;

use crate::context::Context;

/// Requests spent at once on what is in the way of nobody noticing: integrations, webhooks, templates, menus.
const SETTINGS_BUDGET: u32 = 20;

pub async fn list(context: &Context, call: &Call<'_>) -> Answer {
    let page = call.page()?;
    let ids = match linked_to(call)? {
        Linked::Any => context.store.app_ids(call.account()?, None).await?,
        Linked::To(id) => context.store.app_ids(call.account()?, Some(id)).await?,
        Linked::None => Vec::new(),
    };
    let (ids, has_more) = page.cut(ids);
    let apps = context.store.apps(&ids).await?;
    let apps: Vec<Value> = apps.iter().map(App::wire).collect();
    Ok(gateway::json(200, &json!({ "apps": apps, "hasMore": has_more, "offset": page.offset })))
}

/// Which of an account's apps are asked for.
enum Linked {
    Any,
    To(ServiceAccountId),
    None,
}

/// A service account sees those linked to it, whatever it asks for.
fn linked_to(call: &Call<'_>) -> Result<Linked, ApiError> {
    let named = call.query("serviceAccountId").map(|id| id.parse());
    let named = named.transpose().map_err(|error| ApiError::field("serviceAccountId", error))?;
    Ok(match (&call.caller, named) {
        (Caller::ServiceAccount { id, .. }, Some(named)) if *id != named => Linked::None,
        (Caller::ServiceAccount { id, .. }, _) => Linked::To(*id),
        (_, Some(named)) => Linked::To(named),
        (_, None) => Linked::Any,
    })
}

pub async fn create(context: &Context, call: &Call<'_>) -> Answer {
    let app = call.json::<AppBody>()?.create(&System, call.account()?)?;
    let app = match call.caller {
        Caller::ServiceAccount { id, .. } => App { service_account_id: Some(id), ..app },
        _ => app,
    };
    if !context.store.create_app(&app).await? {
        return Err(ApiError::missing(ErrorCode::ServiceAccountNotFound).into());
    }
    Ok(answer(201, &app))
}

pub async fn get(context: &Context, call: &Call<'_>) -> Answer {
    let app = context.store.app_now(call.app()?).await?;
    Ok(answer(200, &app.ok_or_else(missing)?))
}

pub async fn update(context: &Context, call: &Call<'_>) -> Answer {
    let change = call.json::<AppBody>()?.change()?;
    let app = context.store.change_app(call.app()?, change).await?;
    Ok(answer(200, &app.ok_or_else(missing)?))
}

/// The task comes first: an app that is deleted is erased, whatever dies in between.
pub async fn delete(context: &Context, call: &Call<'_>) -> Answer {
    let app_id = call.app()?;
    let app = context.store.app_now(app_id).await?.ok_or_else(missing)?;
    context.upkeep.in_a_minute(app_id, Work::EraseApp { shard: 0, conversations: 0 }).await?;
    if !context.store.delete_app(&app).await? {
        return Err(missing().into());
    }
    clear_settings(context, app_id).await;
    Ok(gateway::done())
}

/// So that nothing is sent or received for the app from now on. What is left here, the erasure takes first.
async fn clear_settings(context: &Context, app: AppId) {
    if let Err(error) = context.store.erase_settings(app, &mut Budget::new(SETTINGS_BUDGET)).await {
        tracing::warn!(error = %Causes(&error), "settings of a deleted app are left to its erasure");
    }
}

fn answer(status: u16, app: &App) -> Response<Body> {
    gateway::json(status, &json!({ "app": app.wire() }))
}

fn missing() -> ApiError {
    ApiError::missing(ErrorCode::AppNotFound)
}
