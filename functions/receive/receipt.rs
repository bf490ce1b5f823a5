//! A receipt: SENT → DELIVERED or FAILED, and the final event. One conditional write, no read: the callback's token
//! named the record.

use shared::batch::Later;
use shared::channels::{Receipt, ReceiptStatus, SendError};
use shared::linking;
use shared::model::{Destination, SendRecord, Subject, Timestamp};
use shared::sending::receipt::{self, End, Step};
use shared::sending::report;
use shared::store::keys::AddressPartition;
use shared::store::{Part, SendKey, Store, StoreError, Write};
use shared::system::now;
use shared::tasks::{ReceiveTask, Received, SendContext};
use shared::telemetry::{Metric, Outcome};
use shared::webhook::Event;

use crate::context::{Context, Source};

pub struct Heard {
    pub source: Source,
    pub send: SendContext,
    pub receipt: Receipt,
    pub received: Timestamp,
    pub redelivered: bool,
}

pub async fn receive(context: &Context, heard: Heard) -> Result<Vec<Event>, Later> {
    let store = &context.store;
    let (write, end) = match &heard.receipt.status {
        ReceiptStatus::Progress => return Ok(Vec::new()),
        ReceiptStatus::Delivered => (confirm(store, &heard).await?, End::Delivered),
        ReceiptStatus::Failed(error) => (fail(store, &heard, error).await?, End::Failed),
    };
    let step = match write {
        Write::Done(record) => receipt::written(record),
        Write::Refused(found) => receipt::refused(found, end, heard.redelivered),
    };
    match step {
        Step::Publish(record) => ended(store, &heard, &record).await,
        Step::Nothing => Ok(Vec::new()),
        Step::Later => wait(context, heard).await,
    }
}

/// The send goes on, between two parts or before its record. As a task of its own: it is no failure, and uses up none of
/// the queue's tries.
async fn wait(context: &Context, heard: Heard) -> Result<Vec<Event>, Later> {
    Outcome::of(Metric::ReceiptEarly).with(heard.send.subject.id_name(), heard.send.subject).log();
    let Some(seconds) = receipt::wait(heard.received, heard.send.accepted, now()) else {
        return Err(Later::because("the send is not recorded, though its time is over"));
    };
    let Source { app_id, integration_id, channel } = heard.source;
    let what = Received::Receipt { context: heard.send, receipt: heard.receipt };
    let (channel, received, put_back) = (Some(channel), heard.received, Some(now()));
    let task = ReceiveTask::V1 { app_id, integration_id, channel, received, place: 0, put_back, what };
    context.queue.send_later(&task, seconds).await?;
    Ok(Vec::new())
}

fn key(heard: &Heard) -> SendKey {
    let partition = AddressPartition::new(heard.source.app_id, heard.source.integration_id, &heard.send.address);
    SendKey::new(&partition, heard.send.accepted, heard.send.subject)
}

async fn confirm(store: &Store, heard: &Heard) -> Result<Write, StoreError> {
    let part = match heard.send.parts {
        0 | 1 => Part::Only,
        parts => Part::OneOf(parts),
    };
    store.confirm(&key(heard), part, &heard.receipt.external_id, heard.received).await
}

async fn fail(store: &Store, heard: &Heard, error: &SendError) -> Result<Write, StoreError> {
    let (failure, exchange) = (error.failure(), error.exchange(heard.received, None));
    let why = (&failure, exchange.as_ref());
    store.fail_sent(&key(heard), &heard.receipt.external_id, why, heard.received).await
}

async fn ended(store: &Store, heard: &Heard, record: &SendRecord) -> Result<Vec<Event>, Later> {
    let Source { app_id, integration_id, channel } = heard.source;
    let event =
        report::of_end(record, app_id, &Destination { channel, integration_id, address: heard.send.address.clone() });
    let metric = match (&record.failure, record.subject) {
        (Some(_), Subject::Notification(_)) => Metric::NotificationFailed,
        (None, Subject::Notification(_)) => Metric::NotificationDelivered,
        (Some(_), Subject::Message(_) | Subject::Confirmation(_)) => Metric::MessageFailed,
        (None, Subject::Message(_) | Subject::Confirmation(_)) => Metric::MessageDelivered,
    };
    let outcome = Outcome::of(metric).with(record.subject.id_name(), record.subject).with("appId", app_id);
    let outcome = outcome.with("externalId", &heard.receipt.external_id.0);
    match &record.failure {
        Some(failure) => {
            let said = record.exchanges.last().map(|exchange| &exchange.carrier);
            outcome.with("code", failure.code.as_str()).with_answer(said).log();
        }
        None => outcome.log(),
    }
    match (record.subject, &record.failure) {
        (Subject::Confirmation(link), Some(failure)) => {
            let at = AddressPartition::new(app_id, integration_id, &heard.send.address);
            Ok(linking::failed(store, app_id, &at, link, failure, heard.received).await?)
        }
        _ => Ok(event.as_ref().map(Event::delivery).into_iter().collect()),
    }
}
