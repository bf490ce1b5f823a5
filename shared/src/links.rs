//! How a link goes on: after its confirmation was sent, or could not be, and when the person answers.
//!
//! Every step may be repeated: what ended a link is written in it, and a repeat says the same events again.

use crate::channels::Reply;
use crate::flow::consent::{self, Consent};
use crate::ids::{AppId, LinkId};
use crate::model::{
    Client, ClientStatus, Confirmation, ExternalId, Failure, FailureCode, Link, LinkState, Person, Timestamp,
};
use crate::store::keys::AddressPartition;
use crate::store::{Store, StoreError};
use crate::webhook::{Event, LinkStep, Who};

/// What a reply meant for the link of its address.
#[derive(Debug, Clone, PartialEq)]
pub enum Answered {
    /// Nothing: it is an ordinary message, told after these events.
    Message(Vec<Event>),
    /// It was an answer to our question, and no message.
    Consumed(Vec<Event>),
}

/// A link on the business's word alone: it matches and completes at once.
pub async fn begun_without_message(
    store: &Store,
    app: AppId,
    link: &Link,
    now: Timestamp,
) -> Result<Vec<Event>, StoreError> {
    let Some(who) = who(store, app, link).await? else { return Ok(Vec::new()) };
    let mut events = vec![Event::link(app, who, link, LinkStep::Match, now)];
    events.extend(complete(store, app, link, None, now).await?);
    Ok(events)
}

/// The confirmation's message went out.
pub async fn sent(
    store: &Store,
    app: AppId,
    at: &AddressPartition,
    id: LinkId,
    now: Timestamp,
) -> Result<Vec<Event>, StoreError> {
    let Some(link) = store.link_at(at).await?.filter(|link| link.id == id) else { return Ok(Vec::new()) };
    let Some(who) = who(store, app, &link).await? else { return Ok(Vec::new()) };
    let matched = Event::link(app, who, &link, LinkStep::Match, now);
    let mut events = vec![matched];
    match link.confirmation {
        Confirmation::Immediate => events.extend(complete(store, app, &link, None, now).await?),
        Confirmation::UserActivity | Confirmation::Prompt => store.match_link(app, &link).await?,
    }
    Ok(events)
}

/// A newer link for its address took its place before it was confirmed.
pub async fn replaced(store: &Store, app: AppId, link: &Link, now: Timestamp) -> Result<Vec<Event>, StoreError> {
    let failure = Failure {
        code: FailureCode::BadRequest,
        message: "Another link was begun for this address".into(),
        underlying_error: None,
    };
    let who = who(store, app, link).await?;
    Ok(who.map(|who| Event::link(app, who, link, LinkStep::Failure(failure), now)).into_iter().collect())
}

/// It could not be sent, or will not arrive.
pub async fn failed(
    store: &Store,
    app: AppId,
    at: &AddressPartition,
    id: LinkId,
    failure: &Failure,
    now: Timestamp,
) -> Result<Vec<Event>, StoreError> {
    let Some(link) = store.link_at(at).await?.filter(|link| link.id == id) else { return Ok(Vec::new()) };
    fail(store, app, &link, None, failure, now).await
}

/// Completes a link on the business's word alone.
pub async fn complete(
    store: &Store,
    app: AppId,
    link: &Link,
    by: Option<&ExternalId>,
    now: Timestamp,
) -> Result<Vec<Event>, StoreError> {
    let Some((person, done)) = completed(store, app, link, by).await? else { return Ok(Vec::new()) };
    let client = Client { status: ClientStatus::Active, ..link.client.clone() };
    let who = Who::of(&person).started().by(&client, !client.secondary);
    let mut events = Vec::new();
    if let Some(old) = done.taken_from {
        events.push(Event::client_removed(app, Who::at(&old), &link.id.to_string(), "theft", now));
    }
    events.push(Event::client_added(app, who.clone(), &link.id.to_string(), now));
    events.push(Event::link(app, who, link, LinkStep::Success, now));
    Ok(events)
}

/// The person may be merged into another in the same moment: it is then completed as theirs.
async fn completed(
    store: &Store,
    app: AppId,
    link: &Link,
    by: Option<&ExternalId>,
) -> Result<Option<(Person, Link)>, StoreError> {
    let mut seen = None;
    while let Some(person) = store.person_by_id(app, link.app_user_id).await? {
        if link.is_open() {
            store.complete_link(app, &person.user, link, by).await?;
        }
        if let Some(done) = ended(store, app, link, LinkState::Done, by).await? {
            return Ok(Some((person, done)));
        }
        if seen.replace(person.user.id) == Some(person.user.id) {
            break;
        }
    }
    Ok(None)
}

async fn fail(
    store: &Store,
    app: AppId,
    link: &Link,
    by: Option<&ExternalId>,
    failure: &Failure,
    now: Timestamp,
) -> Result<Vec<Event>, StoreError> {
    if link.is_open() {
        store.fail_link(app, link, by).await?;
    }
    if ended(store, app, link, LinkState::Failed, by).await?.is_none() {
        return Ok(Vec::new());
    }
    let Some(who) = who(store, app, link).await? else { return Ok(Vec::new()) };
    Ok(vec![Event::link(app, who, link, LinkStep::Failure(failure.clone()), now)])
}

/// This very link, if it came to that end by the same hand.
async fn ended(
    store: &Store,
    app: AppId,
    link: &Link,
    state: LinkState,
    by: Option<&ExternalId>,
) -> Result<Option<Link>, StoreError> {
    let now = store.link(app, &link.client).await?;
    Ok(now.filter(|now| now.id == link.id && now.state == state && now.ended_by.as_ref() == by))
}

/// A person wrote from an address that may wait for their answer.
pub async fn answered(
    store: &Store,
    app: AppId,
    at: &AddressPartition,
    reply: &Reply,
    now: Timestamp,
) -> Result<Answered, StoreError> {
    let Some(link) = store.link_at(at).await? else { return Ok(Answered::Message(Vec::new())) };
    let by = Some(&reply.external_id);
    let is_about = link.is_open() || link.ended_by.as_ref() == by;
    match (is_about, link.confirmation) {
        (false, _) | (_, Confirmation::Immediate) => Ok(Answered::Message(Vec::new())),
        (true, Confirmation::UserActivity) => Ok(Answered::Message(complete(store, app, &link, by, now).await?)),
        (true, Confirmation::Prompt) => match consent::of(&reply.parts) {
            Consent::Unclear => Ok(Answered::Message(Vec::new())),
            Consent::Given => Ok(Answered::Consumed(complete(store, app, &link, by, now).await?)),
            Consent::Denied => {
                let denied = Failure {
                    code: FailureCode::Forbidden,
                    message: "The person declined to be linked".into(),
                    underlying_error: None,
                };
                Ok(Answered::Consumed(fail(store, app, &link, by, &denied, now).await?))
            }
        },
    }
}

async fn who(store: &Store, app: AppId, link: &Link) -> Result<Option<Who>, StoreError> {
    let person = store.person_by_id(app, link.app_user_id).await?;
    Ok(person.map(|person| Who::of(&person).by(&link.client, false)))
}
