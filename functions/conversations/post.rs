//! `POST …/messages`: kept, told, and sent by the person's client (v1.1 reference, 4.1).

use lambda_http::{Body, Response};
use serde_json::json;
use shared::api::{Call, call};
use shared::flow::compose::Composing;
use shared::flow::{mask, route};
use shared::gateway::{self, Refusal};
use shared::ids::{AppId, MessageId};
use shared::model::shorthand::{self, Shorthand};
use shared::model::{
    ApiError, ChannelType, Client, Content, ErrorCode, Message, MessageWire, Person, Posting, Role, Sending, Subject,
};
use shared::store::{Posted, Side, StoredMessage};
use shared::telemetry::{Metric, Outcome};
use shared::webhook::{Event, Who};

use crate::handler::{Context, may_speak_as, now, shown};

/// A message in both its forms.
struct Ready {
    message: Message,
    wire: MessageWire,
}

pub async fn post(context: &Context, call: &Call<'_>) -> Result<Response<Body>, Refusal> {
    let app = call.app()?;
    let person = context.api.person(call).await?;
    let posting = Posting::parse(call::json_body(call.request())?)?;
    may_speak_as(call, posting.role)?;
    let to = match posting.role {
        Role::AppMaker => route::destinations(&person, posting.target.as_ref())?,
        Role::AppUser => Vec::new(),
    };
    let messages = messages(context, app, &person, &posting).await?;
    let settings = context.settings(app).await?;
    let stored: Vec<_> = messages.iter().map(|ready| StoredMessage::new(ready.wire.clone(), &settings)).collect();
    let side = match posting.role {
        Role::AppMaker => Side::AppMaker,
        Role::AppUser => Side::AppUser,
    };
    let conversation = match context.store.post(app, &person.user, side, &stored, now()).await? {
        Posted::Done(conversation) => conversation,
        Posted::Full => {
            let problem = "Message limit of 30000 per conversation reached.";
            return Err(ApiError::new(ErrorCode::Locked, problem).into());
        }
        Posted::Gone => return Err(ApiError::missing(ErrorCode::UserNotFound).into()),
    };
    context.senders.send(&sendings(app, &posting, &messages, &to)).await?;
    let wires: Vec<_> = messages.into_iter().map(|ready| ready.wire).collect();
    context.publisher.publish(&[Event::posted(app, Who::of(&person).started(), posting.role, &wires)]).await?;
    log(app, &person, &wires, to.len());
    let mut answer = json!({ "conversation": shown(person.user.conversation_id, &conversation) });
    // What was asked for is the last; text that went before it is extra.
    let mut wires = wires;
    answer["message"] = json!(wires.pop());
    if !wires.is_empty() {
        answer["extraMessages"] = json!(wires);
    }
    Ok(gateway::json(201, &answer))
}

/// The messages that a posting becomes: one, or two where a text comes before a stored template.
async fn messages(context: &Context, app: AppId, person: &Person, posting: &Posting) -> Result<Vec<Ready>, Refusal> {
    let settings = context.settings(app).await?;
    let parts = match (posting.role, posting.message.clone()) {
        (Role::AppUser, message) => vec![message],
        (Role::AppMaker, message) => match shorthand::expand(message) {
            Shorthand::Message(message) => vec![*message],
            Shorthand::Template { name, before } => {
                let template = context.store.template_by_name(app, &name).await?;
                let template = template.ok_or_else(|| {
                    ApiError::new(ErrorCode::TemplateNotFound, "text names a template that the app has not")
                })?;
                before.map(|before| *before).into_iter().chain([template.message]).collect()
            }
        },
    };
    let composing = Composing { posting, user: &person.user, animal_names: settings.use_animal_names, now: now() };
    let seed = rand::random::<[u8; 16]>();
    let ready = |(number, message): (usize, Message)| {
        let message = masked(message, settings.mask_credit_card_numbers);
        let wire = composing.message(&message, &seed, u8::try_from(number).unwrap_or(u8::MAX));
        Ready { message, wire }
    };
    Ok(parts.into_iter().enumerate().map(ready).collect())
}

fn masked(message: Message, mask_cards: bool) -> Message {
    match message.content {
        Content::Text { text: Some(text), actions } if mask_cards => {
            Message { content: Content::Text { text: Some(mask::text(&text)), actions }, ..message }
        }
        content => Message { content, ..message },
    }
}

fn sendings(app: AppId, posting: &Posting, messages: &[Ready], to: &[&Client]) -> Vec<(ChannelType, Sending)> {
    let sending = |client: &Client, ready: &Ready, id: MessageId| Sending {
        subject: Subject::Message(id),
        app_id: app,
        integration_id: client.integration_id,
        address: client.external_id.clone(),
        display_name: client.display_name.clone(),
        author: posting.author.clone(),
        message: ready.message.clone(),
        accepted: id.moment(),
    };
    let each =
        messages.iter().flat_map(|ready| to.iter().filter_map(move |client| Some((*client, ready, ready.wire.id?))));
    each.map(|(client, ready, id)| (client.platform, sending(client, ready, id))).collect()
}

fn log(app: AppId, person: &Person, messages: &[MessageWire], destinations: usize) {
    for id in messages.iter().filter_map(|message| message.id) {
        Outcome::of(Metric::MessagePosted)
            .with("messageId", id)
            .with("appId", app)
            .with("appUserId", person.user.id)
            .with_number("destinations", destinations as i64)
            .log();
    }
}
