//! What a conversation counts, where counting up and down is not enough: messages that end by themselves are counted off by
//! nobody, and a reply may be read after the business has written again.

use aws_sdk_dynamodb::types::{AttributeValue, Select};

use super::conversations::Conversation;
use crate::ids::{AppId, ConversationId};
use crate::model::{AppUser, Timestamp};
use crate::store::error::aws_error;
use crate::store::table::Item;
use crate::store::table::keys::{self, TTL};
use crate::store::table::transaction::Change;
use crate::store::{Store, StoreError, StoredMessage};

/// A full conversation is counted anew once in so many seconds.
const RECOUNTED_EVERY: i64 = 3_600;
/// Of up to a megabyte each: 30,000 messages of 2 KB.
const PAGES: usize = 60;
const LATEST: Timestamp = Timestamp::from_millis(9_999_999_999_999);

/// How a reply changes the counters of a conversation in which more happened since the person wrote it.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(in crate::store) enum Late {
    /// They read on since: it changes nothing.
    ReadSince,
    /// So many messages came since, and the business was last heard of then.
    Unread { count: i64, heard: Option<Timestamp> },
}

impl Store {
    /// Counts the messages of a full conversation that have not ended. Whether there are fewer than were counted.
    pub(in crate::store) async fn recount(
        &self,
        app: AppId,
        user: &AppUser,
        now: Timestamp,
    ) -> Result<bool, StoreError> {
        let own = self.conversation(app, user.conversation_id).await?;
        if own.recounted.is_some_and(|last| last.plus_seconds(RECOUNTED_EVERY) > now) {
            return Ok(false);
        }
        let (mut alive, mut pages) = (0, PAGES);
        for id in user.conversations() {
            alive += self.count_alive(app, id, own.cleared, now, &mut pages).await?;
        }
        // Too much to count is full.
        let alive = if pages == 0 { own.message_count } else { alive.min(own.message_count) };
        let change =
            Change::of(&keys::conversation(app, user.conversation_id), "SET messageCount = :alive, recounted = :now")
                .when("messageCount = :seen")
                .value(":alive", &alive)
                .value(":now", &now)
                .value(":seen", &own.message_count);
        let counted: Option<Conversation> = self.change("conversation", change).await?;
        Ok(counted.is_none() || alive < own.message_count)
    }

    async fn count_alive(
        &self,
        app: AppId,
        id: ConversationId,
        cleared: Option<Timestamp>,
        now: Timestamp,
        pages: &mut usize,
    ) -> Result<i64, StoreError> {
        let from = cleared.map_or(Timestamp::from_millis(0), |at| Timestamp::from_millis(at.millis() + 1));
        let (from, to) = keys::between("MESSAGE", from, LATEST);
        let (mut alive, mut start): (i64, Option<Item>) = (0, None);
        while *pages > 0 {
            *pages -= 1;
            let request = self.client.query().table_name(&self.table).select(Select::Count);
            let output = request
                .key_condition_expression("pk = :pk AND sk BETWEEN :from AND :to")
                .filter_expression("attribute_not_exists(#ttl) OR #ttl > :now")
                .expression_attribute_names("#ttl", TTL)
                .expression_attribute_values(":pk", AttributeValue::S(keys::conversation_partition(app, id)))
                .expression_attribute_values(":from", AttributeValue::S(from.clone()))
                .expression_attribute_values(":to", AttributeValue::S(to.clone()))
                .expression_attribute_values(":now", AttributeValue::N(now.seconds().to_string()))
                .set_exclusive_start_key(start)
                .send()
                .await
                .map_err(aws_error("Query"))?;
            alive += i64::from(output.count);
            start = output.last_evaluated_key;
            if start.is_none() {
                break;
            }
        }
        Ok(alive)
    }

    /// Whether the person read a message of one of their conversations before it was joined with the one that counts.
    pub(in crate::store) async fn was_read(
        &self,
        app: AppId,
        user: &AppUser,
        id: ConversationId,
        received: Timestamp,
    ) -> Result<bool, StoreError> {
        // Of their own, the write itself says so.
        if id == user.conversation_id {
            return Ok(false);
        }
        Ok(self.conversation(app, id).await?.app_user_last_read.is_some_and(|read| read >= received))
    }

    /// What happened in a conversation since a person wrote at `at`.
    pub(in crate::store) async fn since(
        &self,
        app: AppId,
        id: ConversationId,
        at: Timestamp,
    ) -> Result<Late, StoreError> {
        let now = self.conversation(app, id).await?;
        if now.app_user_last_read.is_some_and(|read| read > at) {
            return Ok(Late::ReadSince);
        }
        let pk = keys::conversation_partition(app, id);
        let after = Timestamp::from_millis(at.millis() + 1);
        let newer = self.stretch::<StoredMessage>("message", &pk, "MESSAGE", after, LATEST, false).await?;
        let count = newer.iter().filter(|stored| stored.message.role.as_deref() == Some("appMaker")).count();
        let count = i64::try_from(count).unwrap_or(i64::MAX).min(now.unread_count);
        Ok(Late::Unread { count, heard: now.app_maker_last_read })
    }
}

/// The change of a conversation's counters by the messages of a reply. Without `late` it is refused if more happened since.
pub(in crate::store) fn counted_reply(
    app: AppId,
    id: ConversationId,
    messages: usize,
    at: Timestamp,
    late: Option<Late>,
) -> Change {
    let key = keys::conversation(app, id);
    let read = "SET appUserLastRead = :at, unreadCount = :unread ADD messageCount :count";
    let change = match late {
        Some(Late::ReadSince) => return Change::of(&key, "ADD messageCount :count").value(":count", &messages),
        Some(Late::Unread { count, heard }) => {
            let change = Change::of(&key, read).value(":unread", &count);
            match heard {
                None => change.when("attribute_not_exists(appMakerLastRead)"),
                Some(heard) => change.when("appMakerLastRead = :heard").value(":heard", &heard),
            }
        }
        None => Change::of(&key, read)
            .when(
                "(attribute_not_exists(appMakerLastRead) OR appMakerLastRead <= :at) \
                 AND (attribute_not_exists(appUserLastRead) OR appUserLastRead <= :at)",
            )
            .value(":unread", &0),
    };
    change.value(":at", &at).value(":count", &messages)
}
