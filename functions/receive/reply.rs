//! A reply: kept as messages, once, and told to the business with what it had sent.

use shared::batch::Later;
use shared::channels::{Reply, ReplyPart};
use shared::conversation::mask;
use shared::erasure::Walk;
use shared::ids::{AppId, MessageId};
use shared::linking;
use shared::model::{AppSettings, AppUser, MediaType, MessageWire, Person, SendRecord, SourceWire, Timestamp};
use shared::queue::QueueError;
use shared::sending::report;
use shared::store::keys::AddressPartition;
use shared::store::{MatchItem, NewClient, ReplyOutcome, ReplyWrite, Store, StoreError, StoredMessage};
use shared::tasks::Work;
use shared::telemetry::{Metric, Outcome};
use shared::webhook::{Event, InboundSource, Who};

use crate::context::{Context, Source};

/// As many messages share a moment: a page of the history ends between moments, and has to end.
const A_MOMENTS: u16 = 16;

pub struct Heard {
    pub source: Source,
    pub reply: Reply,
    pub received: Timestamp,
    /// How many messages of the same callback stand before it.
    pub place: u16,
    pub redelivered: bool,
}

pub async fn receive(context: &Context, heard: Heard) -> Result<Vec<Event>, Later> {
    let (store, app) = (&context.store, heard.source.app_id);
    let Some(settings) = settings(store, app).await? else {
        tracing::info!(appId = %app, "a reply to an app that is deleted ends here");
        return Ok(Vec::new());
    };
    let partition = AddressPartition::new(app, heard.source.integration_id, &heard.reply.from);
    let mut events = linking::answered(store, app, &partition, &heard.reply, heard.redelivered, heard.received).await?;
    let (person, Person { user, clients, .. }) = find_or_create(context, &heard, &partition).await?;
    let said = |received| messages(&heard, received, &person, &user, &settings);
    let messages = said(heard.received);
    let stored: Vec<_> = messages.iter().cloned().map(|message| StoredMessage::new(message, &settings)).collect();
    let write = ReplyWrite {
        app,
        partition: &partition,
        person: &person,
        clients: &clients,
        user: &user,
        external_id: &heard.reply.external_id,
        messages: &stored,
        raw: &heard.reply.raw,
        received: heard.received,
    };
    match store.keep_reply(&write).await? {
        ReplyOutcome::Kept(recent) => {
            log(&heard, &user, Metric::ReplyReceived, recent.len());
            events.extend(told(&heard, &person, &messages, &recent));
            Ok(events)
        }
        // Its first reading may have died before it could publish; a carrier's own repeat says nothing new.
        ReplyOutcome::Known { received, recent } if heard.redelivered => {
            events.extend(told(&heard, &person, &said(received), &recent));
            Ok(events)
        }
        ReplyOutcome::Known { recent, .. } => {
            log(&heard, &user, Metric::ReplyRepeated, recent.len());
            Ok(Vec::new())
        }
        ReplyOutcome::Moved => Err(Later::because("the address changed hands in this moment").after(1)),
    }
}

/// The app's, as long as there is one.
async fn settings(store: &Store, app: AppId) -> Result<Option<AppSettings>, StoreError> {
    let found = match store.app(app).await? {
        Some(found) => Some(found),
        None => store.app_now(app).await?,
    };
    Ok(found.map(|app| app.settings))
}

/// Whose the address is, or who comes into being by writing from it.
async fn find_or_create(
    context: &Context,
    heard: &Heard,
    partition: &AddressPartition,
) -> Result<(MatchItem, Person), Later> {
    let (store, app) = (&context.store, heard.source.app_id);
    if let Some(found) = store.find_match(partition).await? {
        match store.person_by_id(app, found.result.app_user_id).await? {
            Some(person) => return Ok((found, person)),
            // Deleted; the erasure may not have come to this address yet.
            None => store.release_address(partition, found.result.app_user_id).await?,
        }
    }
    if store.integration_type(app, heard.source.integration_id).await?.is_none() {
        leaves_again(context, heard.source).await?;
    }
    let new = NewClient {
        app,
        integration: heard.source.integration_id,
        channel: heard.source.channel,
        address: &heard.reply.from,
        display_name: heard.reply.display_name.as_deref(),
        started_by: Some(&heard.reply.external_id),
        now: heard.received,
    };
    let created = store.create_match(new).await?;
    let person = store.person_by_id(app, created.result.app_user_id).await?;
    Ok((created, person.ok_or_else(|| Later::because("the person is deleted in this moment").after(1))?))
}

/// Whoever comes to be on an integration that was deleted goes as those went who were there before. The task comes before
/// what it takes away, and waits for it.
async fn leaves_again(context: &Context, source: Source) -> Result<(), QueueError> {
    let work = Work::EraseIntegration { integration: source.integration_id, walk: Walk::default() };
    context.upkeep.in_a_minute(source.app_id, work).await
}

/// The reply as v1.1's messages. Their ids are derived: the same task twice is the same messages.
fn messages(
    heard: &Heard,
    received: Timestamp,
    person: &MatchItem,
    user: &AppUser,
    settings: &AppSettings,
) -> Vec<MessageWire> {
    let reply = &heard.reply;
    let integration = heard.source.integration_id;
    let name = user.full_name().or_else(|| person.result.client.display_name.clone());
    let wire = |(index, part): (usize, &ReplyPart)| {
        let place = heard.place.saturating_add(u16::try_from(index).unwrap_or(u16::MAX));
        let at = Timestamp::from_millis(received.millis() + i64::from(place / A_MOMENTS));
        let parts: [&[u8]; 3] = [integration.as_bytes(), reply.external_id.0.as_bytes(), &index.to_be_bytes()];
        let message = MessageWire {
            id: Some(MessageId::in_order(at, place, &parts)),
            role: Some("appUser".into()),
            name: name.clone(),
            author_id: Some(user.id.to_string()),
            received: Some(at),
            source: Some(SourceWire {
                kind: heard.source.channel.as_str().into(),
                integration_id: Some(integration),
                original_message_id: Some(reply.external_id.0.clone()),
                original_message_timestamp: reply.sent,
            }),
            ..content(part)
        };
        mask::heard(message, settings)
    };
    reply.parts.iter().enumerate().map(wire).collect()
}

fn content(part: &ReplyPart) -> MessageWire {
    match part {
        ReplyPart::Text(text) => {
            MessageWire { kind: Some("text".into()), text: Some(text.clone()), ..MessageWire::default() }
        }
        ReplyPart::Media { url, media_type, text } => {
            let kind = media_type.as_deref().map(MediaType::parse).or_else(|| MediaType::of_url(url));
            let media_type = media_type.clone().or_else(|| kind.as_ref().map(ToString::to_string));
            MessageWire {
                kind: Some(if kind.is_some_and(|kind| kind.is_picture()) { "image" } else { "file" }.into()),
                text: Some(text.clone().unwrap_or_else(|| " ".into())),
                media_url: Some(url.clone()),
                media_type,
                ..MessageWire::default()
            }
        }
    }
}

/// `message:appUser`, and before it `conversation:start` if this reply is how the person became known.
fn told(heard: &Heard, person: &MatchItem, messages: &[MessageWire], recent: &[SendRecord]) -> Vec<Event> {
    let app = heard.source.app_id;
    let mut result = person.result.clone();
    result.client.last_seen = Some(heard.received);
    if !heard.reply.raw.is_empty() {
        result.client.raw.clone_from(&heard.reply.raw);
    }
    let who = Who::at(&result);
    let source = InboundSource {
        channel: heard.source.channel,
        integration_id: heard.source.integration_id,
        external_id: heard.reply.external_id.clone(),
    };
    let is_start = person.started_by.as_ref() == Some(&heard.reply.external_id);
    let start = is_start.then(|| Event::conversation_start(app, who.clone(), &source, heard.received));
    let recent: Vec<_> = recent.iter().map(report::as_message).collect();
    start.into_iter().chain([Event::reply(app, who, &source, messages, &recent, heard.received)]).collect()
}

fn log(heard: &Heard, user: &AppUser, metric: Metric, recent: usize) {
    Outcome::of(metric)
        .with("appId", heard.source.app_id)
        .with("integrationId", heard.source.integration_id)
        .with("appUserId", user.id)
        .with("externalId", &heard.reply.external_id.0)
        .with_number("recentNotifications", recent as i64)
        .log();
}
