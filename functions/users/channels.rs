//! The channels a person is reached by, and what else v1.1 asks of a person's devices.

use futures::future::try_join_all;
use lambda_http::{Body, Response};
use serde_json::json;
use shared::api::Call;
use shared::gateway::{self, Refusal};
use shared::ids::AppId;
use shared::model::{ApiError, ChannelType, Client, ErrorCode, Person, user_wire};
use shared::store::StoreError;
use shared::tasks::{Follows, Mark};
use shared::webhook::{Event, Who};

use crate::handler::{Context, nothing, now};

pub async fn list(context: &Context, call: &Call<'_>) -> Result<Response<Body>, Refusal> {
    let person = context.api.person(call).await?;
    let channels: Vec<_> = person.clients.iter().map(user_wire::channel).collect();
    Ok(gateway::json(200, &json!({ "channels": channels })))
}

/// A person may be merged into another while they are unlinked; so often it is tried anew as whom they are now.
const TRIES: usize = 3;

/// All of the person's clients on that channel.
pub async fn unlink(context: &Context, call: &Call<'_>) -> Result<Response<Body>, Refusal> {
    let app = call.app()?;
    let channel = ChannelType::from_name(call.text("channel"));
    let mut person = context.api.person(call).await?;
    let theirs = |person: &Person| -> Vec<Client> {
        person.clients.iter().filter(|client| Some(client.platform) == channel).cloned().collect()
    };
    let mut clients = theirs(&person);
    if clients.is_empty() {
        return Err(ApiError::field("channel", "names none that the user is linked to").into());
    }
    for _ in 0..TRIES {
        try_join_all(clients.iter().map(|client| unlink_one(context, app, &person, client))).await?;
        let now = context.store.person_by_id(app, person.user.id).await?;
        person = now.ok_or_else(|| ApiError::missing(ErrorCode::UserNotFound))?;
        clients = theirs(&person);
        if clients.is_empty() {
            return Ok(nothing());
        }
    }
    Err(StoreError::Contended.into())
}

async fn unlink_one(context: &Context, app: AppId, person: &Person, client: &Client) -> Result<(), Refusal> {
    let who = Who::of(person).by(client, person.is_primary(client));
    let removed = Event::client_removed(app, who, &client.id.to_string(), "api", now());
    let mark = Mark::new(person.user.conversation_id);
    let follows = Follows { sends: Vec::new(), events: vec![removed] };
    context.outbox.prepare(app, mark, follows).await?;
    Ok(context.store.unlink(app, person.user.id, client, Some(mark)).await?)
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
