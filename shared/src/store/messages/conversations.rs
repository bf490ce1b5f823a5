//! A conversation: its counters, and its messages in time order.
//!
//! Messages and counters change together. The history is read across the person's own conversation, those of people who
//! were merged into them, and the notifications of their addresses: one query for each, however long the history is.

use futures::future::try_join_all;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use crate::conversation::page::{self, Source};
use crate::ids::{AppId, AppUserId, ConversationId, IntegrationId, MessageId};
use crate::model::{Address, AppSettings, AppUser, Client, MessageWire, Person, Role, SendRecord, Sending, Timestamp};
use crate::outbox::Mark;
use crate::sending::report;
use crate::store::people::users::{here, start_conversation};
use crate::store::table::keys::{self, AddressPartition, Key, Timed};
use crate::store::table::{ItemChange, Label, Query, Transaction, Tries};
use crate::store::{Store, StoreError};

pub use crate::conversation::page::{History, Stretch};

/// Of somebody who was merged often, so many conversations.
const CLEARED_AT_ONCE: usize = 25;

/// docs/REFERENCE.md, 11.
const MESSAGE_LIMIT: i64 = 30_000;

const ROOM: Label = Label("there is room for the messages");
const PERSON: Label = Label("the person is there");
const THERE: Label = Label("the message is there");

/// A message as it is kept: v1.1's object, under a key that sorts by time.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct StoredMessage {
    pub message: MessageWire,
    /// Where the app keeps messages for a time only.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ttl: Option<i64>,
    /// The clients that it goes out to: later messages wait for it there.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub to: Vec<(IntegrationId, Address)>,
}

impl StoredMessage {
    /// To be kept as long as the app's settings say.
    pub fn new(message: MessageWire, settings: &AppSettings) -> Self {
        let kept = settings.conversation_retention_seconds.map(i64::from);
        let ttl = message.received.zip(kept).map(|(received, kept)| received.seconds() + kept);
        Self { message, ttl, to: Vec::new() }
    }

    #[must_use]
    pub fn to(self, clients: &[&Client]) -> Self {
        let to = clients.iter().map(|client| (client.integration_id, client.external_id.clone())).collect();
        Self { to, ..self }
    }

    /// Whether it goes to the client that this is sent to.
    pub fn goes_where(&self, sending: &Sending) -> bool {
        self.to.iter().any(|(integration, at)| (*integration, at) == (sending.integration_id, &sending.address))
    }

    /// Where it lies. A message without id or time, which none of ours is, has no place.
    pub(in crate::store) fn key(&self, app: AppId, conversation: ConversationId) -> Result<Key, StoreError> {
        let (id, received) = self.message.id.zip(self.message.received).ok_or(StoreError::Placeless)?;
        Ok(keys::message(app, conversation, received, id))
    }
}

/// Counters and read marks.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Conversation {
    pub message_count: i64,
    /// What the person has not read of the business's messages.
    pub unread_count: i64,
    pub app_maker_last_read: Option<Timestamp>,
    pub app_user_last_read: Option<Timestamp>,
    /// Messages up to here were deleted, all at once.
    pub cleared: Option<Timestamp>,
    /// When it was full and its messages were counted anew.
    pub recounted: Option<Timestamp>,
}

/// A message of a history: where it lies, and what it shows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FoundMessage {
    place: FoundAt,
    pub media_url: Option<String>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum FoundAt {
    Message {
        key: Key,
        conversation: ConversationId,
        received: Timestamp,
        is_business: bool,
    },
    /// Of a notification, which has an end to tell: it is hidden only.
    Record(Key),
}

/// What posting came to.
#[derive(Debug, Clone, PartialEq)]
pub enum Posted {
    Done(Conversation),
    /// The conversation holds as many messages as it may.
    Full,
    /// The person was deleted meanwhile.
    Gone,
}

impl Store {
    /// The counters; all nought for a conversation in which nothing was posted yet.
    pub async fn conversation(&self, app: AppId, id: ConversationId) -> Result<Conversation, StoreError> {
        Ok(self.table.get(&keys::conversation(app, id)).await?.unwrap_or_default())
    }

    /// Keeps messages, counts them, and leaves the mark of what follows. All of one request, or none.
    pub async fn post(
        &self,
        app: AppId,
        user: &AppUser,
        role: Role,
        messages: &[StoredMessage],
        mark: Mark,
        now: Timestamp,
    ) -> Result<Posted, StoreError> {
        let room = MESSAGE_LIMIT - i64::try_from(messages.len()).unwrap_or(MESSAGE_LIMIT);
        let mut tries = Tries::default();
        loop {
            let count = counted(app, user.conversation_id, role, messages.len(), now)
                .when("attribute_not_exists(#messageCount) OR #messageCount <= :room")
                .value(":room", &room);
            let mut writes = Transaction::new()
                .update(count.labelled(ROOM))
                .update(start_conversation(app, user.id).labelled(PERSON))
                .mark(app, mark);
            for message in messages {
                let place = ItemChange::of(&message.key(app, user.conversation_id)?);
                writes = writes.put(place.when_absent(), message);
            }
            let committed = self.table.commit(writes).await?;
            if committed.is_refused_by(ROOM) {
                let end = messages.iter().any(|message| message.ttl.is_some());
                if !(end && self.recount(app, user, now).await?) {
                    return Ok(Posted::Full);
                }
                tries.again().await?;
            } else if committed.is_refused_by(PERSON) {
                return Ok(Posted::Gone);
            } else {
                // Or a message of that very id is there: an answer of ours was lost, and this is its repeat.
                return Ok(Posted::Done(self.conversation(app, user.conversation_id).await?));
            }
        }
    }

    /// Moves the read mark of whoever read; the person's own reading sets the unread count to nought.
    pub async fn mark_read(
        &self,
        app: AppId,
        user: &AppUser,
        role: Role,
        now: Timestamp,
    ) -> Result<Conversation, StoreError> {
        let key = keys::conversation(app, user.conversation_id);
        let change = match role {
            Role::AppMaker => ItemChange::of(&key).set("appMakerLastRead", &now),
            Role::AppUser => ItemChange::of(&key).set("appUserLastRead", &now).set("unreadCount", &0),
        };
        self.change_conversation(app, user.id, change).await?;
        self.conversation(app, user.conversation_id).await
    }

    /// Hides all messages of conversations up to a moment. Their items are taken away later, by whoever cleans up. Nothing
    /// happens to a conversation that was cleared up to then before.
    pub async fn clear_messages(
        &self,
        app: AppId,
        user: AppUserId,
        conversations: &[ConversationId],
        until: Timestamp,
    ) -> Result<(), StoreError> {
        for ids in conversations.chunks(CLEARED_AT_ONCE) {
            try_join_all(ids.iter().map(|id| self.clear_conversation(app, user, *id, until))).await?;
        }
        Ok(())
    }

    async fn clear_conversation(
        &self,
        app: AppId,
        user: AppUserId,
        id: ConversationId,
        until: Timestamp,
    ) -> Result<(), StoreError> {
        let change = ItemChange::of(&keys::conversation(app, id))
            .set("cleared", &until)
            .set("messageCount", &0)
            .set("unreadCount", &0)
            .when("attribute_not_exists(#cleared) OR #cleared < :until")
            .value(":until", &until);
        self.change_conversation(app, user, change).await
    }

    /// Only while the person is there: nothing is made anew of a conversation that was erased.
    async fn change_conversation(&self, app: AppId, user: AppUserId, change: ItemChange) -> Result<(), StoreError> {
        self.table.commit(Transaction::new().update(change).check(here(app, user))).await?;
        Ok(())
    }

    /// A stretch of the person's history. `own`: their own conversation; of others, each is read for when it was cleared.
    pub async fn history(
        &self,
        app: AppId,
        person: &Person,
        own: &Conversation,
        stretch: Stretch,
    ) -> Result<History, StoreError> {
        let newest_first = stretch.newest_first();
        let messages = person.user.conversations().into_iter().map(|id| async move {
            let cleared = match id == person.user.conversation_id {
                true => own.cleared,
                false => self.conversation(app, id).await?.cleared,
            };
            let (from, to) = page::bounds(stretch, cleared);
            let pk = keys::conversation_partition(app, id);
            let found = self.stretch::<StoredMessage>(&pk, Timed::Message, from, to, newest_first).await?;
            Ok::<_, StoreError>(Source::of(found, |stored| stored.message.received, |stored| Some(stored.message)))
        });
        let (from, to) = page::bounds(stretch, own.cleared);
        let notifications = person.clients.iter().map(|client| async move {
            let pk = AddressPartition::new(app, client.integration_id, &client.external_id).pk;
            let found = self.stretch::<SendRecord>(&pk, Timed::Notification, from, to, newest_first).await?;
            let shown = |record: SendRecord| record.is_history_of(&person.user).then(|| report::as_message(&record));
            Ok(Source::of(found, |record| Some(record.accepted), shown))
        });
        let (messages, notifications) = tokio::try_join!(try_join_all(messages), try_join_all(notifications))?;
        Ok(page::merge(stretch, messages.into_iter().chain(notifications).collect()))
    }

    pub(in crate::store) async fn stretch<T: DeserializeOwned>(
        &self,
        pk: &str,
        what: Timed,
        from: Timestamp,
        to: Timestamp,
        newest_first: bool,
    ) -> Result<Vec<T>, StoreError> {
        if from > to {
            return Ok(Vec::new());
        }
        let stretch = Query::of(pk).between(what.between(from, to)).in_order(newest_first);
        self.table.query(stretch.at_most(page::SOURCE_LIMIT)).await
    }

    /// The messages of one moment of the person's history, notifications aside.
    pub async fn messages_of(&self, app: AppId, user: &AppUser, at: Timestamp) -> Result<Vec<MessageWire>, StoreError> {
        let mut messages = Vec::new();
        for conversation in user.conversations() {
            let pk = keys::conversation_partition(app, conversation);
            let found = self.stretch::<StoredMessage>(&pk, Timed::Message, at, at, true).await?;
            messages.extend(found.into_iter().map(|stored| stored.message));
        }
        Ok(messages)
    }

    /// Where one message of the person's history lies.
    pub async fn find_message(
        &self,
        app: AppId,
        person: &Person,
        id: MessageId,
    ) -> Result<Option<FoundMessage>, StoreError> {
        for conversation in person.user.conversations() {
            let key = keys::message(app, conversation, id.moment(), id);
            if let Some(stored) = self.table.get::<StoredMessage>(&key).await? {
                let is_business = stored.message.role.as_deref() == Some("appMaker");
                let place = FoundAt::Message { key, conversation, received: id.moment(), is_business };
                return Ok(Some(FoundMessage { place, media_url: stored.message.media_url }));
            }
        }
        for client in &person.clients {
            let partition = AddressPartition::new(app, client.integration_id, &client.external_id);
            let at = id.moment();
            let found = self.stretch::<SendRecord>(&partition.pk, Timed::Notification, at, at, true).await?;
            let named =
                found.into_iter().find(|record| report::message_id(record) == id && record.is_history_of(&person.user));
            if let Some(record) = named {
                let place = FoundAt::Record(partition.send(at, record.subject));
                return Ok(Some(FoundMessage { place, media_url: record.message.media_url }));
            }
        }
        Ok(None)
    }

    /// Deletes a message that was found in the person's history. It may be gone already.
    pub async fn delete_message(&self, app: AppId, user: &AppUser, found: &FoundMessage) -> Result<(), StoreError> {
        match &found.place {
            FoundAt::Message { key, conversation, received, is_business } => {
                let is_read = !is_business || self.was_read(app, user, *conversation, *received).await?;
                for unread in if is_read { &[false][..] } else { &[true, false] } {
                    let there = ItemChange::of(key).when_there().labelled(THERE);
                    let less = counted_off(app, user.conversation_id, *received, *unread);
                    let committed = self.table.commit(Transaction::new().delete(there).update(less)).await?;
                    if committed.is_done() || committed.is_refused_by(THERE) {
                        return Ok(());
                    }
                }
                // It is not among those that are counted.
                self.table.delete(key).await
            }
            FoundAt::Record(key) => {
                self.table.update(ItemChange::of(key).set("hidden", &true).when_there()).await?;
                Ok(())
            }
        }
    }
}

/// One message less, if it is counted: those of a history that was cleared are not. And one less that is unread, if it is.
fn counted_off(app: AppId, id: ConversationId, received: Timestamp, unread: bool) -> ItemChange {
    let counted = ItemChange::of(&keys::conversation(app, id))
        .add("messageCount", -1)
        .when("#messageCount > :nought")
        .when("attribute_not_exists(#cleared) OR #cleared < :received")
        .value(":nought", &0)
        .value(":received", &received);
    match unread {
        true => counted
            .add("unreadCount", -1)
            .when("#unreadCount > :nought")
            .when("attribute_not_exists(#appUserLastRead) OR #appUserLastRead < :received"),
        false => counted,
    }
}

/// The change of a conversation's counters by so many messages that one of the two wrote.
fn counted(app: AppId, id: ConversationId, role: Role, messages: usize, now: Timestamp) -> ItemChange {
    let change = ItemChange::of(&keys::conversation(app, id)).add("messageCount", messages);
    match role {
        Role::AppMaker => change.set("appMakerLastRead", &now).add("unreadCount", messages),
        Role::AppUser => change.set("appUserLastRead", &now).set("unreadCount", &0),
    }
}
