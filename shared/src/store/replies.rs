//! A person's reply: kept once, with the notifications it answers marked as given.
//!
//! One transaction writes the reply's marker (which makes the same callback twice one message), its messages, the
//! marks on the notifications, and what the channel told of the person. Two replies at once cannot be given the same
//! notification: one of the transactions is cancelled, and tried again over what the other left.

use std::collections::HashMap;

use aws_sdk_dynamodb::types::{AttributeValue, TransactWriteItem, Update};
use serde::{Deserialize, Serialize};

use super::keys::AddressPartition;
use super::matches::MatchItem;
use super::{NotificationKey, Store, StoreError, StoredMessage, error_code, seconds_from, to_item};
use crate::flow::recent;
use crate::ids::AppId;
use crate::model::{ExternalId, NotificationRecord, RETENTION_DAYS, Timestamp};

const TRIES: usize = 8;

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
    pub external_id: &'a ExternalId,
    pub messages: &'a [StoredMessage],
    pub raw: &'a serde_json::Map<String, serde_json::Value>,
    pub received: Timestamp,
}

/// What keeping it came to, with the notifications it answers, oldest first.
#[derive(Debug, Clone, PartialEq)]
pub enum ReplyOutcome {
    Kept(Vec<NotificationRecord>),
    /// The same reply was kept before; these were given to it then.
    Known(Vec<NotificationRecord>),
}

impl Store {
    pub async fn keep_reply(&self, write: &ReplyWrite<'_>) -> Result<ReplyOutcome, StoreError> {
        let recent = async |since| self.notifications_since(write.partition, since, recent::LIMIT as i32).await;
        for _ in 0..TRIES {
            let marker = self.get_consistent::<ReplyItem>("reply", &write.partition.reply(write.external_id)).await?;
            if marker.is_some() {
                let records = recent(recent::window_start(None, write.received)).await?;
                return Ok(ReplyOutcome::Known(recent::given_to(records, write.external_id)));
            }
            let records = recent(recent::window_start(write.person.last_reply, write.received)).await?;
            let given = recent::to_give(records);
            if self.try_keep(write, &given).await? {
                return Ok(ReplyOutcome::Kept(given));
            }
        }
        Err(StoreError::Contended)
    }

    async fn try_keep(&self, write: &ReplyWrite<'_>, given: &[NotificationRecord]) -> Result<bool, StoreError> {
        let marker = ReplyItem { received: write.received, ttl: seconds_from(write.received, RETENTION_DAYS) };
        let marker_key = write.partition.reply(write.external_id);
        let mut items = vec![self.put_absent(to_item("reply", &marker_key, &marker)?)?, self.seen(write)?];
        let conversation = write.person.result.conversation_id;
        for message in write.messages {
            let key = message.key(write.app, conversation).ok_or(StoreError::Unreadable("message"))?;
            items.push(self.put_absent(to_item("message", &key, message)?)?);
        }
        for record in given {
            items.push(self.mark_given(write, record)?);
        }
        let request = self.client.transact_write_items().set_transact_items(Some(items));
        match request.send().await {
            Ok(_) => Ok(true),
            Err(error) if error_code(&error) == "TransactionCanceledException" => Ok(false),
            Err(error) => Err(super::aws_error("TransactWriteItems")(error)),
        }
    }

    /// The person was here: `lastReply`, `client.lastSeen`, `client.raw`.
    fn seen(&self, write: &ReplyWrite<'_>) -> Result<TransactWriteItem, StoreError> {
        let mut client = write.person.result.client.clone();
        client.last_seen = Some(write.received);
        if !write.raw.is_empty() {
            client.raw.clone_from(write.raw);
        }
        let values =
            HashMap::from([(":now".to_owned(), value(&write.received)?), (":client".to_owned(), value(&client)?)]);
        let key = write.partition.match_result();
        self.transact_update(key.attributes(), "SET lastReply = :now, client = :client", "attribute_exists(pk)", values)
    }

    fn mark_given(&self, write: &ReplyWrite<'_>, record: &NotificationRecord) -> Result<TransactWriteItem, StoreError> {
        let key = NotificationKey::new(write.partition, record.accepted, record.id);
        let values = HashMap::from([(":reply".to_owned(), value(write.external_id)?)]);
        let condition = "attribute_exists(pk) AND attribute_not_exists(answeredBy)";
        self.transact_update(key.0.attributes(), "SET answeredBy = :reply", condition, values)
    }

    fn transact_update(
        &self,
        key: HashMap<String, AttributeValue>,
        expression: &str,
        condition: &str,
        values: HashMap<String, AttributeValue>,
    ) -> Result<TransactWriteItem, StoreError> {
        let update = Update::builder()
            .table_name(&self.table)
            .set_key(Some(key))
            .update_expression(expression)
            .condition_expression(condition)
            .set_expression_attribute_values(Some(values))
            .build()
            .map_err(|_| StoreError::Unreadable("transaction"))?;
        Ok(TransactWriteItem::builder().update(update).build())
    }
}

fn value<T: Serialize>(value: &T) -> Result<AttributeValue, StoreError> {
    serde_dynamo::to_attribute_value(value).map_err(|_| StoreError::Unreadable("reply"))
}
