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
use crate::store::table::transaction::ITEMS_LIMIT;
use crate::store::table::{Committed, ItemChange, Label, Transaction, Tries};
use crate::store::{Store, StoreError, StoredMessage};

const OWNER: Label = Label("the address is the person's");
const NOTHING_SINCE: Label = Label("nothing happened since they wrote");

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
        let mut tries = Tries::default();
        loop {
            let marker: Option<ReplyItem> = self.table.get(&write.partition.reply(write.external_id)).await?;
            if let Some(ReplyItem { received, .. }) = marker {
                let recent = recent::given_to(self.recent(write, None).await?, write.external_id);
                if received == write.received {
                    self.keep_rest(write, LEAST_ROOM).await?;
                }
                return Ok(ReplyOutcome::Known { received, recent });
            }
            let records = self.recent(write, write.last_reply()).await?;
            let given = recent::to_give(records, write.user);
            match self.table.commit(keeping(write, &given, late)?).await? {
                Committed::Done => {
                    self.keep_rest(write, room(&given)).await?;
                    return Ok(ReplyOutcome::Kept(given));
                }
                // The address has another owner by now, or none: read anew who wrote.
                refused if refused.is_refused_by(OWNER) => return Ok(ReplyOutcome::Moved),
                refused if refused.is_refused_by(NOTHING_SINCE) => {
                    late = Some(self.since(write.app, write.person.result.conversation_id, write.received).await?);
                }
                Committed::Refused(_) => {}
            }
            tries.again().await?;
        }
    }

    /// What the person was sent on any of their clients since a moment.
    async fn recent(&self, write: &ReplyWrite<'_>, last: Option<Timestamp>) -> Result<Vec<SendRecord>, StoreError> {
        let since = recent::window_start(last, write.received);
        let partitions = write.partitions();
        let queries = partitions.iter().map(|partition| self.notifications_since(partition, since, recent::LIMIT));
        Ok(futures::future::try_join_all(queries).await?.concat())
    }

    /// Messages behind the first so many. Nothing of somebody whose address it is no more.
    async fn keep_rest(&self, write: &ReplyWrite<'_>, first: usize) -> Result<(), StoreError> {
        for some in write.keyed()?.get(first..).unwrap_or_default().chunks(ITEMS_LIMIT - 1) {
            let theirs = Transaction::new().check(write.owned());
            self.table.commit(some.iter().fold(theirs, |writes, (key, message)| writes.put(key, message))).await?;
        }
        Ok(())
    }
}

fn keeping(write: &ReplyWrite<'_>, given: &[SendRecord], late: Option<Late>) -> Result<Transaction, StoreError> {
    let marker = ReplyItem { received: write.received, ttl: seconds_from(write.received, RETENTION_DAYS) };
    let conversation = write.person.result.conversation_id;
    let count = counted_reply(write.app, conversation, write.messages.len(), write.received, late);
    let writes = Transaction::new()
        .put(ItemChange::of(&write.partition.reply(write.external_id)).when_absent(), &marker)
        .update(seen(write).labelled(OWNER))
        .update(count.labelled(NOTHING_SINCE));
    let first = write.keyed()?.into_iter().take(room(given));
    let writes = first.fold(writes, |writes, (key, message)| writes.put(&key, message));
    Ok(given.iter().fold(writes, |writes, record| writes.update(mark_given(write, record))))
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
        self.messages.iter().map(|message| Ok((message.key(self.app, conversation)?, message))).collect()
    }

    /// The address's match, while it is the person's.
    fn owned(&self) -> ItemChange {
        ItemChange::of(&self.partition.match_result()).when_is("appUserId", &self.person.result.app_user_id)
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
fn seen(write: &ReplyWrite<'_>) -> ItemChange {
    let seen = write.owned().set("lastReply", &write.received).set("client.lastSeen", &write.received);
    seen.set_if("client.raw", Some(write.raw).filter(|raw| !raw.is_empty()))
}

fn mark_given(write: &ReplyWrite<'_>, record: &SendRecord) -> ItemChange {
    let sent_at = record.match_result.as_ref().map(|result| at(write.app, &result.client));
    let key = sent_at.as_ref().unwrap_or(write.partition).send(record.accepted, record.subject);
    let given = ItemChange::of(&key).set("answeredBy", write.external_id);
    given.when_there().when("attribute_not_exists(#answeredBy)")
}
