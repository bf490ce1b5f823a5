//! Whose turn it is: the claim, and what an earlier one that stands in the way asks for.

use super::{Job, Sender, Taken};
use crate::batch::Later;
use crate::channels::{Channel, SendError, SendErrorKind};
use crate::model::{ExpiredClaim, SendRecord};
use crate::sending::claim::{self, ClaimStep};
use crate::store::Write;
use crate::system::now;
use crate::telemetry::Metric;

impl<C: Channel> Sender<C> {
    /// ABSENT → CLAIMED, or what the record that stands in the way asks for.
    pub(super) async fn take(&self, job: &Job<'_>, policy: ExpiredClaim) -> Result<Taken, Later> {
        let record = match self.store.claim(&job.key, job.sending, &job.claimant).await? {
            Write::Done(_) => return Ok(Taken::Ours { sent: Vec::new(), repeated: false }),
            Write::Refused(None) => return Err(Later::because("the claim was refused by nothing").after(1)),
            Write::Refused(Some(record)) => record,
        };
        match claim::on_found(&record, policy, job.repeat, now()) {
            ClaimStep::Nothing => Ok(Taken::Not(Vec::new())),
            ClaimStep::Republish => Ok(Taken::Not(self.events_of(&record, job).await?)),
            ClaimStep::Wait { seconds } => {
                job.outcome(Metric::SendDeferred).with_number("seconds", i64::from(seconds)).log();
                Err(Later::because("another invocation is sending it").after(seconds))
            }
            ClaimStep::Retake { old } => {
                let record = self.retake(job, old).await?;
                Ok(Taken::Ours { sent: record.external_ids, repeated: record.repeated })
            }
            ClaimStep::GiveUp { old } => {
                self.retake(job, old).await?;
                let error = SendError::new(
                    SendErrorKind::Undecided,
                    "Sending was interrupted; the message may have gone out and is not sent again",
                );
                Ok(Taken::Not(self.record_failed(job, &error, None).await?))
            }
        }
    }

    async fn retake(&self, job: &Job<'_>, old: i64) -> Result<Box<SendRecord>, Later> {
        match self.store.retake(&job.key, old, &job.claimant).await? {
            Write::Done(record) => Ok(record),
            Write::Refused(_) => Err(Later::because("another invocation took the claim over").after(1)),
        }
    }
}
