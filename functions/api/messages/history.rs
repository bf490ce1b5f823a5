//! What was said: read page by page, and deleted (docs/REFERENCE.md, 4.2 and 4.3).

use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use serde_json::json;
use shared::api::{Answer, Call};
use shared::erasure::HistoryWalk;
use shared::gateway;
use shared::ids::MessageId;
use shared::model::{ApiError, ErrorCode, FileKey, Timestamp};
use shared::store::Stretch;
use shared::system::now;
use shared::tasks::Work;

use crate::context::Context;
use crate::conversation::{in_conversation, view};

pub async fn list(context: &Context, call: &Call<'_>) -> Answer {
    let app = call.app()?;
    let stretch = stretch(call)?;
    let person = in_conversation(context, call).await?;
    let conversation = context.store.conversation(app, person.user.conversation_id).await?;
    let history = context.store.history(app, &person, &conversation, stretch).await?;
    let mut answer = json!({
        "conversation": view(person.user.conversation_id, &conversation),
        "messages": history.messages,
    });
    let user = utf8_percent_encode(call.text("userId"), NON_ALPHANUMERIC);
    let base = format!("{}/v1.1/apps/{app}/appusers/{user}/messages", context.public_url);
    if let Some(at) = history.previous {
        answer["previous"] = format!("{base}?before={}", json!(at)).into();
    }
    if let Some(at) = history.next {
        answer["next"] = format!("{base}?after={}", json!(at)).into();
    }
    Ok(gateway::json(200, &answer))
}

fn stretch(call: &Call<'_>) -> Result<Stretch, ApiError> {
    let moment = |name: &str| {
        let wrong = || ApiError::field(name, "must be a time in Unix seconds, such as 1790000000.123");
        let seconds = call.query(name).map(|text| text.parse::<f64>().map_err(|_| wrong())).transpose()?;
        let fits = |seconds: f64| (0.0..1e10).contains(&seconds);
        match seconds {
            Some(seconds) if !fits(seconds) => Err(wrong()),
            seconds => Ok(seconds.map(|seconds| Timestamp::from_millis((seconds * 1000.0).round() as i64))),
        }
    };
    match (moment("before")?, moment("after")?) {
        (Some(_), Some(_)) => Err(ApiError::field("before", "and after exclude each other: leave one out")),
        (Some(before), None) => Ok(Stretch::Before(before)),
        (None, Some(after)) => Ok(Stretch::After(after)),
        (None, None) => Ok(Stretch::Newest),
    }
}

/// Gone from sight at once; what lies in the table is erased after.
pub async fn clear(context: &Context, call: &Call<'_>) -> Answer {
    let app = call.app()?;
    let person = in_conversation(context, call).await?;
    let until = now();
    let conversations = person.user.conversations();
    let clients = person.clients.iter().map(|client| (client.integration_id, client.external_id.clone())).collect();
    let user = person.user.id;
    let walk = HistoryWalk::default();
    let work = Work::EraseMessages { user, conversations: conversations.clone(), clients, until, walk };
    let clear = context.store.clear_messages(app, user, &conversations, until);
    context.upkeep.delete(app, work, clear).await?;
    Ok(gateway::done())
}

/// Where a file ends with the message, both are certain to go before either does.
pub async fn delete(context: &Context, call: &Call<'_>) -> Answer {
    let person = in_conversation(context, call).await?;
    let id: MessageId = call.id("messageId", ErrorCode::MessageNotFound)?;
    let app = call.app()?;
    let found = context.store.find_message(app, &person, id).await?;
    let found = found.ok_or_else(|| ApiError::missing(ErrorCode::MessageNotFound))?;
    let delete = context.store.delete_message(app, &person.user, &found);
    match found.media_url.as_deref().and_then(|url| FileKey::of_message(url, app, &person.user)) {
        None => delete.await?,
        Some(file) => {
            let work = Work::EraseMessage { user: person.user.id, message: id, file: file.to_string() };
            context.upkeep.delete(app, work, delete).await?;
        }
    }
    Ok(gateway::done())
}
