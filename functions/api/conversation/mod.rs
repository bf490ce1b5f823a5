//! A person's conversation, and what every call about one asks.

pub mod activity;
pub mod postback;

use serde_json::{Value, json};
use shared::api::{Answer, Call};
use shared::auth::{self, Caller};
use shared::gateway::{self, Refusal};
use shared::ids::ConversationId;
use shared::model::{ApiError, ErrorCode, Person, Role};
use shared::store::Conversation;

use crate::context::Context;

pub async fn get(context: &Context, call: &Call<'_>) -> Answer {
    let person = in_conversation(context, call).await?;
    let id = person.user.conversation_id;
    let conversation = context.store.conversation(call.app()?, id).await?;
    Ok(gateway::json(200, &json!({ "conversation": view(id, &conversation) })))
}

/// The person, if they have a conversation.
pub async fn in_conversation(context: &Context, call: &Call<'_>) -> Result<Person, Refusal> {
    let person = context.api.person(call).await?;
    if person.user.conversation_started {
        Ok(person)
    } else {
        Err(ApiError::missing(ErrorCode::ConversationNotFound).into())
    }
}

/// A person speaks for themselves only.
pub fn may_speak_as(call: &Call<'_>, role: Role) -> Result<(), ApiError> {
    match (&call.caller, role) {
        (Caller::AppUser { .. }, Role::AppMaker) => Err(auth::forbidden()),
        _ => Ok(()),
    }
}

/// v1.1's conversation object.
pub fn view(id: ConversationId, conversation: &Conversation) -> Value {
    let mut value = json!({ "_id": id, "unreadCount": conversation.unread_count });
    if let Some(at) = conversation.app_maker_last_read {
        value["appMakerLastRead"] = json!(at);
    }
    if let Some(at) = conversation.app_user_last_read {
        value["appUserLastRead"] = json!(at);
    }
    value
}

/// The conversation takes no more (docs/REFERENCE.md, 11).
pub fn full() -> ApiError {
    ApiError::new(ErrorCode::Locked, "Message limit of 30000 per conversation reached.")
}
