//! What a conversation counts, where counting up and down is not enough: messages that end by themselves are counted off by
//! nobody, and a reply may be read after the business has written again.

use crate::conversation::page::SOURCE_LIMIT;
use crate::ids::{AppId, ConversationId};
use crate::model::{AppUser, Timestamp};
use crate::store::table::keys::{self, Timed};
use crate::store::table::{ItemChange, Query};
use crate::store::{Store, StoreError, StoredMessage};

/// A full conversation is counted anew once in so many seconds.
const RECOUNTED_EVERY: i64 = 3_600;
/// Of up to a megabyte each: 30,000 messages of 2 KB.
const PAGES: usize = 60;

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
            alive += self.table.count(said_since(app, id, own.cleared), now, &mut pages).await?;
        }
        // Too much to count is full.
        let alive = if pages == 0 { own.message_count } else { alive.min(own.message_count) };
        let change = ItemChange::of(&keys::conversation(app, user.conversation_id))
            .set("messageCount", &alive)
            .set("recounted", &now)
            .when_is("messageCount", &own.message_count);
        let counted = self.table.update(change).await?;
        Ok(!counted.is_done() || alive < own.message_count)
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
        let newer: Vec<StoredMessage> = self.table.query(said_since(app, id, Some(at)).at_most(SOURCE_LIMIT)).await?;
        let count = newer.iter().filter(|stored| stored.message.role.as_deref() == Some("appMaker")).count();
        let count = i64::try_from(count).unwrap_or(i64::MAX).min(now.unread_count);
        Ok(Late::Unread { count, heard: now.app_maker_last_read })
    }
}

/// The messages of a conversation after a moment.
fn said_since(app: AppId, id: ConversationId, moment: Option<Timestamp>) -> Query {
    let from = moment.map_or(Timestamp::from_millis(0), |at| Timestamp::from_millis(at.millis() + 1));
    Query::of(keys::conversation_partition(app, id)).between(Timed::Message.between(from, Timed::LATEST))
}

/// The change of a conversation's counters by the messages of a reply. Without `late` it is refused if more happened since.
pub(in crate::store) fn counted_reply(
    app: AppId,
    id: ConversationId,
    messages: usize,
    at: Timestamp,
    late: Option<Late>,
) -> ItemChange {
    let counted = ItemChange::of(&keys::conversation(app, id)).add("messageCount", messages);
    let read = |unread: i64| counted.clone().set("appUserLastRead", &at).set("unreadCount", &unread);
    match late {
        Some(Late::ReadSince) => counted,
        Some(Late::Unread { count, heard: None }) => read(count).when("attribute_not_exists(#appMakerLastRead)"),
        Some(Late::Unread { count, heard: Some(heard) }) => read(count).when_is("appMakerLastRead", &heard),
        None => read(0)
            .when("attribute_not_exists(#appMakerLastRead) OR #appMakerLastRead <= :at")
            .when("attribute_not_exists(#appUserLastRead) OR #appUserLastRead <= :at")
            .value(":at", &at),
    }
}
