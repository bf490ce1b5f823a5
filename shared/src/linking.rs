//! How a link goes on: after its confirmation was sent, or could not be, and when the person answers.
//!
//! Every step may be repeated: what ended a link is written in it, and a repeat says the same events again, whatever
//! link the address has by then.

pub use domain::linking::*;

use crate::channels::Reply;
use crate::ids::{AppId, LinkId};
use crate::linking::consent::Consent;
use crate::model::{Client, ClientStatus, ExternalId, Failure, FailureCode, MatchResult, Person, Timestamp};
use crate::store::keys::AddressPartition;
use crate::store::{Store, StoreError};
use crate::webhook::{Event, LinkStep, Who};

/// Of a link that begins and is done at once, over the address's owner until then.
pub fn done_at_once(
    app: AppId,
    person: &Person,
    link: &Link,
    owner: Option<&MatchResult>,
    now: Timestamp,
) -> Vec<Event> {
    let matched = Event::link(app, Who::of(person).by(&link.client, false), link, LinkStep::Match, now);
    let taken_from = owner.filter(|owner| owner.app_user_id != person.user.id);
    [matched].into_iter().chain(completed(app, person, link, taken_from, now)).collect()
}

/// A newer link for its address took its place before it was confirmed.
pub async fn replaced(store: &Store, app: AppId, link: &Link, now: Timestamp) -> Result<Vec<Event>, StoreError> {
    let failure = Failure {
        code: FailureCode::BadRequest,
        message: "Another link was begun for this address".into(),
        underlying_error: None,
    };
    told(store, app, link, LinkStep::Failure(failure), now).await
}

/// The confirmation's message went out.
pub async fn sent(
    store: &Store,
    app: AppId,
    at: &AddressPartition,
    id: LinkId,
    now: Timestamp,
) -> Result<Vec<Event>, StoreError> {
    match store.link_of(at, id).await? {
        Some(link) => sent_of(store, app, &link, now).await,
        None => Ok(Vec::new()),
    }
}

pub async fn sent_of(store: &Store, app: AppId, link: &Link, now: Timestamp) -> Result<Vec<Event>, StoreError> {
    let mut events = told(store, app, link, LinkStep::Match, now).await?;
    match link.confirmation {
        _ if events.is_empty() => {}
        Confirmation::Immediate => events.extend(complete(store, app, link, None, now).await?),
        Confirmation::UserActivity | Confirmation::Prompt => {
            store.match_link(app, link).await?;
        }
    }
    Ok(events)
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
    match store.link_of(at, id).await? {
        Some(link) => fail(store, app, &link, None, failure, now).await,
        None => Ok(Vec::new()),
    }
}

/// A person wrote from an address that may wait for their answer. `redelivered`: their reply may have been read before.
pub async fn answered(
    store: &Store,
    app: AppId,
    at: &AddressPartition,
    reply: &Reply,
    redelivered: bool,
    now: Timestamp,
) -> Result<Vec<Event>, StoreError> {
    let by = Some(&reply.external_id);
    let ended = if redelivered { store.link_ended_by(at, &reply.external_id).await? } else { None };
    let is_about = |link: &Link| link.is_open() || link.ended_by.as_ref() == by;
    let Some(link) = ended.or(store.link_at(at).await?).filter(is_about) else { return Ok(Vec::new()) };
    match (link.state, consent::of(&link, &reply.parts)) {
        (LinkState::Done, _) | (_, Consent::Given) => complete(store, app, &link, by, now).await,
        (LinkState::Failed, _) | (_, Consent::Denied) => fail(store, app, &link, by, &declined(), now).await,
        (_, Consent::GivenIfAlone) if store.is_only_question(at, &link, now).await? => {
            complete(store, app, &link, by, now).await
        }
        (_, Consent::GivenIfAlone | Consent::Unclear) => Ok(Vec::new()),
    }
}

fn declined() -> Failure {
    Failure { code: FailureCode::Forbidden, message: "The person declined to be linked".into(), underlying_error: None }
}

/// The client becomes the person's, and they may be merged into another in the same moment: it then becomes that one's.
async fn complete(
    store: &Store,
    app: AppId,
    link: &Link,
    by: Option<&ExternalId>,
    now: Timestamp,
) -> Result<Vec<Event>, StoreError> {
    let mut seen = None;
    while let Some(person) = store.person_by_id(app, link.app_user_id).await? {
        let made = if link.is_open() { store.complete_link(app, &person.user, link, by).await? } else { None };
        let done = match made {
            Some(done) => Some(done),
            None => ended(store, app, link, LinkState::Done, by).await?,
        };
        if let Some(done) = done {
            return Ok(completed(app, &person, &done, done.taken_from.as_ref(), now));
        }
        if seen.replace(person.user.id) == Some(person.user.id) {
            break;
        }
    }
    Ok(Vec::new())
}

/// Of a client that became the person's.
fn completed(app: AppId, person: &Person, link: &Link, taken_from: Option<&MatchResult>, now: Timestamp) -> Vec<Event> {
    let client = Client { status: ClientStatus::Active, ..link.client.clone() };
    let who = Who::of(person).started().by(&client, !client.secondary);
    let cause = link.id.to_string();
    let removed = taken_from.map(|old| Event::client_removed(app, Who::at(old), &cause, "theft", now));
    let added = Event::client_added(app, who.clone(), &cause, now);
    removed.into_iter().chain([added, Event::link(app, who, link, LinkStep::Success, now)]).collect()
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
    match ended(store, app, link, LinkState::Failed, by).await? {
        Some(_) => told(store, app, link, LinkStep::Failure(failure.clone()), now).await,
        None => Ok(Vec::new()),
    }
}

/// This very link, if it came to that end by the same hand.
async fn ended(
    store: &Store,
    app: AppId,
    link: &Link,
    state: LinkState,
    by: Option<&ExternalId>,
) -> Result<Option<Link>, StoreError> {
    let at = AddressPartition::new(app, link.client.integration_id, &link.client.external_id);
    let now = store.link_of(&at, link.id).await?;
    Ok(now.filter(|now| now.state == state && now.ended_by.as_ref() == by))
}

async fn told(
    store: &Store,
    app: AppId,
    link: &Link,
    step: LinkStep,
    now: Timestamp,
) -> Result<Vec<Event>, StoreError> {
    let person = store.person_by_id(app, link.app_user_id).await?;
    let who = person.map(|person| Who::of(&person).by(&link.client, false));
    Ok(who.map(|who| Event::link(app, who, link, step, now)).into_iter().collect())
}
