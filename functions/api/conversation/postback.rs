//! `POST …/conversation/postback`: the person tapped a button.

use serde::Deserialize;
use shared::api::{Answer, Call};
use shared::conversation::compose::Composing;
use shared::gateway::{self, Refusal};
use shared::ids::{AppId, MessageId};
use shared::model::{
    ActionWire, ApiError, Author, Content, ErrorCode, Message, MessageWire, Person, Posting, Role, check,
};
use shared::outbox::{Follows, Mark};
use shared::store::{Posted, StoredMessage};
use shared::system::{self, System, now};
use shared::webhook::{Event, Who};

use super::{full, in_conversation};
use crate::context::Context;

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct PostbackWire {
    action_id: Option<String>,
}

pub async fn post(context: &Context, call: &Call<'_>) -> Answer {
    let app = call.app()?;
    let person = in_conversation(context, call).await?;
    let wire: PostbackWire = call.json()?;
    let id: MessageId =
        check::required("actionId", wire.action_id)?.parse().map_err(|error| ApiError::field("actionId", error))?;
    let messages = context.store.messages_of(app, &person.user, id.moment()).await?;
    let found = messages.into_iter().find_map(|message| action(&message, id).map(|action| (message, action)));
    let (message, action) =
        found.ok_or_else(|| ApiError::field("actionId", "names no postback action of this conversation"))?;
    if context.settings(app).await?.echo_postback {
        echo(context, app, &person, &action).await?;
    }
    let tapped = Event::postback(app, Who::of(&person), &message, &action, now());
    context.publisher.publish(&[tapped]).await?;
    Ok(gateway::done())
}

/// The postback action of that id, of the message or of one of its items.
fn action(message: &MessageWire, id: MessageId) -> Option<ActionWire> {
    let items = message.items.iter().flatten().filter_map(|item| item.actions.as_ref());
    let mut actions = message.actions.iter().chain(items).flatten();
    actions.find(|action| action.id == Some(id) && action.kind.as_deref() == Some("postback")).cloned()
}

/// Where the app wishes so, the tap becomes a message of the person.
async fn echo(context: &Context, app: AppId, person: &Person, action: &ActionWire) -> Result<(), Refusal> {
    let text = Content::Text { text: action.text.clone(), actions: Vec::new() };
    let posting = Posting {
        role: Role::AppUser,
        author: Author::default(),
        message: Message { content: text, metadata: action.metadata.clone() },
        payload: action.payload.clone(),
        target: None,
    };
    let settings = context.settings(app).await?;
    let composing =
        Composing { posting: &posting, user: &person.user, animal_names: settings.use_animal_names, now: now() };
    let message = composing.message(&posting.message, None, &system::random::<16>(), 0);
    let stored = StoredMessage::new(message.clone(), &settings);
    let mark = Mark::new(&System, person.user.conversation_id);
    let told = Event::posted(app, Who::of(person), Role::AppUser, &[message]);
    context.outbox.prepare(app, mark, Follows { sends: Vec::new(), events: vec![told] }).await?;
    match context.store.post(app, &person.user, Role::AppUser, &[stored], mark, now()).await? {
        Posted::Done(_) => Ok(()),
        Posted::Full => Err(full().into()),
        Posted::Gone => Err(ApiError::missing(ErrorCode::UserNotFound).into()),
    }
}
