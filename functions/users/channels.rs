//! The channels a person is reached by, and what else v1.1 asks of a person's devices.

use lambda_http::{Body, Response};
use serde_json::json;
use shared::api::Call;
use shared::gateway::{self, Refusal};
use shared::model::{ApiError, ChannelType, Client, user_wire};
use shared::webhook::{Event, Who};

use crate::handler::{Context, nothing, now};

pub async fn list(context: &Context, call: &Call<'_>) -> Result<Response<Body>, Refusal> {
    let person = context.api.person(call).await?;
    let channels: Vec<_> = person.clients.iter().map(user_wire::channel).collect();
    Ok(gateway::json(200, &json!({ "channels": channels })))
}

/// All of the person's clients on that channel.
pub async fn unlink(context: &Context, call: &Call<'_>) -> Result<Response<Body>, Refusal> {
    let app = call.app()?;
    let person = context.api.person(call).await?;
    let channel = ChannelType::from_name(call.text("channel"));
    let theirs = |client: &&Client| Some(client.platform) == channel;
    let clients: Vec<&Client> = person.clients.iter().filter(theirs).collect();
    if clients.is_empty() {
        return Err(ApiError::field("channel", "names none that the user is linked to").into());
    }
    let mut events = Vec::new();
    for client in clients {
        if context.store.unlink(app, person.user.id, client).await? {
            let who = Who::of(&person).by(client, person.is_primary(client));
            events.push(Event::client_removed(app, who, &client.id.to_string(), "api", now()));
        }
    }
    context.publisher.publish(&events).await?;
    Ok(nothing())
}

/// A part of v1.1 that nothing is behind any more: always empty.
pub async fn business_systems(context: &Context, call: &Call<'_>) -> Result<Response<Body>, Refusal> {
    context.api.person(call).await?;
    Ok(gateway::json(200, &json!({ "businessSystems": [] })))
}

pub async fn auth_code(context: &Context, call: &Call<'_>) -> Result<Response<Body>, Refusal> {
    let person = context.api.person(call).await?;
    let code = context.store.create_auth_code(call.app()?, person.user.id, now()).await?;
    Ok(gateway::json(200, &json!({ "authCode": code })))
}

/// For channels that people open themselves by a link, such as Messenger. None of these is served, so there are none.
pub async fn link_requests(context: &Context, call: &Call<'_>) -> Result<Response<Body>, Refusal> {
    context.api.person(call).await?;
    Ok(gateway::json(200, &json!({ "linkRequests": [] })))
}
