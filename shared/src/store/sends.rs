//! The record of a send: its claim, its state and, of a notification, its place in `recentNotifications` are one item.
//!
//! ABSENT → CLAIMED(deadline) → SENT(external ids) → DELIVERED, or FAILED from CLAIMED or SENT. One conditional write per
//! arrow, and every write answers either with the new record or with the one that stood in its way.

use std::collections::{BTreeSet, HashMap};

use aws_sdk_dynamodb::operation::put_item::PutItemError;
use aws_sdk_dynamodb::operation::update_item::UpdateItemError;
use aws_sdk_dynamodb::types::{AttributeValue, ReturnValue, ReturnValuesOnConditionCheckFailure};
use serde::Serialize;

use super::keys::{AddressPartition, Key};
use super::{Range, Store, StoreError, aws_error, from_item, seconds_from, to_item};
use crate::model::{
    ExternalId, Failure, MatchResult, MessageWire, RETENTION_DAYS, SendRecord, SendState, Sending, Subject, Timestamp,
};

/// Names a record.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SendKey(pub(super) Key);

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
    /// ABSENT → CLAIMED.
    pub async fn claim(&self, key: &SendKey, sending: &Sending, deadline: Timestamp) -> Result<Write, StoreError> {
        let record = SendRecord {
            subject: sending.subject,
            state: SendState::Claimed,
            deadline: Some(deadline.millis()),
            accepted: sending.accepted,
            message: MessageWire::from(&sending.message),
            author: sending.author.clone(),
            external_ids: Vec::new(),
            confirmed: BTreeSet::new(),
            match_result: None,
            sent: None,
            ended: None,
            failure: None,
            answered_by: None,
            hidden: false,
            ttl: seconds_from(sending.accepted, RETENTION_DAYS),
        };
        let put = self
            .client
            .put_item()
            .table_name(&self.table)
            .set_item(Some(to_item("send record", &key.0, &record)?))
            .condition_expression("attribute_not_exists(pk)")
            .return_values_on_condition_check_failure(ReturnValuesOnConditionCheckFailure::AllOld);
        match put.send().await {
            Ok(_) => Ok(Write::Done(Box::new(record))),
            Err(error) => match error.as_service_error() {
                Some(PutItemError::ConditionalCheckFailedException(refusal)) => refused(refusal.item()),
                _ => Err(aws_error("PutItem")(error)),
            },
        }
    }

    /// CLAIMED → CLAIMED, from a claimant that is dead or gave up, to us.
    pub async fn retake(&self, key: &SendKey, old: i64, deadline: Timestamp) -> Result<Write, StoreError> {
        Update::of(key, "SET deadline = :deadline")
            .when("#state = :claimed AND deadline = :old")
            .state(":claimed", SendState::Claimed)
            .number(":old", old)
            .number(":deadline", deadline.millis())
            .write(self)
            .await
    }

    /// Gives a claim back, so that the next try need not wait for its deadline.
    pub async fn release(&self, key: &SendKey, deadline: Timestamp) -> Result<Write, StoreError> {
        self.retake(key, deadline.millis(), Timestamp::from_millis(0)).await
    }

    /// Records one of several parts as sent, so that a crash does not send it again.
    pub async fn record_parts(&self, key: &SendKey, ids: &[ExternalId]) -> Result<Write, StoreError> {
        Update::of(key, "SET externalIds = :ids")
            .when("#state = :claimed")
            .state(":claimed", SendState::Claimed)
            .value(":ids", &ids)?
            .write(self)
            .await
    }

    /// CLAIMED → SENT.
    pub async fn mark_sent(
        &self,
        key: &SendKey,
        ids: &[ExternalId],
        match_result: Option<&MatchResult>,
        now: Timestamp,
    ) -> Result<Write, StoreError> {
        let set = match match_result {
            Some(_) => "SET #state = :sent, externalIds = :ids, sent = :now, matchResult = :match REMOVE deadline",
            None => "SET #state = :sent, externalIds = :ids, sent = :now REMOVE deadline",
        };
        let update = Update::of(key, set)
            .when("#state = :claimed")
            .state(":claimed", SendState::Claimed)
            .state(":sent", SendState::Sent)
            .value(":ids", &ids)?
            .value(":now", &now)?;
        let update = match match_result {
            Some(result) => update.value(":match", result)?,
            None => update,
        };
        update.write(self).await
    }

    /// CLAIMED → FAILED.
    pub async fn mark_failed(
        &self,
        key: &SendKey,
        failure: &Failure,
        match_result: Option<&MatchResult>,
        now: Timestamp,
    ) -> Result<Write, StoreError> {
        let set = match match_result {
            Some(_) => "SET #state = :failed, failure = :failure, ended = :now, matchResult = :match REMOVE deadline",
            None => "SET #state = :failed, failure = :failure, ended = :now REMOVE deadline",
        };
        let update = Update::of(key, set)
            .when("#state = :claimed")
            .state(":claimed", SendState::Claimed)
            .state(":failed", SendState::Failed)
            .value(":failure", failure)?
            .value(":now", &now)?;
        let update = match match_result {
            Some(result) => update.value(":match", result)?,
            None => update,
        };
        update.write(self).await
    }

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
        let noted = Update::of(key, "ADD confirmed :id")
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
        Update::of(key, "SET #state = :delivered, ended = :now")
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
        Update::of(key, "SET #state = :failed, failure = :failure, ended = :now")
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
    pub(super) async fn notifications_since(
        &self,
        partition: &AddressPartition,
        since: Timestamp,
        limit: i32,
    ) -> Result<Vec<SendRecord>, StoreError> {
        let (from, to) = super::keys::between("NOTIFICATION", since, Timestamp::from_millis(9_999_999_999_999));
        let range = Range { pk: &partition.pk, from: &from, to: &to, newest_first: true, consistent: true, limit };
        let mut records = self.query::<SendRecord>("send record", range).await?;
        records.reverse();
        Ok(records)
    }
}

/// One conditional update, built up and written.
struct Update<'a> {
    key: &'a SendKey,
    expression: &'static str,
    condition: &'static str,
    values: HashMap<String, AttributeValue>,
}

impl<'a> Update<'a> {
    fn of(key: &'a SendKey, expression: &'static str) -> Self {
        Self { key, expression, condition: "", values: HashMap::new() }
    }

    fn when(self, condition: &'static str) -> Self {
        Self { condition, ..self }
    }

    fn attribute(mut self, name: &str, value: AttributeValue) -> Self {
        self.values.insert(name.to_owned(), value);
        self
    }

    fn number(self, name: &str, value: i64) -> Self {
        self.attribute(name, AttributeValue::N(value.to_string()))
    }

    fn state(self, name: &str, state: SendState) -> Self {
        self.attribute(name, AttributeValue::S(state.as_str().to_owned()))
    }

    fn value<T: Serialize>(self, name: &str, value: &T) -> Result<Self, StoreError> {
        let value = serde_dynamo::to_attribute_value(value).map_err(|_| StoreError::Unreadable("send record"))?;
        Ok(self.attribute(name, value))
    }

    async fn write(self, store: &Store) -> Result<Write, StoreError> {
        let update = store
            .client
            .update_item()
            .table_name(&store.table)
            .set_key(Some(self.key.0.attributes()))
            .update_expression(self.expression)
            .condition_expression(self.condition)
            .expression_attribute_names("#state", "state")
            .set_expression_attribute_values(Some(self.values))
            .return_values(ReturnValue::AllNew)
            .return_values_on_condition_check_failure(ReturnValuesOnConditionCheckFailure::AllOld);
        match update.send().await {
            Ok(output) => {
                let item = output.attributes.ok_or(StoreError::Unreadable("send record"))?;
                Ok(Write::Done(Box::new(from_item("send record", item)?)))
            }
            Err(error) => match error.as_service_error() {
                Some(UpdateItemError::ConditionalCheckFailedException(refusal)) => refused(refusal.item()),
                _ => Err(aws_error("UpdateItem")(error)),
            },
        }
    }
}

fn refused(item: Option<&HashMap<String, AttributeValue>>) -> Result<Write, StoreError> {
    let record = item.filter(|item| !item.is_empty()).map(|item| from_item("send record", item.clone())).transpose()?;
    Ok(Write::Refused(record.map(Box::new)))
}
