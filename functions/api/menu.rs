//! The app's menu, and those that integrations have of their own.

use lambda_http::{Body, Response};
use serde_json::json;
use shared::api::{Answer, Call};
use shared::gateway;
use shared::model::{ApiError, ErrorCode, Menu, MenuWire};
use shared::store::{MenuPlace, MenuWritten};
use shared::system::System;

use crate::context::Context;
use crate::integrations;

pub async fn get(context: &Context, call: &Call<'_>) -> Answer {
    let menu = context.store.menu(call.app()?, None).await?;
    Ok(answer(200, &menu.ok_or_else(missing)?))
}

pub async fn update(context: &Context, call: &Call<'_>) -> Answer {
    let menu = wanted(call)?;
    context.store.put_menu(call.app()?, &menu).await?;
    Ok(answer(200, &menu))
}

pub async fn delete(context: &Context, call: &Call<'_>) -> Answer {
    deleted(context.store.delete_menu(call.app()?, None).await?)
}

pub async fn get_own(context: &Context, call: &Call<'_>) -> Answer {
    let integration = integrations::named(context, call).await?;
    let menu = context.store.menu(integration.app_id, Some(integration.id)).await?;
    Ok(answer(200, &menu.ok_or_else(missing)?))
}

pub async fn create_own(context: &Context, call: &Call<'_>) -> Answer {
    put_own(context, call, MenuPlace::Empty, 201).await
}

pub async fn update_own(context: &Context, call: &Call<'_>) -> Answer {
    put_own(context, call, MenuPlace::Any, 200).await
}

pub async fn delete_own(context: &Context, call: &Call<'_>) -> Answer {
    let integration = integrations::named(context, call).await?;
    deleted(context.store.delete_menu(integration.app_id, Some(integration.id)).await?)
}

async fn put_own(context: &Context, call: &Call<'_>, place: MenuPlace, status: u16) -> Answer {
    let (app, id, menu) = (call.app()?, integrations::id(call)?, wanted(call)?);
    match context.store.put_integration_menu(app, id, &menu, place).await? {
        MenuWritten::Done => Ok(answer(status, &menu)),
        MenuWritten::NoIntegration => Err(integrations::missing().into()),
        MenuWritten::Taken => {
            Err(ApiError::new(ErrorCode::Conflict, "The integration has a menu already; change it by PUT").into())
        }
    }
}

fn wanted(call: &Call<'_>) -> Result<Menu, ApiError> {
    call.json::<MenuWire>()?.create(&System)
}

fn deleted(was_there: bool) -> Answer {
    if was_there { Ok(gateway::done()) } else { Err(missing().into()) }
}

fn missing() -> ApiError {
    ApiError::missing(ErrorCode::MenuNotFound)
}

fn answer(status: u16, menu: &Menu) -> Response<Body> {
    gateway::json(status, &json!({ "menu": menu.view() }))
}
