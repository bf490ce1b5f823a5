//! A receipt: SENT → DELIVERED or FAILED, and the final event. One conditional write, no read: the callback's token
//! named the record.

use shared::batch::Later;
use shared::channels::{Receipt, ReceiptStatus, SendError};
use shared::flow::receipt::{self, Claim, Step};
use shared::flow::report::{self, Place};
use shared::links;
use shared::model::{ChannelType, Integration, SendRecord, Subject, Timestamp};
use shared::store::keys::AddressPartition;
use shared::store::{Part, SendKey, Store, StoreError, Write};
use shared::tasks::SendContext;
use shared::telemetry::{Metric, Outcome};
use shared::webhook::Event;

pub struct Heard<'a> {
    pub integration: &'a Integration,
    pub channel: ChannelType,
    pub send: SendContext,
    pub receipt: Receipt,
    pub received: Timestamp,
    pub redelivered: bool,
}

pub async fn receive(store: &Store, heard: Heard<'_>) -> Result<Vec<Event>, Later> {
    let (write, claim) = match &heard.receipt.status {
        ReceiptStatus::Progress => return Ok(Vec::new()),
        ReceiptStatus::Delivered => (confirm(store, &heard).await?, Claim::Delivered),
        ReceiptStatus::Failed(error) => (fail(store, &heard, error).await?, Claim::Failed),
    };
    let step = match write {
        Write::Done(record) => receipt::written(record),
        Write::Refused(found) => receipt::refused(found, claim, heard.redelivered),
    };
    match step {
        Step::Publish(record) => ended(store, &heard, &record).await,
        Step::Nothing => Ok(Vec::new()),
        Step::Later => {
            Outcome::of(Metric::ReceiptEarly).with(heard.send.subject.id_name(), heard.send.subject).log();
            Err(Later::because("the send is not recorded yet"))
        }
    }
}

fn key(heard: &Heard<'_>) -> SendKey {
    let partition = AddressPartition::new(heard.integration.app_id, heard.integration.id, &heard.send.address);
    SendKey::new(&partition, heard.send.accepted, heard.send.subject)
}

async fn confirm(store: &Store, heard: &Heard<'_>) -> Result<Write, StoreError> {
    let part = match heard.send.parts {
        0 | 1 => Part::Only,
        parts => Part::OneOf(parts),
    };
    store.confirm(&key(heard), part, &heard.receipt.external_id, heard.received).await
}

async fn fail(store: &Store, heard: &Heard<'_>, error: &SendError) -> Result<Write, StoreError> {
    store.fail_sent(&key(heard), &heard.receipt.external_id, &error.failure(), heard.received).await
}

async fn ended(store: &Store, heard: &Heard<'_>, record: &SendRecord) -> Result<Vec<Event>, Later> {
    let place = Place {
        app_id: heard.integration.app_id,
        integration_id: heard.integration.id,
        channel: heard.channel,
        address: heard.send.address.clone(),
    };
    let event = report::of_end(record, &place);
    let metric = match (&record.failure, record.subject) {
        (Some(_), Subject::Notification(_)) => Metric::NotificationFailed,
        (None, Subject::Notification(_)) => Metric::NotificationDelivered,
        (Some(_), Subject::Message(_) | Subject::Confirmation(_)) => Metric::MessageFailed,
        (None, Subject::Message(_) | Subject::Confirmation(_)) => Metric::MessageDelivered,
    };
    let outcome = Outcome::of(metric).with(record.subject.id_name(), record.subject).with("appId", place.app_id);
    let outcome = outcome.with("externalId", &heard.receipt.external_id.0);
    match &record.failure {
        Some(failure) => outcome.with("code", failure.code.as_str()).log(),
        None => outcome.log(),
    }
    match (record.subject, &record.failure) {
        (Subject::Confirmation(link), Some(failure)) => {
            let at = AddressPartition::new(place.app_id, place.integration_id, &place.address);
            Ok(links::failed(store, place.app_id, &at, link, failure, heard.received).await?)
        }
        _ => Ok(event.as_ref().map(Event::delivery).into_iter().collect()),
    }
}
