//! Sending one message to one address through a channel: claim, match, render, call, record, report.
//!
//! The same for every channel; a channel's binary only names its type. Decisions are `flow`'s, wire formats the
//! channel's. Never sends what it has not claimed, and never leaves a task without an end: a claim it cannot turn into
//! an end is given back, or expires.

use std::marker::PhantomData;
use std::sync::Arc;

use aws_lambda_events::sqs::SqsEvent;
use futures::FutureExt;
use lambda_runtime::{LambdaEvent, service_fn};

use crate::batch::{self, Later, Record};
use crate::channels::{Channel, Outgoing, SendError, SendErrorKind};
use crate::config::{self, ConfigError};
use crate::flow::claim::{self, Found};
use crate::flow::report::{self, Place};
use crate::flow::retry;
use crate::health;
use crate::http::CarrierClient;
use crate::links;
use crate::model::{ExpiredClaim, ExternalId, Integration, MatchResult, SendRecord, Sending, Subject, Timestamp};
use crate::publish::Publisher;
use crate::queue::{Queue, Sqs};
use crate::store::keys::AddressPartition;
use crate::store::{MatchItem, NewClient, SendKey, Store, StoreError, Write};
use crate::tasks::{SendContext, SendTask};
use crate::telemetry::{Metric, Outcome};
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
    let aws = crate::aws::config().await?;
    let store = Store::from_env(&aws)?;
    let sqs = Sqs::new(&aws);
    let publisher = Publisher::from_env(&sqs, store.clone())?;
    let queue = sqs.queue("SEND_QUEUE_URL")?;
    let sender = Arc::new(Sender::<C>::new(store.clone(), CarrierClient::new()?, SenderConfig::from_env()?));
    let warming = publisher.clone();
    tokio::spawn(async move { tokio::join!(store.warm(), warming.warm()) });
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
    /// Until when the claim is ours.
    deadline: Timestamp,
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
            deadline: invocation_ends.plus_seconds(CLOCK_SKEW_SECONDS),
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

    /// ABSENT → CLAIMED, or what the record that stands in the way asks for.
    async fn take(&self, job: &Job<'_>, policy: ExpiredClaim) -> Result<Taken, Later> {
        let record = match self.store.claim(&job.key, job.sending, job.deadline).await? {
            Write::Done(_) => return Ok(Taken::Ours(Vec::new())),
            Write::Refused(None) => return Err(Later::because("the claim was refused by nothing").after(1)),
            Write::Refused(Some(record)) => record,
        };
        match claim::on_found(&record, policy, job.repeat, now()) {
            Found::Nothing => Ok(Taken::Not(Vec::new())),
            Found::Republish => Ok(Taken::Not(self.events_of(&record, job).await?)),
            Found::Wait { seconds } => {
                job.outcome(Metric::SendDeferred).with_number("seconds", i64::from(seconds)).log();
                Err(Later::because("another invocation is sending it").after(seconds))
            }
            Found::Retake { old } => match self.store.retake(&job.key, old, job.deadline).await? {
                Write::Done(record) => Ok(Taken::Ours(record.external_ids)),
                Write::Refused(_) => Err(Later::because("another invocation took the claim over").after(1)),
            },
            Found::GiveUp { .. } => {
                let error = SendError::new(
                    SendErrorKind::Undecided,
                    "Sending was interrupted; the message may have gone out and is not sent again",
                );
                Ok(Taken::Not(self.record_failed(job, &error, None).await?))
            }
        }
    }

    /// Renders and calls. The person comes into being before the first call, so that the window between the carrier's
    /// answer and our record holds nothing but the record's write.
    async fn call(
        &self,
        job: &Job<'_>,
        integration: Option<&Integration>,
        known: Option<MatchItem>,
        mut sent: Vec<ExternalId>,
    ) -> Result<Result<(Vec<ExternalId>, Option<MatchResult>), Unsent>, Later> {
        let known = known.map(|item| item.result);
        let requests = match self.render(job, integration).await? {
            Ok(requests) => requests,
            Err(error) => return Ok(Err(Unsent { error, person: known, is_the_carriers: false })),
        };
        let person = match self.whom(job, known).await? {
            Ok(person) => person,
            Err(unsent) => return Ok(Err(unsent)),
        };
        let total = requests.len();
        for request in requests.into_iter().skip(sent.len()) {
            let answer = self.carrier.send(request).await.and_then(|response| C::accepted(&response));
            match answer {
                Ok(id) => sent.push(id),
                Err(error) => return Ok(Err(Unsent { error, person, is_the_carriers: true })),
            }
            if sent.len() < total {
                self.store.record_parts(&job.key, &sent).await?;
            }
        }
        Ok(Ok((sent, person)))
    }

    /// Whose the address is. What was meant for somebody else, or is wanted no more, is not sent.
    async fn whom(
        &self,
        job: &Job<'_>,
        known: Option<MatchResult>,
    ) -> Result<Result<Option<MatchResult>, Unsent>, StoreError> {
        let unsent = |reason: &str| {
            let error = SendError::new(SendErrorKind::Misconfigured, reason);
            Ok(Err(Unsent { error, person: None, is_the_carriers: false }))
        };
        match (job.sending.subject, known) {
            // Whose the address is, or will be, is the link's business.
            (Subject::Confirmation(id), _) => match self.store.link_at(&job.partition).await? {
                Some(link) if link.id == id => Ok(Ok(None)),
                _ => unsent("Another link took this one's place"),
            },
            (Subject::Notification(_), Some(person)) => Ok(Ok(Some(person))),
            (Subject::Notification(_), None) => Ok(Ok(Some(self.create_person(job.sending).await?))),
            (Subject::Message(_), Some(owner)) if self.is_meant(job.sending, &owner).await? => Ok(Ok(Some(owner))),
            // A link of a moment ago may not have been seen.
            (Subject::Message(_), _) => match self.store.find_match(&job.partition, true).await? {
                Some(now) if self.is_meant(job.sending, &now.result).await? => Ok(Ok(Some(now.result))),
                _ => unsent("The person is no longer reached at this address"),
            },
        }
    }

    /// Whether the address's owner is whom the message is for, under whatever id after a merge.
    async fn is_meant(&self, sending: &Sending, owner: &MatchResult) -> Result<bool, StoreError> {
        match sending.app_user_id {
            None => Ok(true),
            Some(meant) if meant == owner.app_user_id => Ok(true),
            Some(meant) => {
                let now = self.store.app_user(sending.app_id, meant).await?;
                Ok(now.is_some_and(|user| user.id == owner.app_user_id))
            }
        }
    }

    async fn render(
        &self,
        job: &Job<'_>,
        integration: Option<&Integration>,
    ) -> Result<Result<Vec<crate::channels::CarrierRequest>, SendError>, StoreError> {
        let Some((integration, settings)) = integration.and_then(|found| Some((found, C::settings(found)?))) else {
            let reason = "The integration no longer exists, or is of another type";
            return Ok(Err(SendError::new(SendErrorKind::Misconfigured, reason)));
        };
        if integration.is_off() {
            let reason = "The integration is switched off (its status is inactive)";
            return Ok(Err(SendError::new(SendErrorKind::Misconfigured, reason)));
        }
        let app = self.store.app(integration.app_id).await?;
        let callback_url = |parts: usize| self.callback_url(job.sending, parts);
        Ok(C::render(
            settings,
            &Outgoing {
                api_url: &self.config.api_url,
                to: &job.sending.address,
                message: &job.sending.message,
                app_name: app.as_ref().map_or("The sender", |app| &app.name),
                callback_url: &callback_url,
                reference: job.sending.subject,
            },
        ))
    }

    fn callback_url(&self, sending: &Sending, parts: usize) -> String {
        let (app, integration) = (sending.app_id, sending.integration_id);
        let context = SendContext {
            subject: sending.subject,
            accepted: sending.accepted,
            address: sending.address.clone(),
            parts: u8::try_from(parts).unwrap_or(u8::MAX),
        };
        let token = self.store.sealer().seal_context(app, integration, &context);
        format!("{}/callbacks/{}/{app}/{integration}/{token}", self.config.public_url, C::TYPE)
    }

    async fn create_person(&self, sending: &Sending) -> Result<MatchResult, StoreError> {
        let new = NewClient {
            app: sending.app_id,
            integration: sending.integration_id,
            channel: C::TYPE,
            address: &sending.address,
            display_name: sending.display_name.as_deref(),
            started_by: None,
            now: now(),
        };
        Ok(self.store.create_match(new).await?.result)
    }

    /// What a record says to the business: of a confirmation, what becomes of its link.
    async fn events_of(&self, record: &SendRecord, job: &Job<'_>) -> Result<Vec<Event>, Later> {
        let Subject::Confirmation(link) = record.subject else {
            return Ok(report::of_sending(record, &job.place).as_ref().map(Event::delivery).into_iter().collect());
        };
        let (app, at) = (job.place.app_id, &job.partition);
        Ok(match (&record.failure, record.sent) {
            (Some(failure), _) => links::failed(&self.store, app, at, link, failure, now()).await?,
            (None, Some(_)) => links::sent(&self.store, app, at, link, now()).await?,
            (None, None) => Vec::new(),
        })
    }

    /// CLAIMED → SENT, and `:channel`.
    async fn record_sent(
        &self,
        job: &Job<'_>,
        ids: &[ExternalId],
        person: Option<&MatchResult>,
    ) -> Result<Vec<Event>, Later> {
        match self.store.mark_sent(&job.key, ids, person, now()).await? {
            Write::Done(record) => {
                job.outcome(job.metric(Metric::NotificationSent, Metric::MessageSent))
                    .with("externalId", first(ids))
                    .log();
                self.events_of(&record, job).await
            }
            // Somebody took the claim over and came to an end before us: theirs is what the business hears.
            Write::Refused(Some(record)) => self.events_of(&record, job).await,
            Write::Refused(None) => Err(Later::because("the claim is gone")),
        }
    }

    /// Tries again later where that can help and tries are left; else CLAIMED → FAILED, and `:failure`.
    async fn settle(&self, job: &Job<'_>, policy: ExpiredClaim, unsent: Unsent) -> Result<Vec<Event>, Later> {
        let Unsent { error, person, .. } = unsent;
        let doubtful = error.kind == SendErrorKind::Undecided && policy == ExpiredClaim::Fail;
        if !error.is_retryable() || doubtful || job.receives >= self.config.max_receives {
            return self.record_failed(job, &error, person.as_ref()).await;
        }
        self.store.release(&job.key, job.deadline).await?;
        let wait = retry::task_wait(job.receives, error.retry_after(), batch::jitter());
        job.outcome(Metric::SendRetried).with("reason", &error).with_number("seconds", i64::from(wait)).log();
        Err(Later::because(error).after(wait))
    }

    async fn record_failed(
        &self,
        job: &Job<'_>,
        error: &SendError,
        person: Option<&MatchResult>,
    ) -> Result<Vec<Event>, Later> {
        let failure = error.failure();
        match self.store.mark_failed(&job.key, &failure, person, now()).await? {
            Write::Done(record) => {
                let outcome = job
                    .outcome(job.metric(Metric::NotificationFailed, Metric::MessageFailed))
                    .with("code", failure.code.as_str());
                outcome.with("businessFault", error.is_business_fault()).log();
                self.events_of(&record, job).await
            }
            Write::Refused(Some(record)) => self.events_of(&record, job).await,
            Write::Refused(None) => Err(Later::because("the claim is gone")),
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

fn first(ids: &[ExternalId]) -> &str {
    ids.first().map_or("", |id| &id.0)
}

fn now() -> Timestamp {
    std::time::SystemTime::now().into()
}
