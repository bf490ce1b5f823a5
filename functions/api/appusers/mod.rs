//! App users: made, shown, changed, cleared, deleted (docs/REFERENCE.md, 5.1).

pub mod devices;
pub mod merge;

use lambda_http::{Body, Response};
use serde_json::json;
use shared::api::{Answer, Call, matching};
use shared::erasure::PersonWalk;
use shared::gateway;
use shared::model::{ApiError, ErrorCode, NewProfile, Person, ProfileChange, user_wire};
use shared::system::{System, now};
use shared::tasks::Work;

use crate::context::Context;

pub async fn create(context: &Context, call: &Call<'_>) -> Answer {
    let NewProfile(user) = NewProfile::parse(&System, call.json_bytes()?, now())?;
    if !user.user_id.as_deref().is_none_or(matching::names_a_person) {
        let problem = "must be one that paths can name: without empty, `.` or `..` parts between slashes, percent escapes and \
                       words of the API's own paths, and of at most 6144 bytes once it is percent-encoded";
        return Err(ApiError::field("userId", problem).into());
    }
    if !context.store.create_user(call.app()?, &user).await? {
        return Err(ApiError::new(ErrorCode::Conflict, "User already exists").into());
    }
    Ok(answer(201, &Person { user, clients: Vec::new(), pending: Vec::new() }))
}

pub async fn get(context: &Context, call: &Call<'_>) -> Answer {
    Ok(answer(200, &context.api.person(call).await?))
}

pub async fn update(context: &Context, call: &Call<'_>) -> Answer {
    let person = context.api.person(call).await?;
    let change = ProfileChange::parse(call.json_bytes()?, &person.user.properties)?;
    let change = if call.caller.is_person() { change.of_themselves() } else { change };
    let changed = context.store.change_profile(call.app()?, &person.user, change).await?;
    let user = changed.ok_or_else(|| ApiError::missing(ErrorCode::UserNotFound))?;
    Ok(answer(200, &Person { user, ..person }))
}

pub async fn clear(context: &Context, call: &Call<'_>) -> Answer {
    let person = context.api.person(call).await?;
    let user = context.store.clear_profile(call.app()?, &person).await?;
    let user = user.ok_or_else(|| ApiError::missing(ErrorCode::UserNotFound))?;
    let cleared = context.store.person_by_id(call.app()?, user.id).await?;
    Ok(answer(200, &cleared.ok_or_else(|| ApiError::missing(ErrorCode::UserNotFound))?))
}

/// Nobody finds the person any more; the rest is erased after, and the business told.
pub async fn delete(context: &Context, call: &Call<'_>) -> Answer {
    let app = call.app()?;
    let user = context.api.person(call).await?.user.id;
    let work = Work::EraseUser { user, told: false, walk: PersonWalk::default() };
    context.upkeep.delete(app, work, context.store.hide_user(app, user, now())).await?;
    Ok(gateway::done())
}

/// `{"appUser"}`
pub fn answer(status: u16, person: &Person) -> Response<Body> {
    gateway::json(status, &json!({ "appUser": user_wire::full(person) }))
}
