//! Webhooks: at most ten an app, each with secrets of its own that are shown whenever it is.

use lambda_http::{Body, Response};
use serde_json::json;
use shared::api::{Answer, Call};
use shared::gateway::{self, Refusal};
use shared::ids::WebhookId;
use shared::model::{ApiError, ErrorCode, WEBHOOK_LIMIT, Webhook, WebhookWire};
use shared::store::Creation;
use shared::system::{System, now};
use shared::webhook::target::{self, ForbiddenTarget};

use crate::context::Context;

pub async fn list(context: &Context, call: &Call<'_>) -> Answer {
    let webhooks = context.store.current_webhooks(call.app()?).await?;
    let views: Vec<_> = webhooks.iter().map(Webhook::view).collect();
    Ok(gateway::json(200, &json!({ "webhooks": views })))
}

pub async fn create(context: &Context, call: &Call<'_>) -> Answer {
    let wire: WebhookWire = call.json()?;
    let webhook = reachable(context, wire.create(&System, call.app()?)?)?;
    match context.store.create_webhook(&webhook).await? {
        Creation::Done => Ok(answer(201, &webhook)),
        Creation::Full => {
            let problem = format!("An app has at most {WEBHOOK_LIMIT} webhooks; delete one first");
            Err(ApiError::new(ErrorCode::BadRequest, problem).into())
        }
        Creation::NoOwner => Err(ApiError::missing(ErrorCode::AppNotFound).into()),
    }
}

pub async fn get(context: &Context, call: &Call<'_>) -> Answer {
    let found = context.store.current_webhook(call.app()?, id(call)?).await?;
    Ok(answer(200, &found.ok_or_else(missing)?))
}

pub async fn update(context: &Context, call: &Call<'_>) -> Answer {
    let (app, id, wire) = (call.app()?, id(call)?, call.json::<WebhookWire>()?);
    let edit = |webhook| Ok::<_, Refusal>(reachable(context, wire.clone().update(webhook)?)?);
    let changed = context.store.change_webhook(app, id, edit).await?;
    Ok(answer(200, &changed.ok_or_else(missing)?))
}

/// `POST …/webhooks/{webhookId}/signingsecret`: another one signs from now on, and the one before it for a day more.
pub async fn replace_signing_secret(context: &Context, call: &Call<'_>) -> Answer {
    let (app, id, now) = (call.app()?, id(call)?, now());
    let edit = |webhook: Webhook| Ok::<_, Refusal>(webhook.with_new_signing_secret(&System, now));
    let changed = context.store.change_webhook(app, id, edit).await?;
    Ok(answer(201, &changed.ok_or_else(missing)?))
}

pub async fn delete(context: &Context, call: &Call<'_>) -> Answer {
    if context.store.delete_webhook(call.app()?, id(call)?).await? {
        Ok(gateway::done())
    } else {
        Err(missing().into())
    }
}

fn answer(status: u16, webhook: &Webhook) -> Response<Body> {
    gateway::json(status, &json!({ "webhook": webhook.view() }))
}

fn id(call: &Call<'_>) -> Result<WebhookId, ApiError> {
    call.id("webhookId", ErrorCode::WebhookNotFound)
}

fn missing() -> ApiError {
    ApiError::missing(ErrorCode::WebhookNotFound)
}

/// A target that would never be called is refused at once. What names lead to is judged when they are called.
fn reachable(context: &Context, webhook: Webhook) -> Result<Webhook, ApiError> {
    target::check_text(&webhook.target, context.private_networks).map_err(|problem| match problem {
        ForbiddenTarget::NotHttp => ApiError::field("target", "must be an http or https URL"),
        ForbiddenTarget::Private(_) => {
            ApiError::field("target", "must not lie in a private, local or reserved network")
        }
    })?;
    Ok(webhook)
}
