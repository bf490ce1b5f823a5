//! What was posted shortly before a message, and how far it has come: by it a message keeps its place on a channel.

use crate::ids::{AppId, ConversationId, MessageId};
use crate::model::{SendRecord, SendState, Subject};
use crate::sending::order::{MOST_BEFORE, PATIENCE_SECONDS};
use crate::store::table::Query;
use crate::store::table::keys::{self, AddressPartition, Timed};
use crate::store::{Store, StoreError, StoredMessage};

/// Among the sends of an address lie those of links too.
const SENDS_READ: usize = 100;

impl Store {
    /// The messages of a conversation that may hold one back, newest first.
    pub async fn posted_before(
        &self,
        app: AppId,
        conversation: ConversationId,
        id: MessageId,
    ) -> Result<Vec<StoredMessage>, StoreError> {
        let moments = Timed::Message.between(id.moment().plus_seconds(-PATIENCE_SECONDS), id.moment());
        let before = Query::of(keys::conversation_partition(app, conversation)).between(moments);
        let found: Vec<StoredMessage> = self.table.query(before.newest_first().at_most(MOST_BEFORE + 1)).await?;
        // Ids begin with their time: they sort as the history does.
        Ok(found.into_iter().filter(|found| found.message.id.is_some_and(|found| found < id)).collect())
    }

    /// Those of the messages which the carrier took at an address, or which failed there.
    pub async fn passed(&self, at: &AddressPartition, of: &[MessageId]) -> Result<Vec<MessageId>, StoreError> {
        let moments = || of.iter().map(|id| id.moment());
        let (Some(first), Some(last)) = (moments().min(), moments().max()) else { return Ok(Vec::new()) };
        let sends = Query::of(&at.pk).between(Timed::Send.between(first, last)).at_most(SENDS_READ);
        let records: Vec<SendRecord> = self.table.query(sends).await?;
        let passed = records.into_iter().filter(|record| record.state != SendState::Claimed);
        Ok(passed.filter_map(|record| message(record.subject)).filter(|id| of.contains(id)).collect())
    }
}

fn message(subject: Subject) -> Option<MessageId> {
    match subject {
        Subject::Message(id) => Some(id),
        Subject::Notification(_) | Subject::Confirmation(_) => None,
    }
}
