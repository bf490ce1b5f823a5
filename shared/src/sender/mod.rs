//! Sending one message to one address through a channel: claim, match, render, call, record, report.
//!
//! The same for every channel; a channel's binary only names its type. Decisions are `sending`'s, wire formats the
//! channel's. Never sends what it has not claimed, and never leaves a task without an end: a claim it cannot turn into
//! an end is given back, or expires. And never begins what its invocation may not see the end of: that goes on as a task
//! of its own, at once and at the cost of no try.

mod calling;
mod claiming;
mod health;
mod ordering;
mod patience;
mod recording;

use std::marker::PhantomData;
use std::sync::Arc;

use aws_lambda_events::sqs::SqsEvent;
use futures::FutureExt;
use lambda_runtime::{LambdaEvent, service_fn};

use crate::batch::{self, LanePlace, Later, Record};
use crate::channels::{Channel, SendError};
use crate::config::{self, ConfigError};
use crate::http::{CARRIER_TIMEOUT, CarrierClient};
use crate::model::{Destination, ExpiredClaim, ExternalId, Integration, MatchResult, Sending, Subject, Timestamp};
use crate::publish::Publisher;
use crate::queue::{Queue, SendQueues, Sqs};
use crate::sending::claim;
use crate::store::keys::AddressPartition;
use crate::store::{Claimant, MatchItem, SendKey, Store, StoreError};
use crate::system::now;
use crate::tasks::SendTask;
use crate::telemetry::{Metric, Outcome};
use crate::warm;
use crate::webhook::Event;
use calling::Called;
use patience::Resting;

/// Clocks of two machines may differ by this much; a claim lives that much longer than its claimant.
const CLOCK_SKEW_SECONDS: i64 = 1;

pub struct SenderConfig {
    /// The carrier's API, without a slash at its end.
    pub api_url: String,
    /// What carriers are told to call: receipts come back below it.
    pub callbacks_url: String,
    /// How often the queue gives a task out before it goes to the dead-letter queue.
    pub max_receives: u32,
}

impl SenderConfig {
    pub fn from_env() -> Result<Self, ConfigError> {
        Ok(Self {
            api_url: config::base_url("CARRIER_API_URL")?,
            callbacks_url: config::base_url("CALLBACKS_URL")?,
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
    let queue = SendQueues::from_env(&sqs)?.of(C::TYPE);
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
            let sent = batch::run_in_lanes(event.payload, &queue, Some(&publisher), lane, send).boxed();
            Ok::<_, lambda_runtime::Error>(sent.await)
        }
    };
    lambda_runtime::run(service_fn(handle)).await
}

/// What goes to one address leaves in the order in which it was accepted.
fn lane(task: &SendTask) -> Option<LanePlace> {
    let sending = task.sending();
    let lane = AddressPartition::new(sending.app_id, sending.integration_id, &sending.address).pk;
    Some(LanePlace { lane, at: sending.accepted })
}

/// Sends through channel `C`.
pub struct Sender<C> {
    store: Store,
    carrier: CarrierClient,
    config: SenderConfig,
    resting: Resting,
    channel: PhantomData<fn() -> C>,
}

/// A claimed send on its way.
struct Job<'a> {
    sending: &'a Sending,
    partition: AddressPartition,
    key: SendKey,
    destination: Destination,
    /// We, and until when the claim is ours.
    claimant: Claimant,
    /// When this invocation ends, whatever happens.
    ends: Timestamp,
    /// Which try this is, from 1.
    attempt: u32,
    /// Whether an earlier reading may have died before it could publish.
    repeat: bool,
}

/// What came of a task in this invocation.
enum Turn {
    /// It came to its end, and this is what to publish.
    Over(Vec<Event>),
    /// It goes on in so many seconds, as a task of its own. That is no try: nothing failed.
    GoesOn { seconds: u32 },
}

/// Whether it is ours to send.
enum Taken {
    /// Yes; these parts went out before.
    Ours { sent: Vec<ExternalId>, repeated: bool },
    /// No, and this is what to publish.
    Not(Vec<Event>),
}

/// By what a claimed send is judged.
struct Claim<'a> {
    integration: Option<&'a Integration>,
    policy: ExpiredClaim,
    /// Whether what may have gone out is being sent once more.
    repeated: bool,
}

/// Why the carrier does not have it, or not all of it.
struct Unsent {
    error: SendError,
    person: Option<MatchResult>,
}

impl<C: Channel> Sender<C> {
    pub fn new(store: Store, carrier: CarrierClient, config: SenderConfig) -> Self {
        Self { store, carrier, config, resting: Resting::default(), channel: PhantomData }
    }

    /// Sends what is first in the task, and puts the rest back on the queue: a message never overtakes the one before it.
    /// `invocation_ends`: when Lambda will have ended this invocation, whatever happens.
    async fn take_up(
        &self,
        record: Record<SendTask>,
        invocation_ends: Timestamp,
        queue: &Queue,
    ) -> Result<Vec<Event>, Later> {
        match self.turn(&record, invocation_ends).await? {
            Turn::Over(events) => {
                if let Some(rest) = record.task.rest() {
                    queue.send(&rest).await?;
                }
                Ok(events)
            }
            Turn::GoesOn { seconds } => {
                let tries = attempt(&record).saturating_sub(1);
                queue.send_later(&record.task.after_tries(tries), seconds).await?;
                Ok(Vec::new())
            }
        }
    }

    async fn turn(&self, record: &Record<SendTask>, invocation_ends: Timestamp) -> Result<Turn, Later> {
        let sending = record.task.sending();
        let job = self.job(record, sending, invocation_ends);
        if !job.has_time() {
            return out_of_time(record.waited);
        }
        if let Some(seconds) = self.steps_back(&job) {
            return Ok(Turn::GoesOn { seconds });
        }
        if let Some(seconds) = self.held_back(&job, record.task.behind(), record.waited).await? {
            return Ok(Turn::GoesOn { seconds });
        }
        let integration = self.store.integration(sending.app_id, sending.integration_id).await?;
        let policy = integration.as_ref().map(|integration| integration.expired_claim).unwrap_or_default();
        let (taken, known) = tokio::join!(self.take(&job, policy), self.store.find_match_lagging(&job.partition));
        match taken? {
            Taken::Not(events) => Ok(Turn::Over(events)),
            Taken::Ours { sent, repeated } => {
                let claim = Claim { integration: integration.as_ref(), policy, repeated };
                self.send(&job, &claim, known, sent).await
            }
        }
    }

    fn job<'a>(&self, record: &Record<SendTask>, sending: &'a Sending, ends: Timestamp) -> Job<'a> {
        let partition = AddressPartition::new(sending.app_id, sending.integration_id, &sending.address);
        Job {
            sending,
            key: SendKey::new(&partition, sending.accepted, sending.subject),
            partition,
            destination: Destination {
                channel: C::TYPE,
                integration_id: sending.integration_id,
                address: sending.address.clone(),
            },
            claimant: Claimant::until(ends.plus_seconds(CLOCK_SKEW_SECONDS)),
            ends,
            attempt: attempt(record),
            repeat: record.may_be_a_repeat(sending.accepted),
        }
    }

    async fn send(
        &self,
        job: &Job<'_>,
        claim: &Claim<'_>,
        known: Result<Option<MatchItem>, StoreError>,
        sent: Vec<ExternalId>,
    ) -> Result<Turn, Later> {
        let ready = match self.prepare(job, claim.integration, known).await {
            Ok(Ok(ready)) => ready,
            Ok(Err(unsent)) => return Ok(Turn::Over(self.settle(job, claim, unsent).await?)),
            Err(error) => {
                // Nothing went out: a claim left alone would look like a dead sender's.
                let _ = self.store.release(&job.key, &job.claimant, None).await;
                return Err(error.into());
            }
        };
        match self.call(job, ready, sent).await? {
            Called::Taken { ids, person } => {
                let events = self.record_sent(job, &ids, person.as_ref()).await?;
                health::note(&self.store, claim.integration, Ok(())).await;
                Ok(Turn::Over(events))
            }
            Called::Unsent(unsent) => {
                let error = unsent.error.clone();
                let settled = self.settle(job, claim, unsent).await;
                health::note(&self.store, claim.integration, Err(&error)).await;
                Ok(Turn::Over(settled?))
            }
            Called::OutOfTime { has_begun } => {
                self.store.release(&job.key, &job.claimant, None).await?;
                out_of_time(has_begun)
            }
        }
    }
}

/// Which try it is, those of earlier tasks included.
fn attempt(record: &Record<SendTask>) -> u32 {
    record.task.tries().saturating_add(record.receives)
}

/// There is a next time. `has_moved`: something was sent in this invocation, this or what stood before it, so that it
/// can't go on for ever; else it is a try like any other.
fn out_of_time(has_moved: bool) -> Result<Turn, Later> {
    if has_moved { Ok(Turn::GoesOn { seconds: 0 }) } else { Err(Later::because("too little time is left").after(1)) }
}

impl Job<'_> {
    /// Whether the invocation will see the end of a carrier's request that is begun now.
    fn has_time(&self) -> bool {
        claim::may_begin(now(), self.ends, CARRIER_TIMEOUT)
    }

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
            .with_number("attempt", i64::from(self.attempt))
    }
}
