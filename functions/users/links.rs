//! `POST …/channels`: a link is begun, and its confirmation goes out (v1.1 reference, 5.4).

use lambda_http::{Body, Response};
use serde_json::{Map, json};
use shared::api::{Call, call};
use shared::channels;
use shared::flow::asking::{self, Asking};
use shared::flow::consent;
use shared::gateway::Refusal;
use shared::ids::{AppId, ClientId, LinkId};
use shared::model::{
    Address, ApiError, AppUser, Author, Client, ClientStatus, Confirmation, Content, ErrorCode, Integration, Link,
    LinkRequest, LinkState, Message, Person, Sending, Subject, Timestamp,
};
use shared::store::StoreError;
use shared::tasks::{OutboxEntry, SendTask};

use crate::handler::{Context, now, shown};

/// Each time somebody was faster: a person has five that wait at most, and then is told so.
const ASKING_TRIES: usize = 10;

pub async fn link(context: &Context, call: &Call<'_>) -> Result<Response<Body>, Refusal> {
    let app = call.app()?;
    let person = context.api.person(call).await?;
    let wanted = LinkRequest::parse(call::json_body(call.request())?)?;
    let is_own = call.caller.is_person();
    if is_own {
        asking::permit(wanted.confirmation)?;
    }
    let integration = in_use(integration(context, app, &wanted).await?)?;
    let address = channels::address(wanted.channel, &wanted.address.1)
        .map_err(|error| ApiError::field(wanted.address.0, error))?;
    if is_linked(&person, &integration, &address) {
        return Ok(shown(200, &person));
    }
    let link = begun(&person, &wanted, &integration, address, now());
    let message = message(context, app, &wanted, is_own).await?;
    let is_immediate = message.is_none();
    let confirmation = message.map(|message| Box::new(SendTask::new(confirmation(app, &link, message))));
    if is_own {
        ask(context, app, &link, confirmation).await?;
    } else if !begin(context, app, &link, confirmation, context.store.link(app, &link.client).await?, None).await? {
        let problem = "Another link was begun for this address at the same time";
        return Err(ApiError::new(ErrorCode::Conflict, problem).into());
    }
    if is_immediate {
        context.store.complete_link(app, &person.user, &link, None).await?;
    }
    let person = context.store.person_by_id(app, person.user.id).await?;
    Ok(shown(200, &person.ok_or_else(|| ApiError::missing(ErrorCode::UserNotFound))?))
}

/// Begins what a person asks for themselves, unless a rule is against it or it waits for an answer already: judged anew
/// whenever they, or others, begin another link meanwhile.
async fn ask(context: &Context, app: AppId, link: &Link, confirmation: Option<Box<SendTask>>) -> Result<(), Refusal> {
    for _ in 0..ASKING_TRIES {
        let person = context.store.person_by_id(app, link.app_user_id).await?;
        let person = person.ok_or_else(|| ApiError::missing(ErrorCode::UserNotFound))?;
        let link = Link { app_user_id: person.user.id, ..link.clone() };
        let older = context.store.link(app, &link.client).await?;
        if asking::judge(&link, older.as_ref(), &person.pending, link.client.linked)? == Asking::Waits
            || begin(context, app, &link, confirmation.clone(), older, Some(&person.user)).await?
        {
            return Ok(());
        }
    }
    Err(StoreError::Contended.into())
}

/// `false`: what it was begun over has changed.
async fn begin(
    context: &Context,
    app: AppId,
    link: &Link,
    confirmation: Option<Box<SendTask>>,
    older: Option<Link>,
    asking: Option<&AppUser>,
) -> Result<bool, Refusal> {
    let gives_way = older.clone().filter(Link::is_open).map(Box::new);
    let entry = OutboxEntry::Link { link: Box::new(link.clone()), confirmation, gives_way };
    context.outbox.prepare(app, vec![entry]).await?;
    Ok(context.store.begin_link(app, link, older.as_ref(), asking).await?)
}

/// The one named, or the only one of its type.
async fn integration(context: &Context, app: AppId, wanted: &LinkRequest) -> Result<Integration, Refusal> {
    if let Some(id) = wanted.integration_id {
        let found = context.store.integration(app, id).await?;
        let found = found.ok_or_else(|| {
            ApiError::new(ErrorCode::IntegrationNotFound, "integrationId names no integration of this app")
        })?;
        return match found.channel() == Some(wanted.channel) {
            true => Ok(found),
            false => Err(ApiError::field("integrationId", "names an integration of another type").into()),
        };
    }
    let mut all = context.store.integrations(app).await?;
    all.retain(|integration| integration.channel() == Some(wanted.channel));
    match (all.pop(), all.is_empty()) {
        (Some(only), true) => Ok(only),
        (Some(_), false) => {
            Err(ApiError::field("integrationId", "is required: the app has several of this type").into())
        }
        (None, _) => Err(ApiError::field("type", "names a channel that the app has no integration for").into()),
    }
}

fn in_use(integration: Integration) -> Result<Integration, ApiError> {
    if integration.is_off() {
        let problem = "leads to an integration that is inactive; switch it on first, by its status";
        return Err(ApiError::field("type", problem));
    }
    Ok(integration)
}

fn is_linked(person: &Person, integration: &Integration, address: &Address) -> bool {
    person.clients.iter().any(|client| client.integration_id == integration.id && client.external_id == *address)
}

fn begun(person: &Person, wanted: &LinkRequest, integration: &Integration, address: Address, now: Timestamp) -> Link {
    Link {
        id: LinkId::generate(),
        app_user_id: person.user.id,
        confirmation: wanted.confirmation,
        state: LinkState::Asked,
        client: Client {
            id: ClientId::generate(),
            platform: wanted.channel,
            integration_id: integration.id,
            display_name: Some(address.display_name()),
            external_id: address,
            status: ClientStatus::Pending,
            linked: now,
            secondary: !wanted.primary,
            last_seen: None,
            raw: Map::new(),
        },
        criteria: [(wanted.address.0.to_owned(), json!(wanted.address.1))].into_iter().collect(),
        ended_by: None,
        taken_from: None,
        ttl: Link::ends(now),
    }
}

/// What the holder of the address is sent, if anything.
async fn message(
    context: &Context,
    app: AppId,
    wanted: &LinkRequest,
    is_own: bool,
) -> Result<Option<Message>, Refusal> {
    if wanted.confirmation != Confirmation::Prompt {
        return Ok(wanted.message.clone());
    }
    let app = context.store.app(app).await?;
    let name = app.as_ref().map_or("The sender", |app| &app.name);
    let question = if is_own { consent::question_of_a_person(name) } else { consent::question(name) };
    Ok(Some(Message { content: Content::Text { text: Some(question), actions: Vec::new() }, metadata: None }))
}

fn confirmation(app: AppId, link: &Link, message: Message) -> Sending {
    Sending {
        subject: Subject::Confirmation(link.id),
        app_id: app,
        integration_id: link.client.integration_id,
        address: link.client.external_id.clone(),
        app_user_id: None,
        display_name: link.client.display_name.clone(),
        author: Author::default(),
        message,
        accepted: link.client.linked,
    }
}
