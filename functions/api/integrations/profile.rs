//! How an integration of WhatsApp shows the business.

use serde_json::json;
use shared::api::{Answer, Call};
use shared::gateway::{self, Refusal};
use shared::model::{BusinessProfileWire, Integration};

use super::{id, missing, named, photo};
use crate::context::Context;

pub async fn get(context: &Context, call: &Call<'_>) -> Answer {
    let integration = named(context, call).await?;
    Ok(gateway::json(200, &json!({ "profile": integration.profile()?.view() })))
}

pub async fn update(context: &Context, call: &Call<'_>) -> Answer {
    let (app, id, wire) = (call.app()?, id(call)?, call.json::<BusinessProfileWire>()?);
    if wire.has_photo() {
        photo::replaced(context, &named(context, call).await?).await?;
    }
    let edit = |integration: Integration| Ok::<_, Refusal>(integration.with_profile(wire.clone())?);
    let changed = context.store.change_integration(app, id, edit).await?.ok_or_else(missing)?;
    Ok(gateway::json(200, &json!({ "profile": changed.profile()?.view() })))
}
