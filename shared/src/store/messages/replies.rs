//! A person's reply: kept once, with the notifications it answers marked as given.
//!
//! One transaction writes the reply's marker (which makes the same callback twice one message), its messages, the
//! marks on the notifications, and what the channel told of the person. Two replies at once cannot be given the same
//! notification: one of the transactions is cancelled, and tried again over what the other left.
//!
//! Of a reply with more messages than a transaction has room for, the rest follows in transactions of its own; whoever
//! dies before the last of them is made finds the marker, and makes it up.

use serde::{Deserialize, Serialize};

use super::counting::{Late, counted_reply};
use crate::ids::AppId;
use crate::model::{AppUser, Client, ExternalId, RETENTION_DAYS, SendRecord, Timestamp};
use crate::sending::recent;
use crate::store::people::matches::MatchItem;
use crate::store::table::keys::{AddressPartition, Key};
use crate::store::table::seconds_from;
use crate::store::table::transaction::{Change, ITEMS_LIMIT, Outcome, TRIES, Transaction, back_off};
use crate::store::{Store, StoreError, StoredMessage};

#[derive(Serialize, Deserialize)]
struct ReplyItem {
    received: Timestamp,
    ttl: i64,
}

/// A reply to be kept.
pub struct ReplyWrite<'a> {
    pub app: AppId,
    pub partition: &'a AddressPartition,
    pub person: &'a MatchItem,
    /// All that the person is reached by: what they were sent on any of it is what they answer.
    pub clients: &'a [Client],
    pub user: &'a AppUser,
    pub external_id: &'a ExternalId,
    pub messages: &'a [StoredMessage],
    pub raw: &'a serde_json::Map<String, serde_json::Value>,
    pub received: Timestamp,
}

/// What keeping it came to, with the notifications it answers, oldest first.
#[derive(Debug, Clone, PartialEq)]
pub enum ReplyOutcome {
    Kept(Vec<SendRecord>),
    /// The same reply was kept before, as received then; these were given to it.
    Known {
        received: Timestamp,
        recent: Vec<SendRecord>,
    },
    /// The address changed hands in this moment.
    Moved,
}

impl Store {
    pub async fn keep_reply(&self, write: &ReplyWrite<'_>) -> Result<ReplyOutcome, StoreError> {
        let mut late = None;
        for attempt in 0..TRIES {
            let marker = self.get_consistent::<ReplyItem>("reply", &write.partition.reply(write.external_id)).await?;
            if let Some(ReplyItem { received, .. }) = marker {
                let recent = recent::given_to(self.recent(write, None).await?, write.external_id);
                if received == write.received {
                    self.keep_rest(write, LEAST_ROOM).await?;
                }
                return Ok(ReplyOutcome::Known { received, recent });
            }
            let records = self.recent(write, write.last_reply()).await?;
            let given = recent::to_give(records, write.user);
            match self.try_keep(write, &given, late).await? {
                Outcome::Done => {
                    self.keep_rest(write, room(&given)).await?;
                    return Ok(ReplyOutcome::Kept(given));
                }
                // The address has another owner by now, or none: read anew who wrote.
                Outcome::Refused(items) if items.contains(&1) => return Ok(ReplyOutcome::Moved),
                // More happened since they wrote.
                Outcome::Refused(items) if items.contains(&2) => {
                    late = Some(self.since(write.app, write.person.result.conversation_id, write.received).await?);
                }
                Outcome::Refused(_) | Outcome::Collided => back_off(attempt).await,
            }
        }
        Err(StoreError::Contended)
    }

    /// What the person was sent on any of their clients since a moment.
    async fn recent(&self, write: &ReplyWrite<'_>, last: Option<Timestamp>) -> Result<Vec<SendRecord>, StoreError> {
        let since = recent::window_start(last, write.received);
        let partitions = write.partitions();
        let queries =
            partitions.iter().map(|partition| self.notifications_since(partition, since, recent::LIMIT as i32));
        Ok(futures::future::try_join_all(queries).await?.concat())
    }

    async fn try_keep(
        &self,
        write: &ReplyWrite<'_>,
        given: &[SendRecord],
        late: Option<Late>,
    ) -> Result<Outcome, StoreError> {
        let marker = ReplyItem { received: write.received, ttl: seconds_from(write.received, RETENTION_DAYS) };
        let conversation = write.person.result.conversation_id;
        let mut writes = Transaction::new()
            .put_absent(self, &write.partition.reply(write.external_id), &marker)
            .update(self, seen(write))
            .update(self, counted_reply(write.app, conversation, write.messages.len(), write.received, late));
        for (key, message) in write.keyed()?.into_iter().take(room(given)) {
            writes = writes.put(self, &key, message);
        }
        for record in given {
            writes = writes.update(self, mark_given(write, record));
        }
        writes.commit(self).await
    }

    /// Messages behind the first so many. Nothing of somebody whose address it is no more.
    async fn keep_rest(&self, write: &ReplyWrite<'_>, first: usize) -> Result<(), StoreError> {
        let theirs = Change::of(&write.partition.match_result(), "")
            .when("appUserId = :user")
            .value(":user", &write.person.result.app_user_id);
        for some in write.keyed()?.get(first..).unwrap_or_default().chunks(ITEMS_LIMIT - 1) {
            let start = || Transaction::new().check(self, theirs.clone());
            self.commit(|| some.iter().fold(start(), |writes, (key, message)| writes.put(self, key, message))).await?;
        }
        Ok(())
    }
}

/// How many messages go with the marker, the person, the counters, and the marks on what is given.
fn room(given: &[SendRecord]) -> usize {
    ITEMS_LIMIT.saturating_sub(3 + given.len())
}

/// The same beside as many marks as there can be.
const LEAST_ROOM: usize = ITEMS_LIMIT - 3 - recent::LIMIT;

impl ReplyWrite<'_> {
    fn partitions(&self) -> Vec<AddressPartition> {
        let others = self.clients.iter().map(|client| at(self.app, client)).filter(|other| other != self.partition);
        [self.partition.clone()].into_iter().chain(others).collect()
    }

    fn keyed(&self) -> Result<Vec<(Key, &StoredMessage)>, StoreError> {
        let conversation = self.person.result.conversation_id;
        let keyed = |message: &'_ StoredMessage| message.key(self.app, conversation);
        self.messages
            .iter()
            .map(|message| Ok((keyed(message).ok_or(StoreError::Unreadable("message"))?, message)))
            .collect()
    }

    /// When the person last wrote, wherever.
    fn last_reply(&self) -> Option<Timestamp> {
        self.clients.iter().filter_map(|client| client.last_seen).chain(self.person.last_reply).max()
    }
}

fn at(app: AppId, client: &Client) -> AddressPartition {
    AddressPartition::new(app, client.integration_id, &client.external_id)
}

/// The person was here: `lastReply`, `client.lastSeen`, `client.raw`.
fn seen(write: &ReplyWrite<'_>) -> Change {
    let expression = match write.raw.is_empty() {
        true => "SET lastReply = :now, client.lastSeen = :now",
        false => "SET lastReply = :now, client.lastSeen = :now, client.#raw = :raw",
    };
    let change = Change::of(&write.partition.match_result(), expression)
        .when("appUserId = :user")
        .value(":now", &write.received)
        .value(":user", &write.person.result.app_user_id);
    match write.raw.is_empty() {
        true => change,
        false => change.name("#raw", "raw").value(":raw", write.raw),
    }
}

fn mark_given(write: &ReplyWrite<'_>, record: &SendRecord) -> Change {
    let sent_at = record.match_result.as_ref().map(|result| at(write.app, &result.client));
    let key = sent_at.as_ref().unwrap_or(write.partition).send(record.accepted, record.subject);
    Change::of(&key, "SET answeredBy = :reply")
        .when("attribute_exists(pk) AND attribute_not_exists(answeredBy)")
        .value(":reply", write.external_id)
}
