//! Sending one message to one address through a channel: claim, match, render, call, record, report.
//!
//! The same for every channel; a channel's binary only names its type. Decisions are `flow`'s, wire formats the
//! channel's. Never sends what it has not claimed, and never leaves a task without an end: a claim it cannot turn into
//! an end is given back, or expires.

mod calling;
mod claiming;
mod recording;

use std::marker::PhantomData;
use std::sync::Arc;

use aws_lambda_events::sqs::SqsEvent;
use futures::FutureExt;
use lambda_runtime::{LambdaEvent, service_fn};

use crate::batch::{self, Later, Record};
use crate::channels::{Channel, SendError};
use crate::config::{self, ConfigError};
use crate::flow::report::Place;
use crate::health;
use crate::http::CarrierClient;
use crate::model::{ExternalId, MatchResult, Sending, Subject, Timestamp};
use crate::publish::Publisher;
use crate::queue::{Queue, Sqs};
use crate::store::keys::AddressPartition;
use crate::store::{Claimant, SendKey, Store};
use crate::tasks::SendTask;
use crate::telemetry::{Metric, Outcome};
use crate::warm;
use crate::webhook::Event;

/// Clocks of two machines may differ by this much; a claim lives that much longer than its claimant.
const CLOCK_SKEW_SECONDS: i64 = 1;

pub struct SenderConfig {
    /// The carrier's API, without a slash at its end.
    pub api_url: String,
    /// Our own public base URL: receipts come back below it.
    pub public_url: String,
    /// How often the queue gives a task out before it goes to the dead-letter queue.
    pub max_receives: u32,
}

impl SenderConfig {
    pub fn from_env() -> Result<Self, ConfigError> {
        Ok(Self {
            api_url: config::base_url("CARRIER_API_URL")?,
            public_url: config::base_url("PUBLIC_URL")?,
            max_receives: config::number("MAX_RECEIVES")?,
        })
    }
}

/// Runs a sending function until Lambda ends it.
pub async fn run<C: Channel + 'static>() -> Result<(), lambda_runtime::Error> {
    crate::telemetry::init();
    let aws = crate::aws::config()?;
    let store = Store::from_env(&aws)?;
    let sqs = Sqs::new(&aws);
    let publisher = Publisher::from_env(&sqs, store.clone())?;
    let queue = sqs.queue("SEND_QUEUE_URL")?;
    let sender = Arc::new(Sender::<C>::new(store.clone(), CarrierClient::new()?, SenderConfig::from_env()?));
    let warming = publisher.clone();
    warm::behind_the_first_poll(async move {
        tokio::join!(store.warm(), warming.warm());
    });
    let handle = move |event: LambdaEvent<SqsEvent>| {
        let (sender, queue, publisher) = (Arc::clone(&sender), queue.clone(), publisher.clone());
        async move {
            let ends = Timestamp::from_millis(i64::try_from(event.context.deadline).unwrap_or(i64::MAX));
            let tasks = queue.clone();
            let send = move |record| {
                let (sender, tasks) = (Arc::clone(&sender), tasks.clone());
                async move { sender.take_up(record, ends, &tasks).await }
            };
            // Boxed: the compiler follows nested futures only so deep.
            Ok::<_, lambda_runtime::Error>(batch::run(event.payload, &queue, Some(&publisher), send).boxed().await)
        }
    };
    lambda_runtime::run(service_fn(handle)).await
}

/// Sends through channel `C`.
pub struct Sender<C> {
    store: Store,
    carrier: CarrierClient,
    config: SenderConfig,
    channel: PhantomData<fn() -> C>,
}

/// A claimed send on its way.
struct Job<'a> {
    sending: &'a Sending,
    partition: AddressPartition,
    key: SendKey,
    place: Place,
    /// We, and until when the claim is ours.
    claimant: Claimant,
    receives: u32,
    /// Whether an earlier reading may have died before it could publish.
    repeat: bool,
}

/// Whether it is ours to send.
enum Taken {
    /// Yes; these parts went out before.
    Ours(Vec<ExternalId>),
    /// No, and this is what to publish.
    Not(Vec<Event>),
}

/// Why the carrier does not have it, or not all of it.
struct Unsent {
    error: SendError,
    person: Option<MatchResult>,
    /// Whether it was the carrier that said no.
    is_the_carriers: bool,
}

impl<C: Channel> Sender<C> {
    pub fn new(store: Store, carrier: CarrierClient, config: SenderConfig) -> Self {
        Self { store, carrier, config, channel: PhantomData }
    }

    /// Sends what is first in the task, and puts the rest back on the queue: a message never overtakes the one before it.
    /// `invocation_ends`: when Lambda will have ended this invocation, whatever happens.
    async fn take_up(
        &self,
        record: Record<SendTask>,
        invocation_ends: Timestamp,
        queue: &Queue,
    ) -> Result<Vec<Event>, Later> {
        let Record { task, receives, enqueued } = record;
        let (sending, rest) = task.split();
        let events = self.send(Record { task: sending, receives, enqueued }, invocation_ends).await?;
        if let Some(rest) = rest {
            queue.send(&rest).await?;
        }
        Ok(events)
    }

    async fn send(&self, record: Record<Sending>, invocation_ends: Timestamp) -> Result<Vec<Event>, Later> {
        let sending = &record.task;
        let repeat = record.may_be_a_repeat(sending.accepted);
        let integration = self.store.integration(sending.app_id, sending.integration_id).await?;
        let partition = AddressPartition::new(sending.app_id, sending.integration_id, &sending.address);
        let job = Job {
            sending,
            partition: partition.clone(),
            key: SendKey::new(&partition, sending.accepted, sending.subject),
            place: Place {
                app_id: sending.app_id,
                integration_id: sending.integration_id,
                channel: C::TYPE,
                address: sending.address.clone(),
            },
            claimant: Claimant::until(invocation_ends.plus_seconds(CLOCK_SKEW_SECONDS)),
            receives: record.receives,
            repeat,
        };
        let policy = integration.as_ref().map(|integration| integration.expired_claim).unwrap_or_default();
        let (taken, known) = tokio::join!(self.take(&job, policy), self.store.find_match(&partition, false));
        match taken? {
            Taken::Not(events) => Ok(events),
            Taken::Ours(sent) => match self.call(&job, integration.as_ref(), known?, sent).await? {
                Ok((ids, person)) => {
                    let events = self.record_sent(&job, &ids, person.as_ref()).await?;
                    health::note(&self.store, integration.as_ref(), Ok(())).await;
                    Ok(events)
                }
                Err(unsent) => {
                    if unsent.is_the_carriers {
                        health::note(&self.store, integration.as_ref(), Err(&unsent.error)).await;
                    }
                    self.settle(&job, policy, unsent).await
                }
            },
        }
    }
}

impl Job<'_> {
    fn metric(&self, notification: Metric, message: Metric) -> Metric {
        match self.sending.subject {
            Subject::Notification(_) => notification,
            Subject::Message(_) | Subject::Confirmation(_) => message,
        }
    }

    fn outcome(&self, metric: Metric) -> Outcome {
        Outcome::of(metric)
            .with(self.sending.subject.id_name(), self.sending.subject)
            .with("appId", self.sending.app_id)
            .with("integrationId", self.sending.integration_id)
            .with_number("attempt", i64::from(self.receives))
    }
}

fn now() -> Timestamp {
    std::time::SystemTime::now().into()
}
