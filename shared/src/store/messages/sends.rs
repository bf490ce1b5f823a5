//! The record of a send: its claim, its state and, of a notification, its place in `recentNotifications` are one item.
//!
//! ABSENT → CLAIMED(deadline) → SENT(external ids) → DELIVERED, or FAILED from CLAIMED or SENT. One conditional write per
//! arrow, and every write answers either with the new record or with the one that stood in its way. What stood in its way
//! may be itself, made before its answer was lost: then it counts as made. The arrows from CLAIMED are in [`claims`].
//!
//! [`claims`]: super::claims

use std::collections::HashMap;

use aws_sdk_dynamodb::operation::update_item::UpdateItemError;
use aws_sdk_dynamodb::types::{AttributeValue, ReturnValue, ReturnValuesOnConditionCheckFailure};
use serde::Serialize;

use crate::model::{ExternalId, Failure, SendRecord, SendState, Subject, Timestamp};
use crate::store::error::aws_error;
use crate::store::table::keys::{self, AddressPartition, Key};
use crate::store::table::marks::{self, WriterMark};
use crate::store::table::{Item, Range, from_item};
use crate::store::{Store, StoreError};

/// Names a record.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SendKey(pub(in crate::store) Key);

impl SendKey {
    pub fn new(partition: &AddressPartition, accepted: Timestamp, subject: Subject) -> Self {
        Self(partition.send(accepted, subject))
    }
}

/// What a conditional write came to.
#[derive(Debug, Clone, PartialEq)]
pub enum Write {
    /// Written; the record as it now is.
    Done(Box<SendRecord>),
    /// The condition did not hold; the record that stands, if any.
    Refused(Option<Box<SendRecord>>),
}

/// Whether a receipt is about the only carrier message of a send or about one of several.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Part {
    Only,
    OneOf(u8),
}

impl Store {
    /// SENT → DELIVERED; or, for one of several parts, notes the confirmation and stays SENT until all are in.
    pub async fn confirm(
        &self,
        key: &SendKey,
        part: Part,
        id: &ExternalId,
        now: Timestamp,
    ) -> Result<Write, StoreError> {
        let Part::OneOf(parts) = part else {
            return self.mark_delivered(key, now).await;
        };
        let noted = Update::of(key, WriterMark::draw(), "SET #by = :by ADD confirmed :id")
            .when("#state = :sent")
            .state(":sent", SendState::Sent)
            .attribute(":id", AttributeValue::Ss(vec![id.0.clone()]))
            .write(self)
            .await?;
        match &noted {
            Write::Done(record) if record.all_confirmed(parts) => self.mark_delivered(key, now).await,
            _ => Ok(noted),
        }
    }

    async fn mark_delivered(&self, key: &SendKey, now: Timestamp) -> Result<Write, StoreError> {
        Update::of(key, WriterMark::draw(), "SET #by = :by, #state = :delivered, ended = :now")
            .when("#state = :sent")
            .state(":sent", SendState::Sent)
            .state(":delivered", SendState::Delivered)
            .value(":now", &now)?
            .write(self)
            .await
    }

    /// SENT → FAILED, when the carrier reports that one of the messages it took will not arrive.
    pub async fn fail_sent(
        &self,
        key: &SendKey,
        id: &ExternalId,
        failure: &Failure,
        now: Timestamp,
    ) -> Result<Write, StoreError> {
        Update::of(key, WriterMark::draw(), "SET #by = :by, #state = :failed, failure = :failure, ended = :now")
            .when("#state = :sent AND contains(externalIds, :id)")
            .state(":sent", SendState::Sent)
            .state(":failed", SendState::Failed)
            .value(":id", id)?
            .value(":failure", failure)?
            .value(":now", &now)?
            .write(self)
            .await
    }

    /// The newest records of an address accepted since a moment, oldest first.
    pub(in crate::store) async fn notifications_since(
        &self,
        partition: &AddressPartition,
        since: Timestamp,
        limit: i32,
    ) -> Result<Vec<SendRecord>, StoreError> {
        let (from, to) = keys::between("NOTIFICATION", since, Timestamp::from_millis(9_999_999_999_999));
        let range = Range { pk: &partition.pk, from: &from, to: &to, newest_first: true, consistent: true, limit };
        let mut records = self.query::<SendRecord>("send record", range).await?;
        records.reverse();
        Ok(records)
    }
}

/// One conditional update, built up and written. Every one leaves its writer's mark.
pub(in crate::store) struct Update<'a> {
    key: &'a SendKey,
    mark: WriterMark,
    expression: &'static str,
    condition: &'static str,
    values: HashMap<String, AttributeValue>,
}

impl<'a> Update<'a> {
    pub fn of(key: &'a SendKey, mark: WriterMark, expression: &'static str) -> Self {
        let values = HashMap::from([(marks::VALUE.to_owned(), mark.value())]);
        Self { key, mark, expression, condition: "", values }
    }

    pub fn when(self, condition: &'static str) -> Self {
        Self { condition, ..self }
    }

    fn attribute(mut self, name: &str, value: AttributeValue) -> Self {
        self.values.insert(name.to_owned(), value);
        self
    }

    pub fn number(self, name: &str, value: i64) -> Self {
        self.attribute(name, AttributeValue::N(value.to_string()))
    }

    pub fn state(self, name: &str, state: SendState) -> Self {
        self.attribute(name, AttributeValue::S(state.as_str().to_owned()))
    }

    pub fn value<T: Serialize>(self, name: &str, value: &T) -> Result<Self, StoreError> {
        let value = serde_dynamo::to_attribute_value(value).map_err(|_| StoreError::Unreadable("send record"))?;
        Ok(self.attribute(name, value))
    }

    pub async fn write(&self, store: &Store) -> Result<Write, StoreError> {
        let mut names = HashMap::from([("#state".to_owned(), "state".to_owned())]);
        WriterMark::name_it(&mut names);
        let update = store
            .client
            .update_item()
            .table_name(&store.table)
            .set_key(Some(self.key.0.attributes()))
            .update_expression(self.expression)
            .condition_expression(self.condition)
            .set_expression_attribute_names(Some(names))
            .set_expression_attribute_values(Some(self.values.clone()))
            .return_values(ReturnValue::AllNew)
            .return_values_on_condition_check_failure(ReturnValuesOnConditionCheckFailure::AllOld);
        match update.send().await {
            Ok(output) => {
                let item = output.attributes.ok_or(StoreError::Unreadable("send record"))?;
                Ok(Write::Done(Box::new(from_item("send record", item)?)))
            }
            Err(error) => match error.as_service_error() {
                Some(UpdateItemError::ConditionalCheckFailedException(refusal)) => refused(refusal.item(), self.mark),
                _ => Err(aws_error("UpdateItem")(error)),
            },
        }
    }
}

/// Refused by what stands there; or by our own doing, which is then done.
pub(in crate::store) fn refused(item: Option<&Item>, mark: WriterMark) -> Result<Write, StoreError> {
    let record = item.filter(|item| !item.is_empty()).map(|item| from_item("send record", item.clone())).transpose()?;
    Ok(match record {
        Some(record) if mark.is_on(item) => Write::Done(Box::new(record)),
        record => Write::Refused(record.map(Box::new)),
    })
}
