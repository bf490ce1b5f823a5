//! What v1.1 asks of a person's devices.

use serde_json::json;
use shared::api::{Answer, Call};
use shared::gateway;
use shared::system::now;

use crate::context::Context;

/// A part of v1.1 that nothing is behind any more: always empty.
pub async fn business_systems(context: &Context, call: &Call<'_>) -> Answer {
    context.api.person(call).await?;
    Ok(gateway::json(200, &json!({ "businessSystems": [] })))
}

pub async fn auth_code(context: &Context, call: &Call<'_>) -> Answer {
    let person = context.api.person(call).await?;
    let code = context.store.create_auth_code(call.app()?, person.user.id, now()).await?;
    Ok(gateway::json(200, &json!({ "authCode": code })))
}

/// For channels that people open themselves by a link, such as Messenger. None of these is served, so there are none.
pub async fn link_requests(context: &Context, call: &Call<'_>) -> Answer {
    context.api.person(call).await?;
    Ok(gateway::json(200, &json!({ "linkRequests": [] })))
}
