//! Typing and reading (docs/REFERENCE.md, 4.5).

use serde::Deserialize;
use serde_json::json;
use shared::api::{Answer, Call};
use shared::gateway;
use shared::model::{ApiError, Role, check};
use shared::system::now;
use shared::webhook::{Event, Who};

use super::{in_conversation, may_speak_as, view};
use crate::context::Context;

#[derive(Deserialize)]
struct ActivityWire {
    role: Option<String>,
    #[serde(rename = "type")]
    kind: Option<String>,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Activity {
    TypingStart,
    TypingStop,
    Read,
}

impl Activity {
    fn parse(kind: Option<String>) -> Result<Self, ApiError> {
        match check::required("type", kind)?.as_str() {
            "typing:start" => Ok(Self::TypingStart),
            "typing:stop" => Ok(Self::TypingStop),
            "conversation:read" => Ok(Self::Read),
            _ => Err(ApiError::field("type", "must be typing:start, typing:stop or conversation:read")),
        }
    }
}

/// What the person does is told; what the business does shows on no channel that is served so far.
pub async fn post(context: &Context, call: &Call<'_>) -> Answer {
    let app = call.app()?;
    let person = in_conversation(context, call).await?;
    let wire: ActivityWire = call.json()?;
    let role = Role::parse(wire.role.as_deref())?;
    let activity = Activity::parse(wire.kind)?;
    may_speak_as(call, role)?;
    let id = person.user.conversation_id;
    let conversation = match activity {
        Activity::Read => context.store.mark_read(app, &person.user, role, now()).await?,
        Activity::TypingStart | Activity::TypingStop => context.store.conversation(app, id).await?,
    };
    let event = match (activity, role) {
        (_, Role::AppMaker) => None,
        (Activity::TypingStart, Role::AppUser) => Some(Event::typing(app, Who::of(&person), "typing:start", now())),
        (Activity::TypingStop, Role::AppUser) => Some(Event::typing(app, Who::of(&person), "typing:stop", now())),
        (Activity::Read, Role::AppUser) => Some(Event::read(app, Who::of(&person), now())),
    };
    if let Some(event) = event {
        context.publisher.publish(&[event]).await?;
    }
    Ok(gateway::json(200, &json!({ "conversation": view(id, &conversation) })))
}

/// The person has read everything.
pub async fn reset(context: &Context, call: &Call<'_>) -> Answer {
    let app = call.app()?;
    let person = in_conversation(context, call).await?;
    context.store.mark_read(app, &person.user, Role::AppUser, now()).await?;
    context.publisher.publish(&[Event::read(app, Who::of(&person), now())]).await?;
    Ok(gateway::done())
}
