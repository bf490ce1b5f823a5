//! What was posted shortly before a message, and how far it has come: by it a message keeps its place on a channel.

use crate::ids::{AppId, ConversationId, MessageId};
use crate::model::{SendRecord, SendState, Subject};
use crate::sending::order::{MOST_BEFORE, PATIENCE_SECONDS};
use crate::store::table::Range;
use crate::store::table::keys::{self, AddressPartition};
use crate::store::{Store, StoreError, StoredMessage};

/// Among the sends of an address lie those of links too.
const SENDS_READ: i32 = 100;

impl Store {
    /// The messages of a conversation that may hold one back, newest first.
    pub async fn posted_before(
        &self,
        app: AppId,
        conversation: ConversationId,
        id: MessageId,
    ) -> Result<Vec<StoredMessage>, StoreError> {
        let pk = keys::conversation_partition(app, conversation);
        let (from, to) = keys::between("MESSAGE", id.moment().plus_seconds(-PATIENCE_SECONDS), id.moment());
        let limit = i32::try_from(MOST_BEFORE + 1).unwrap_or(i32::MAX);
        let range = Range { pk: &pk, from: &from, to: &to, newest_first: true, consistent: true, limit };
        let found: Vec<StoredMessage> = self.query("message", range).await?;
        // Ids begin with their time: they sort as the history does.
        Ok(found.into_iter().filter(|found| found.message.id.is_some_and(|found| found < id)).collect())
    }

    /// Those of the messages which the carrier took at an address, or which failed there.
    pub async fn passed(&self, at: &AddressPartition, of: &[MessageId]) -> Result<Vec<MessageId>, StoreError> {
        let moments = || of.iter().map(|id| id.moment());
        let (Some(first), Some(last)) = (moments().min(), moments().max()) else { return Ok(Vec::new()) };
        let (from, to) = keys::between("SEND", first, last);
        let range =
            Range { pk: &at.pk, from: &from, to: &to, newest_first: false, consistent: true, limit: SENDS_READ };
        let records: Vec<SendRecord> = self.query("send record", range).await?;
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
