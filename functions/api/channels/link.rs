//! `POST …/channels`: a link is begun, and its confirmation goes out (docs/REFERENCE.md, 5.4).

use std::time::Duration;

use serde_json::{Map, json};
use shared::api::{Answer, Call};
use shared::channels;
use shared::gateway::Refusal;
use shared::ids::{AppId, AppUserId, ClientId, LinkId};
use shared::linking::asking::{self, Asking, DailyLimit};
use shared::linking::consent;
use shared::linking::{self, Confirmation, Link, LinkRequest, LinkState};
use shared::model::{
    Address, ApiError, Author, CLIENT_LIMIT, Client, ClientStatus, Content, ErrorCode, Integration, Message, Person,
    Sending, Subject, Timestamp,
};
use shared::outbox::{Follows, Mark};
use shared::store::keys::AddressPartition;
use shared::store::{Beginning, Begun, MatchItem, StoreError};
use shared::system::{System, now};
use shared::tasks::SendTask;
use shared::webhook::Event;

use crate::appusers::answer;
use crate::context::Context;

/// Each time somebody was faster: a person has five that wait at most, and then is told so.
const TRIES: usize = 10;

pub async fn begin(context: &Context, call: &Call<'_>) -> Answer {
    let app = call.app()?;
    let person = context.api.person(call).await?;
    let wanted = LinkRequest::parse(call.json_bytes()?)?;
    let is_own = call.caller.is_person();
    if is_own {
        asking::permit(wanted.confirmation)?;
    }
    let integration = in_use(integration(context, app, &wanted).await?)?;
    let address = channels::address(wanted.channel, &wanted.address.1)
        .map_err(|error| ApiError::field(wanted.address.0, error))?;
    let link = begun(&person, &wanted, &integration, address, now());
    let message = message(context, app, &wanted, link.id, is_own).await?;
    let confirmation = message.map(|message| SendTask::new(confirmation(app, &link, message)));
    for _ in 0..TRIES {
        let person = current(context, app, person.user.id).await?;
        if is_linked(&person, &integration, &link.client.external_id) {
            return Ok(answer(200, &person));
        }
        check_clients(&person)?;
        let last = context.store.link(app, &link.client).await?;
        if is_own && asking::judge(&link, last.as_ref(), &person.pending, link.client.linked)? == Asking::Waits {
            return Ok(answer(200, &person));
        }
        let link = Link { app_user_id: person.user.id, ..link.clone() };
        let over = Over { app, person: &person, link: &link, last: last.as_ref() };
        let begun = match &confirmation {
            None => over.link_at_once(context).await?,
            Some(confirmation) => over.begin(context, confirmation, is_own).await?,
        };
        match begun {
            Begun::Done => return Ok(answer(200, &current(context, app, person.user.id).await?)),
            Begun::Changed => {}
            Begun::TooOften(limit) => return Err(too_often(limit, link.client.linked)),
        }
    }
    Err(StoreError::Contended.into())
}

async fn current(context: &Context, app: AppId, id: AppUserId) -> Result<Person, Refusal> {
    let person = context.store.person_by_id(app, id).await?;
    Ok(person.ok_or_else(|| ApiError::missing(ErrorCode::UserNotFound))?)
}

fn check_clients(person: &Person) -> Result<(), ApiError> {
    if person.clients.len() + person.pending.len() < CLIENT_LIMIT {
        return Ok(());
    }
    let problem = format!("A user is reached by at most {CLIENT_LIMIT} channels; unlink some first");
    Err(ApiError::new(ErrorCode::BadRequest, problem))
}

fn too_often(limit: DailyLimit, now: Timestamp) -> Refusal {
    let wait = asking::day_ends(now).seconds() - now.seconds();
    Refusal::TooOften(limit.error(), Duration::from_secs(wait.unsigned_abs()))
}

/// A link that is to begin over what was read.
struct Over<'a> {
    app: AppId,
    person: &'a Person,
    link: &'a Link,
    /// Its address's last link.
    last: Option<&'a Link>,
}

impl Over<'_> {
    fn beginning(&self) -> Beginning<'_> {
        let user = &self.person.user;
        Beginning {
            app: self.app,
            user,
            link: self.link,
            older: self.last,
            mark: Mark::new(&System, user.conversation_id),
        }
    }

    async fn begin(&self, context: &Context, confirmation: &SendTask, is_own: bool) -> Result<Begun, Refusal> {
        let sends = vec![(self.link.client.platform, confirmation.clone())];
        let (beginning, events) = (self.beginning(), self.gives_way(context).await?);
        context.outbox.prepare(self.app, beginning.mark, Follows { sends, events }).await?;
        Ok(match is_own {
            true => context.store.ask(beginning).await?,
            false => context.store.begin_link(beginning).await?,
        })
    }

    async fn link_at_once(&self, context: &Context) -> Result<Begun, Refusal> {
        let (beginning, mut events) = (self.beginning(), self.gives_way(context).await?);
        let client = &self.link.client;
        let at = AddressPartition::new(self.app, client.integration_id, &client.external_id);
        let owner: Option<MatchItem> = context.store.find_match(&at).await?;
        let taken_from = owner.as_ref().map(|owner| &owner.result);
        events.extend(linking::done_at_once(self.app, self.person, self.link, taken_from, now()));
        context.outbox.prepare(self.app, beginning.mark, Follows { sends: Vec::new(), events }).await?;
        Ok(context.store.link_at_once(beginning, owner.as_ref()).await?)
    }

    /// What is told of an open link that this one takes the place of.
    async fn gives_way(&self, context: &Context) -> Result<Vec<Event>, StoreError> {
        match self.last.filter(|last| last.is_open()) {
            Some(last) => linking::replaced(&context.store, self.app, last, now()).await,
            None => Ok(Vec::new()),
        }
    }
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
        id: LinkId::generate(&System),
        app_user_id: person.user.id,
        confirmation: wanted.confirmation,
        state: LinkState::Asked,
        client: Client {
            id: ClientId::generate(&System),
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
    link: LinkId,
    is_own: bool,
) -> Result<Option<Message>, Refusal> {
    if wanted.confirmation != Confirmation::Prompt {
        return Ok(wanted.message.clone());
    }
    let app = context.store.app(app).await?;
    let name = app.as_ref().map_or("The sender", |app| &app.name);
    let question = if is_own { consent::question_of_a_person(name, link) } else { consent::question(name, link) };
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
