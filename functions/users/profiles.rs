//! Profiles: made, shown, changed, cleared, merged, deleted (docs/REFERENCE.md, 5.1).

use lambda_http::{Body, Response};
use serde::Deserialize;
use shared::api::{Call, call, routes};
use shared::flow::erasure::PersonWalk;
use shared::gateway::Refusal;
use shared::ids::AppUserId;
use shared::model::{ApiError, ErrorCode, NewProfile, Person, ProfileChange, check};
use shared::store::Merged;
use shared::tasks::{Follows, Mark, Work};
use shared::webhook::Event;

use crate::handler::{Context, nothing, now, shown};

/// Two people may change while they are merged; they are read anew so often.
const MERGE_TRIES: usize = 5;

pub async fn create(context: &Context, call: &Call<'_>) -> Result<Response<Body>, Refusal> {
    let NewProfile(user) = NewProfile::parse(call::json_body(call.request())?, now())?;
    if !user.user_id.as_deref().is_none_or(routes::names_a_person) {
        let problem = "must be one that paths can name: without empty, `.` or `..` parts between slashes, percent escapes and \
                       words of the API's own paths, and of at most 6144 bytes once it is percent-encoded";
        return Err(ApiError::field("userId", problem).into());
    }
    if !context.store.create_user(call.app()?, &user).await? {
        return Err(ApiError::new(ErrorCode::Conflict, "User already exists").into());
    }
    Ok(shown(201, &Person { user, clients: Vec::new(), pending: Vec::new() }))
}

pub async fn update(context: &Context, call: &Call<'_>) -> Result<Response<Body>, Refusal> {
    let person = context.api.person(call).await?;
    let change = ProfileChange::parse(call::json_body(call.request())?, &person.user.properties)?;
    let change = if call.caller.is_person() { change.of_themselves() } else { change };
    let changed = context.store.change_profile(call.app()?, &person.user, change).await?;
    let user = changed.ok_or_else(|| ApiError::missing(ErrorCode::UserNotFound))?;
    Ok(shown(200, &Person { user, ..person }))
}

pub async fn clear(context: &Context, call: &Call<'_>) -> Result<Response<Body>, Refusal> {
    let person = context.api.person(call).await?;
    let user = context.store.clear_profile(call.app()?, &person).await?;
    let user = user.ok_or_else(|| ApiError::missing(ErrorCode::UserNotFound))?;
    let cleared = context.store.person_by_id(call.app()?, user.id).await?;
    Ok(shown(200, &cleared.ok_or_else(|| ApiError::missing(ErrorCode::UserNotFound))?))
}

/// Nobody finds the person any more; the rest is erased after, and the business told.
pub async fn delete(context: &Context, call: &Call<'_>) -> Result<Response<Body>, Refusal> {
    let app = call.app()?;
    let user = context.api.person(call).await?.user.id;
    let work = Work::EraseUser { user, told: false, walk: PersonWalk::default() };
    context.upkeep.delete(app, work, context.store.hide_user(app, user, now())).await?;
    Ok(nothing())
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
    if surviving == discarded {
        return Err(ApiError::field("discarded._id", "must name another person than surviving._id").into());
    }
    for _ in 0..MERGE_TRIES {
        let (survivor, other) =
            tokio::try_join!(context.store.person_by_id(app, surviving), context.store.person_by_id(app, discarded))?;
        let missing = || ApiError::missing(ErrorCode::UserNotFound);
        let (survivor, other) = (survivor.ok_or_else(missing)?, other.ok_or_else(missing)?);
        // Merged before: an answer of ours may have been lost.
        if survivor.user.id == other.user.id {
            return Ok(nothing());
        }
        let joined = survivor.user.clone().joined_by(&other.user);
        let mark = Mark::new(other.user.conversation_id);
        let events = vec![Event::merged(app, &joined, &other.user, now())];
        context.outbox.prepare(app, mark, Follows { sends: Vec::new(), events }).await?;
        match context.store.merge(app, &survivor, &other, mark).await? {
            Merged::Done => return Ok(nothing()),
            Merged::Changed => {}
            Merged::TooLarge => {
                let problem =
                    "The two have too many channels, merges or properties together; unlink or unset some first";
                return Err(ApiError::new(ErrorCode::Conflict, problem).into());
            }
        }
    }
    Err(ApiError::new(ErrorCode::Conflict, "One of the two was changed or deleted at the same time").into())
}

fn named(field: &str, wire: Option<NamedWire>) -> Result<AppUserId, ApiError> {
    let path = format!("{field}._id");
    let id = check::required(&path, check::required(field, wire)?.id)?;
    id.parse().map_err(|error| ApiError::field(&path, error))
}
