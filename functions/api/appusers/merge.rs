//! `POST …/appusers/merge`: two become one, who has all that either had.

use serde::Deserialize;
use shared::api::{Answer, Call};
use shared::gateway;
use shared::ids::AppUserId;
use shared::model::{ApiError, ErrorCode, check};
use shared::outbox::{Follows, Mark};
use shared::store::Merged;
use shared::system::{System, now};
use shared::webhook::Event;

use crate::context::Context;

/// Two people may change while they are merged; they are read anew so often.
const TRIES: usize = 5;

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

pub async fn merge(context: &Context, call: &Call<'_>) -> Answer {
    let app = call.app()?;
    let wire: MergeWire = call.json()?;
    let (surviving, discarded) = (named("surviving", wire.surviving)?, named("discarded", wire.discarded)?);
    if surviving == discarded {
        return Err(ApiError::field("discarded._id", "must name another person than surviving._id").into());
    }
    for _ in 0..TRIES {
        let (survivor, other) =
            tokio::try_join!(context.store.person_by_id(app, surviving), context.store.person_by_id(app, discarded))?;
        let missing = || ApiError::missing(ErrorCode::UserNotFound);
        let (survivor, other) = (survivor.ok_or_else(missing)?, other.ok_or_else(missing)?);
        // Merged before: an answer of ours may have been lost.
        if survivor.user.id == other.user.id {
            return Ok(gateway::done());
        }
        let joined = survivor.user.clone().joined_by(&other.user);
        let mark = Mark::new(&System, other.user.conversation_id);
        let events = vec![Event::merged(app, &joined, &other.user, now())];
        context.outbox.prepare(app, mark, Follows { sends: Vec::new(), events }).await?;
        match context.store.merge(app, &survivor, &other, mark).await? {
            Merged::Done => return Ok(gateway::done()),
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
