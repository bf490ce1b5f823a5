//! Stored templates: a message under a name that is one of its kind in the app.

use lambda_http::{Body, Response};
use serde_json::json;
use shared::api::{Answer, Call};
use shared::gateway::{self, Refusal};
use shared::ids::TemplateId;
use shared::model::{ApiError, ErrorCode, Template, TemplateWire};
use shared::store::TemplateChanged;
use shared::system::System;

use crate::context::Context;

pub async fn list(context: &Context, call: &Call<'_>) -> Answer {
    let page = call.page()?;
    let (views, has_more) = page.show(context.store.templates(call.app()?).await?, Template::view);
    Ok(gateway::json(200, &json!({ "templates": views, "hasMore": has_more, "offset": page.offset })))
}

pub async fn create(context: &Context, call: &Call<'_>) -> Answer {
    let template = call.json::<TemplateWire>()?.create(&System)?;
    if !context.store.create_template(call.app()?, &template).await? {
        return Err(taken().into());
    }
    Ok(answer(201, &template))
}

pub async fn get(context: &Context, call: &Call<'_>) -> Answer {
    let found = context.store.template(call.app()?, id(call)?).await?;
    Ok(answer(200, &found.ok_or_else(missing)?))
}

pub async fn update(context: &Context, call: &Call<'_>) -> Answer {
    let (app, id, wire) = (call.app()?, id(call)?, call.json::<TemplateWire>()?);
    let edit = |template| Ok::<_, Refusal>(wire.clone().update(template)?);
    match context.store.change_template(app, id, edit).await? {
        TemplateChanged::Done(template) => Ok(answer(200, &template)),
        TemplateChanged::Missing => Err(missing().into()),
        TemplateChanged::NameTaken => Err(taken().into()),
    }
}

pub async fn delete(context: &Context, call: &Call<'_>) -> Answer {
    if context.store.delete_template(call.app()?, id(call)?).await? {
        Ok(gateway::done())
    } else {
        Err(missing().into())
    }
}

fn id(call: &Call<'_>) -> Result<TemplateId, ApiError> {
    call.id("templateId", ErrorCode::TemplateNotFound)
}

fn missing() -> ApiError {
    ApiError::missing(ErrorCode::TemplateNotFound)
}

fn taken() -> ApiError {
    ApiError::new(ErrorCode::Conflict, "name is borne by another template of the app; choose another")
}

fn answer(status: u16, template: &Template) -> Response<Body> {
    gateway::json(status, &json!({ "template": template.view() }))
}
