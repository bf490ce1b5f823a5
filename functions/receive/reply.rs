//! A reply: kept as messages, once, and told to the business with what it had sent.

use shared::batch::Later;
use shared::channels::{Reply, ReplyPart};
use shared::flow::{mask, report};
use shared::ids::MessageId;
use shared::links::{self, Answered};
use shared::model::{
    AppSettings, AppUser, ChannelType, Integration, MediaType, MessageWire, Person, SendRecord, SourceWire, Timestamp,
};
use shared::store::keys::AddressPartition;
use shared::store::{MatchItem, NewClient, ReplyOutcome, ReplyWrite, Store, StoredMessage};
use shared::telemetry::{Metric, Outcome};
use shared::webhook::{Event, Said, Who};

pub struct Heard<'a> {
    pub integration: &'a Integration,
    pub channel: ChannelType,
    pub reply: Reply,
    pub received: Timestamp,
    pub redelivered: bool,
}

pub async fn receive(store: &Store, heard: Heard<'_>) -> Result<Vec<Event>, Later> {
    let app = heard.integration.app_id;
    let partition = AddressPartition::new(app, heard.integration.id, &heard.reply.from);
    let mut events = match links::answered(store, app, &partition, &heard.reply, heard.received).await? {
        Answered::Message(events) => events,
        Answered::Consumed(events) => return Ok(events),
    };
    let (person, Person { user, clients, .. }) = find_or_create(store, &heard, &partition).await?;
    let settings = store.app(app).await?.map(|app| app.settings).unwrap_or_default();
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

/// Whose the address is, or who comes into being by writing from it.
async fn find_or_create(
    store: &Store,
    heard: &Heard<'_>,
    partition: &AddressPartition,
) -> Result<(MatchItem, Person), Later> {
    let app = heard.integration.app_id;
    if let Some(found) = store.find_match(partition, true).await? {
        match store.person_by_id(app, found.result.app_user_id).await? {
            Some(person) => return Ok((found, person)),
            // Deleted; the erasure may not have come to this address yet.
            None => store.release_address(partition, found.result.app_user_id).await?,
        }
    }
    let new = NewClient {
        app,
        integration: heard.integration.id,
        channel: heard.channel,
        address: &heard.reply.from,
        display_name: heard.reply.display_name.as_deref(),
        started_by: Some(&heard.reply.external_id),
        now: heard.received,
    };
    let created = store.create_match(new).await?;
    let person = store.person_by_id(app, created.result.app_user_id).await?;
    Ok((created, person.ok_or_else(|| Later::because("the person is deleted in this moment").after(1))?))
}

/// The reply as v1.1's messages. Their ids are derived: the same task twice is the same messages.
fn messages(
    heard: &Heard<'_>,
    received: Timestamp,
    person: &MatchItem,
    user: &AppUser,
    settings: &AppSettings,
) -> Vec<MessageWire> {
    let reply = &heard.reply;
    let integration = heard.integration;
    let name = user.full_name().or_else(|| person.result.client.display_name.clone());
    let wire = |(index, part): (usize, &ReplyPart)| {
        let index = [u8::try_from(index).unwrap_or(u8::MAX)];
        let parts: [&[u8]; 3] = [integration.id.as_bytes(), reply.external_id.0.as_bytes(), &index];
        let message = MessageWire {
            id: Some(MessageId::at(received, &parts)),
            role: Some("appUser".into()),
            name: name.clone(),
            author_id: Some(user.id.to_string()),
            received: Some(received),
            source: Some(SourceWire {
                kind: heard.channel.as_str().into(),
                integration_id: Some(integration.id),
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
            MessageWire {
                kind: Some(if kind.is_some_and(|kind| kind.is_picture()) { "image" } else { "file" }.into()),
                text: Some(text.clone().unwrap_or_else(|| " ".into())),
                media_url: Some(url.clone()),
                media_type: media_type.clone(),
                ..MessageWire::default()
            }
        }
    }
}

/// `message:appUser`, and before it `conversation:start` if this reply is how the person became known.
fn told(heard: &Heard<'_>, person: &MatchItem, messages: &[MessageWire], recent: &[SendRecord]) -> Vec<Event> {
    let app = heard.integration.app_id;
    let mut result = person.result.clone();
    result.client.last_seen = Some(heard.received);
    if !heard.reply.raw.is_empty() {
        result.client.raw.clone_from(&heard.reply.raw);
    }
    let who = Who::at(&result);
    let said = Said {
        channel: heard.channel,
        integration_id: heard.integration.id,
        external_id: heard.reply.external_id.clone(),
    };
    let is_start = person.started_by.as_ref() == Some(&heard.reply.external_id);
    let start = is_start.then(|| Event::conversation_start(app, who.clone(), &said, heard.received));
    let recent: Vec<_> = recent.iter().map(report::as_message).collect();
    start.into_iter().chain([Event::reply(app, who, &said, messages, &recent, heard.received)]).collect()
}

fn log(heard: &Heard<'_>, user: &AppUser, metric: Metric, recent: usize) {
    Outcome::of(metric)
        .with("appId", heard.integration.app_id)
        .with("integrationId", heard.integration.id)
        .with("appUserId", user.id)
        .with("externalId", &heard.reply.external_id.0)
        .with_number("recentNotifications", recent as i64)
        .log();
}
