//! `POST …/channels`: a link is begun, and its confirmation goes out (v1.1 reference, 5.4).

use lambda_http::{Body, Response};
use serde_json::{Map, json};
use shared::api::{Call, call};
use shared::channels;
use shared::flow::consent;
use shared::gateway::Refusal;
use shared::ids::{AppId, ClientId, LinkId};
use shared::links;
use shared::model::{
    Address, ApiError, Author, Client, ClientStatus, Confirmation, Content, ErrorCode, Integration, LINK_DAYS, Link,
    LinkRequest, LinkState, Message, Person, Sending, Subject, Timestamp,
};
use shared::webhook::{Event, LinkStep, Who};

use crate::handler::{Context, now, shown};

pub async fn link(context: &Context, call: &Call<'_>) -> Result<Response<Body>, Refusal> {
    let app = call.app()?;
    let person = context.api.person(call).await?;
    let wanted = LinkRequest::parse(call::json_body(call.request())?)?;
    let integration = integration(context, app, &wanted).await?;
    let address = channels::address(wanted.channel, &wanted.address.1)
        .map_err(|error| ApiError::field(wanted.address.0, error))?;
    if is_linked(&person, &integration, &address) {
        return Ok(shown(200, &person));
    }
    let link = begun(&person, &wanted, &integration, address, now());
    context.store.begin_link(app, &link).await?;
    match message(context, app, &wanted).await? {
        Some(message) => {
            let sending = confirmation(app, &link, message);
            context.senders.send(&[(wanted.channel, sending)]).await?;
        }
        None => {
            let who = Who::of(&person).by(&link.client, false);
            let mut events = vec![Event::link(app, who, &link, LinkStep::Match, now())];
            events.extend(links::complete(&context.store, app, &link, None, now()).await?);
            context.publisher.publish(&events).await?;
        }
    }
    let person = context.store.person_by_id(app, person.user.id).await?;
    Ok(shown(200, &person.ok_or_else(|| ApiError::missing(ErrorCode::UserNotFound))?))
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
        ttl: now.plus_seconds(LINK_DAYS * 86_400).seconds(),
    }
}

/// What the person is sent, if anything.
async fn message(context: &Context, app: AppId, wanted: &LinkRequest) -> Result<Option<Message>, Refusal> {
    if wanted.confirmation != Confirmation::Prompt {
        return Ok(wanted.message.clone());
    }
    let app = context.store.app(app).await?;
    let question = consent::question(app.as_ref().map_or("The sender", |app| &app.name));
    Ok(Some(Message { content: Content::Text { text: Some(question), actions: Vec::new() }, metadata: None }))
}

fn confirmation(app: AppId, link: &Link, message: Message) -> Sending {
    Sending {
        subject: Subject::Confirmation(link.id),
        app_id: app,
        integration_id: link.client.integration_id,
        address: link.client.external_id.clone(),
        display_name: link.client.display_name.clone(),
        author: Author::default(),
        message,
        accepted: link.client.linked,
    }
}
