//! How a claim ends: as sent or failed, with what the business is told of it, or given back for another try.

use super::{Claim, Job, Sender, Unsent};
use crate::batch::Later;
use crate::channels::{Channel, SendError, SendErrorKind};
use crate::linking;
use crate::model::{ExternalId, MatchResult, SendRecord, SendState, Subject};
use crate::sending::{claim, report, retry};
use crate::store::Write;
use crate::system::{jitter, now};
use crate::telemetry::Metric;
use crate::webhook::Event;

impl<C: Channel> Sender<C> {
    /// What a record says to the business: of a confirmation, what becomes of its link.
    pub(super) async fn events_of(&self, record: &SendRecord, job: &Job<'_>) -> Result<Vec<Event>, Later> {
        let Subject::Confirmation(link) = record.subject else {
            let event = report::of_sending(record, job.sending.app_id, &job.destination);
            return Ok(event.as_ref().map(Event::delivery).into_iter().collect());
        };
        let (app, at) = (job.sending.app_id, &job.partition);
        Ok(match (&record.failure, record.sent) {
            (Some(failure), _) => linking::failed(&self.store, app, at, link, failure, now()).await?,
            (None, Some(_)) => linking::sent(&self.store, app, at, link, now()).await?,
            (None, None) => Vec::new(),
        })
    }

    /// CLAIMED → SENT, and `:channel`.
    pub(super) async fn record_sent(
        &self,
        job: &Job<'_>,
        ids: &[ExternalId],
        person: Option<&MatchResult>,
    ) -> Result<Vec<Event>, Later> {
        match self.store.mark_sent(&job.key, &job.claimant, ids, person, now()).await? {
            Write::Done(record) => {
                job.outcome(job.metric(Metric::NotificationSent, Metric::MessageSent))
                    .with("externalId", first(ids))
                    .log();
                self.events_of(&record, job).await
            }
            Write::Refused(found) => self.overtaken(job, found).await,
        }
    }

    /// The claim is not ours any more. Whoever came to an end before us: theirs is what the business hears.
    async fn overtaken(&self, job: &Job<'_>, found: Option<Box<SendRecord>>) -> Result<Vec<Event>, Later> {
        match found {
            Some(record) if record.state == SendState::Claimed => {
                Err(Later::because("another invocation took the claim over"))
            }
            Some(record) => self.events_of(&record, job).await,
            None => Err(Later::because("the claim is gone")),
        }
    }

    /// Tries again later where that can help and tries are left; else CLAIMED → FAILED, and `:failure`.
    pub(super) async fn settle(
        &self,
        job: &Job<'_>,
        claim: &Claim<'_>,
        Unsent { error, person }: Unsent,
    ) -> Result<Vec<Event>, Later> {
        let is_undecided = error.kind == SendErrorKind::Undecided;
        let is_over = is_undecided && !claim::may_repeat(claim.policy, claim.repeated);
        if !error.is_retryable() || is_over || job.attempt >= self.config.max_receives {
            return self.record_failed(job, &error, person.as_ref()).await;
        }
        let exchange = error.exchange(now(), Some(job.attempt));
        match is_undecided {
            true => self.store.release_to_repeat(&job.key, &job.claimant, exchange.as_ref()).await?,
            false => self.store.release(&job.key, &job.claimant, exchange.as_ref()).await?,
        };
        let wait = retry::wait(job.attempt, &error, jitter());
        let outcome = job.outcome(Metric::SendRetried).with("reason", &error).with_answer(error.answer.as_deref());
        outcome.with_number("seconds", i64::from(wait)).log();
        Err(Later::because(error).after(wait))
    }

    pub(super) async fn record_failed(
        &self,
        job: &Job<'_>,
        error: &SendError,
        person: Option<&MatchResult>,
    ) -> Result<Vec<Event>, Later> {
        let failure = error.failure();
        let exchange = error.exchange(now(), Some(job.attempt));
        let why = (&failure, exchange.as_ref());
        match self.store.mark_failed(&job.key, &job.claimant, why, person, now()).await? {
            Write::Done(record) => {
                let outcome = job
                    .outcome(job.metric(Metric::NotificationFailed, Metric::MessageFailed))
                    .with("code", failure.code.as_str())
                    .with_answer(error.answer.as_deref());
                outcome.with("businessFault", error.is_business_fault()).log();
                self.events_of(&record, job).await
            }
            Write::Refused(found) => self.overtaken(job, found).await,
        }
    }
}

fn first(ids: &[ExternalId]) -> &str {
    ids.first().map_or("", |id| &id.0)
}
