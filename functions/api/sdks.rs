//! Which integrations of an app the SDKs connect to.

use serde_json::json;
use shared::api::{Answer, Call};
use shared::gateway;

use crate::context::Context;

pub async fn list(context: &Context, call: &Call<'_>) -> Answer {
    let sdks = context.store.sdks(call.app()?).await?;
    Ok(gateway::json(200, &json!(sdks)))
}
