//! A conversation: its counters, and its messages in time order.
//!
//! Messages and counters change together. The history is read across the person's own conversation, those of people who
//! were merged into them, and the notifications of their addresses: one query for each, however long the history is.

use serde::{Deserialize, Serialize};

use super::keys::{self, AddressPartition, Key};
use super::transaction::{Change, Outcome, TRIES, Transaction, back_off};
use super::{Range, Store, StoreError};
use crate::flow::page::{self, Source};
use crate::flow::report;
use crate::ids::{AppId, ConversationId, MessageId};
use crate::model::{AppSettings, AppUser, MessageWire, Person, SendRecord, Subject, Timestamp};

pub use crate::flow::page::{History, Stretch};

/// v1.1 reference, section 11.
const MESSAGE_LIMIT: i64 = 30_000;

/// A message as it is kept: v1.1's object, under a key that sorts by time.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct StoredMessage {
    pub message: MessageWire,
    /// Where the app keeps messages for a time only.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ttl: Option<i64>,
}

impl StoredMessage {
    /// To be kept as long as the app's settings say.
    pub fn new(message: MessageWire, settings: &AppSettings) -> Self {
        let kept = settings.conversation_retention_seconds.map(i64::from);
        let ttl = message.received.zip(kept).map(|(received, kept)| received.seconds() + kept);
        Self { message, ttl }
    }

    /// Where it lies. A message without id or time, which none of ours is, has no place.
    pub(super) fn key(&self, app: AppId, conversation: ConversationId) -> Option<Key> {
        let received: Timestamp = self.message.received?;
        Some(keys::message(app, conversation, received, self.message.id?))
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
}

/// Who wrote.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Side {
    AppMaker,
    AppUser,
}

/// A message that is no more, and the file that it may have shown.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Deleted {
    pub media_url: Option<String>,
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
        Ok(self.get_consistent("conversation", &keys::conversation(app, id)).await?.unwrap_or_default())
    }

    /// Keeps messages and counts them. All of one request, or none.
    pub async fn post(
        &self,
        app: AppId,
        user: &AppUser,
        side: Side,
        messages: &[StoredMessage],
        now: Timestamp,
    ) -> Result<Posted, StoreError> {
        for attempt in 0..TRIES {
            let count = counted(app, user.conversation_id, side, messages.len(), now)
                .when("attribute_not_exists(messageCount) OR messageCount <= :room");
            let room = MESSAGE_LIMIT - i64::try_from(messages.len()).unwrap_or(MESSAGE_LIMIT);
            let mut writes = Transaction::new().update(self, count.value(":room", &room));
            writes = writes.update(self, self.start_conversation(app, user.id));
            for message in messages {
                let key = message.key(app, user.conversation_id).ok_or(StoreError::Unreadable("message"))?;
                writes = writes.put_absent(self, &key, message);
            }
            match writes.commit(self).await? {
                Outcome::Done => return Ok(Posted::Done(self.conversation(app, user.conversation_id).await?)),
                Outcome::Refused(items) if items.contains(&0) => return Ok(Posted::Full),
                Outcome::Refused(items) if items.contains(&1) => return Ok(Posted::Gone),
                // A message of that very id is there: an answer of ours was lost, and this is its repeat.
                Outcome::Refused(_) => {
                    return Ok(Posted::Done(self.conversation(app, user.conversation_id).await?));
                }
                Outcome::Collided => back_off(attempt).await,
            }
        }
        Err(StoreError::Contended)
    }

    /// Moves a side's read mark; the person's own reading sets the unread count to nought.
    pub async fn mark_read(
        &self,
        app: AppId,
        id: ConversationId,
        side: Side,
        now: Timestamp,
    ) -> Result<Conversation, StoreError> {
        let key = keys::conversation(app, id);
        let change = match side {
            Side::AppMaker => Change::of(&key, "SET appMakerLastRead = :now"),
            Side::AppUser => Change::of(&key, "SET appUserLastRead = :now, unreadCount = :nought").value(":nought", &0),
        };
        Ok(self.change("conversation", change.value(":now", &now)).await?.unwrap_or_default())
    }

    /// Hides all messages up to now. Their items are taken away later, by whoever cleans up.
    pub async fn clear_messages(&self, app: AppId, id: ConversationId, now: Timestamp) -> Result<(), StoreError> {
        let change = Change::of(
            &keys::conversation(app, id),
            "SET cleared = :now, messageCount = :nought, unreadCount = :nought",
        );
        self.change::<Conversation>("conversation", change.value(":now", &now).value(":nought", &0)).await?;
        Ok(())
    }

    /// A stretch of the person's history.
    pub async fn history(
        &self,
        app: AppId,
        person: &Person,
        cleared: Option<Timestamp>,
        stretch: Stretch,
    ) -> Result<History, StoreError> {
        let (from, to) = page::bounds(stretch, cleared);
        let newest_first = stretch.newest_first();
        let messages = person.user.conversations().into_iter().map(|conversation| async move {
            let pk = keys::conversation_partition(app, conversation);
            let found = self.stretch::<StoredMessage>("message", &pk, "MESSAGE", from, to, newest_first).await?;
            Ok::<_, StoreError>(Source::of(found, |stored| stored.message.received, |stored| Some(stored.message)))
        });
        let notifications = person.clients.iter().map(|client| async move {
            let pk = AddressPartition::new(app, client.integration_id, &client.external_id).pk;
            let found = self.stretch::<SendRecord>("send record", &pk, "NOTIFICATION", from, to, newest_first).await?;
            let shown = |record: SendRecord| record.is_history().then(|| report::as_message(&record));
            Ok(Source::of(found, |record| Some(record.accepted), shown))
        });
        let (messages, notifications) =
            tokio::try_join!(futures::future::try_join_all(messages), futures::future::try_join_all(notifications))?;
        Ok(page::merge(stretch, messages.into_iter().chain(notifications).collect()))
    }

    async fn stretch<T: serde::de::DeserializeOwned>(
        &self,
        kind: &'static str,
        pk: &str,
        prefix: &str,
        from: Timestamp,
        to: Timestamp,
        newest_first: bool,
    ) -> Result<Vec<T>, StoreError> {
        let (from, to) = keys::between(prefix, from, to);
        let range =
            Range { pk, from: &from, to: &to, newest_first, consistent: true, limit: page::SOURCE_LIMIT as i32 };
        self.query(kind, range).await
    }

    /// The messages of one moment of the person's history, notifications aside.
    pub async fn messages_of(&self, app: AppId, user: &AppUser, at: Timestamp) -> Result<Vec<MessageWire>, StoreError> {
        let mut messages = Vec::new();
        for conversation in user.conversations() {
            let pk = keys::conversation_partition(app, conversation);
            let found = self.stretch::<StoredMessage>("message", &pk, "MESSAGE", at, at, true).await?;
            messages.extend(found.into_iter().map(|stored| stored.message));
        }
        Ok(messages)
    }

    /// Deletes one message of the person's history. `None`: there is none of that id.
    pub async fn delete_message(
        &self,
        app: AppId,
        person: &Person,
        id: MessageId,
    ) -> Result<Option<Deleted>, StoreError> {
        for conversation in person.user.conversations() {
            let key = keys::message(app, conversation, id.moment(), id);
            if let Some(stored) = self.take::<StoredMessage>("message", &key).await? {
                return Ok(Some(Deleted { media_url: stored.message.media_url }));
            }
        }
        for client in &person.clients {
            let partition = AddressPartition::new(app, client.integration_id, &client.external_id);
            let at = id.moment();
            let found = self.stretch::<SendRecord>("send record", &partition.pk, "NOTIFICATION", at, at, true).await?;
            let named = found.into_iter().find(|record| report::message_id(record) == id && record.is_history());
            if let Some(Subject::Notification(notification)) = named.map(|record| record.subject) {
                let key = partition.send(at, Subject::Notification(notification));
                let hide = Change::of(&key, "SET #hidden = :yes")
                    .when("attribute_exists(pk)")
                    .name("#hidden", "hidden")
                    .value(":yes", &true);
                let hidden = self.change::<SendRecord>("send record", hide).await?;
                return Ok(hidden.map(|record| Deleted { media_url: record.message.media_url }));
            }
        }
        Ok(None)
    }
}

/// The change of a conversation's counters by so many messages of one side.
pub(super) fn counted(app: AppId, id: ConversationId, side: Side, messages: usize, now: Timestamp) -> Change {
    let key = keys::conversation(app, id);
    let change = match side {
        Side::AppMaker => Change::of(&key, "SET appMakerLastRead = :now ADD messageCount :count, unreadCount :count"),
        Side::AppUser => Change::of(&key, "SET appUserLastRead = :now, unreadCount = :nought ADD messageCount :count")
            .value(":nought", &0),
    };
    change.value(":now", &now).value(":count", &messages)
}
