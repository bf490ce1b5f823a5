//! The channels a person is reached by.

pub mod link;

use futures::future::try_join_all;
use serde_json::json;
use shared::api::{Answer, Call};
use shared::gateway::{self, Refusal};
use shared::ids::AppId;
use shared::model::{ApiError, ChannelType, Client, ErrorCode, Person, user_wire};
use shared::outbox::{Follows, Mark};
use shared::store::StoreError;
use shared::system::{System, now};
use shared::webhook::{Event, Who};

use crate::context::Context;

pub async fn list(context: &Context, call: &Call<'_>) -> Answer {
    let person = context.api.person(call).await?;
    let channels: Vec<_> = person.clients.iter().map(user_wire::channel).collect();
    Ok(gateway::json(200, &json!({ "channels": channels })))
}

/// A person may be merged into another while they are unlinked; so often it is tried anew as whom they are now.
const TRIES: usize = 3;

/// All of the person's clients on that channel.
pub async fn unlink(context: &Context, call: &Call<'_>) -> Answer {
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
            return Ok(gateway::done());
        }
    }
    Err(StoreError::Contended.into())
}

async fn unlink_one(context: &Context, app: AppId, person: &Person, client: &Client) -> Result<(), Refusal> {
    let who = Who::of(person).by(client, person.is_primary(client));
    let removed = Event::client_removed(app, who, &client.id.to_string(), "api", now());
    let mark = Mark::new(&System, person.user.conversation_id);
    let follows = Follows { sends: Vec::new(), events: vec![removed] };
    context.outbox.prepare(app, mark, follows).await?;
    Ok(context.store.unlink(app, person.user.id, client, Some(mark)).await?)
}
