//! Profiles: made, shown, changed, cleared, merged, deleted (v1.1 reference, 5.1).

use lambda_http::{Body, Response};
use serde::Deserialize;
use shared::api::{Call, call};
use shared::gateway::Refusal;
use shared::ids::AppUserId;
use shared::model::{ApiError, ErrorCode, NewProfile, Person, ProfileChange, check};
use shared::store::Merged;
use shared::tasks::{UpkeepTask, Work};
use shared::webhook::Event;

use crate::handler::{Context, nothing, now, shown};

/// Two people may change while they are merged; they are read anew so often.
const MERGE_TRIES: usize = 5;

pub async fn create(context: &Context, call: &Call<'_>) -> Result<Response<Body>, Refusal> {
    let NewProfile(user) = NewProfile::parse(call::json_body(call.request())?, now())?;
    if !context.store.create_user(call.app()?, &user).await? {
        return Err(ApiError::new(ErrorCode::Conflict, "User already exists").into());
    }
    Ok(shown(201, &Person { user, clients: Vec::new(), pending: Vec::new() }))
}

pub async fn update(context: &Context, call: &Call<'_>) -> Result<Response<Body>, Refusal> {
    let person = context.api.person(call).await?;
    let change = ProfileChange::parse(call::json_body(call.request())?, &person.user.properties)?;
    let changed = context.store.change_profile(call.app()?, person.user.id, change).await?;
    let user = changed.ok_or_else(|| ApiError::missing(ErrorCode::UserNotFound))?;
    Ok(shown(200, &Person { user, ..person }))
}

pub async fn clear(context: &Context, call: &Call<'_>) -> Result<Response<Body>, Refusal> {
    let person = context.api.person(call).await?;
    context.store.clear_profile(call.app()?, &person).await?;
    let cleared = context.store.person_by_id(call.app()?, person.user.id).await?;
    Ok(shown(200, &cleared.ok_or_else(|| ApiError::missing(ErrorCode::UserNotFound))?))
}

/// The business is told, the erasure is certain, and then nobody finds the person any more.
pub async fn delete(context: &Context, call: &Call<'_>) -> Result<Response<Body>, Refusal> {
    let app = call.app()?;
    let person = context.api.person(call).await?;
    context.publisher.publish(&[Event::user_deleted(app, &person, now())]).await?;
    let erase = Work::EraseUser {
        user: person.user.id,
        user_id: person.user.user_id.clone(),
        conversations: person.user.conversations(),
        clients: addresses(&person),
    };
    context.upkeep.send(&UpkeepTask::V1 { app_id: app, work: erase }).await?;
    context.store.hide_user(app, &person.user).await?;
    Ok(nothing())
}

/// Where the person is, or is asked to be, reached.
fn addresses(person: &Person) -> Vec<(shared::ids::IntegrationId, shared::model::Address)> {
    let clients = person.clients.iter().chain(&person.pending);
    clients.map(|client| (client.integration_id, client.external_id.clone())).collect()
}

#[derive(Deserialize)]
struct MergeWire {
    surviving: Option<NamedWire>,
    discarded: Option<NamedWire>,
}

#[derive(Deserialize)]
struct NamedWire {
    #[serde(rename = "_id")]
    id: Option<String>,
}

pub async fn merge(context: &Context, call: &Call<'_>) -> Result<Response<Body>, Refusal> {
    let app = call.app()?;
    let wire: MergeWire = call.json()?;
    let (surviving, discarded) = (named("surviving", wire.surviving)?, named("discarded", wire.discarded)?);
    for _ in 0..MERGE_TRIES {
        let (survivor, other) =
            tokio::try_join!(context.store.person_by_id(app, surviving), context.store.person_by_id(app, discarded))?;
        let missing = || ApiError::missing(ErrorCode::UserNotFound);
        let (survivor, other) = (survivor.ok_or_else(missing)?, other.ok_or_else(missing)?);
        if survivor.user.id == other.user.id {
            return Err(ApiError::field("discarded._id", "must name another person than surviving._id").into());
        }
        if context.store.merge(app, &survivor, &other).await? == Merged::Done {
            context.publisher.publish(&[Event::merged(app, &survivor.user, &other.user, now())]).await?;
            return Ok(nothing());
        }
    }
    Err(ApiError::new(ErrorCode::Conflict, "One of the two was changed or deleted at the same time").into())
}

fn named(field: &str, wire: Option<NamedWire>) -> Result<AppUserId, ApiError> {
    let path = format!("{field}._id");
    let id = check::required(&path, check::required(field, wire)?.id)?;
    id.parse().map_err(|error| ApiError::field(&path, error))
}
