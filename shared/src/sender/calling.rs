//! From a claimed message to the carrier's answer: for whom it is, its requests, the calls.

use std::time::Instant;

use super::{Job, Sender, Unsent};
use crate::batch::Later;
use crate::channels::{CarrierRequest, Channel, Outgoing, SendError, SendErrorKind};
use crate::model::{ExternalId, Integration, MatchResult, Sending, Subject};
use crate::secrets::Keyring;
use crate::store::{MatchItem, NewClient, StoreError, Write};
use crate::system::now;
use crate::tasks::SendContext;

/// What can be sent.
pub(super) struct Ready {
    requests: Vec<CarrierRequest>,
    person: Option<MatchResult>,
}

/// What came of calling the carrier.
pub(super) enum Called {
    Taken {
        ids: Vec<ExternalId>,
        person: Option<MatchResult>,
    },
    Unsent(Unsent),
    /// The invocation may not see the end of the next request. `has_begun`: it saw that of one.
    OutOfTime {
        has_begun: bool,
    },
}

impl<C: Channel> Sender<C> {
    /// Renders. The person comes into being before the first call, so that the window between the carrier's answer and
    /// our record holds nothing but the record's write.
    pub(super) async fn prepare(
        &self,
        job: &Job<'_>,
        integration: Option<&Integration>,
        known: Result<Option<MatchItem>, StoreError>,
    ) -> Result<Result<Ready, Unsent>, StoreError> {
        let known = known?.map(|item| item.result);
        let requests = match self.render(job, integration).await? {
            Ok(requests) => requests,
            Err(error) => return Ok(Err(Unsent { error, person: known })),
        };
        Ok(self.recipient(job, known).await?.map(|person| Ready { requests, person }))
    }

    /// Calls for one part after the other, from the first that the carrier does not have.
    pub(super) async fn call(
        &self,
        job: &Job<'_>,
        Ready { requests, person }: Ready,
        mut sent: Vec<ExternalId>,
    ) -> Result<Called, Later> {
        let (total, before) = (requests.len(), sent.len());
        for request in requests.into_iter().skip(before) {
            if !job.has_time() {
                return Ok(Called::OutOfTime { has_begun: sent.len() > before });
            }
            let begun = Instant::now();
            let answer = self.carrier.send(request).await;
            self.resting.note(job.sending.integration_id, begun.elapsed(), Instant::now());
            match answer.and_then(|response| C::accepted(&response)) {
                Ok(id) => sent.push(id),
                Err(error) => {
                    let error = error.without(&job.sending.message);
                    return Ok(Called::Unsent(Unsent { error, person }));
                }
            }
            if sent.len() < total {
                let recorded = self.store.record_parts(&job.key, &job.claimant, &sent).await?;
                if let Write::Refused(_) = recorded {
                    return Err(Later::because("another invocation took the claim over"));
                }
            }
        }
        Ok(Called::Taken { ids: sent, person })
    }

    /// Whose the address is. What was meant for somebody else, or is wanted no more, is not sent.
    async fn recipient(
        &self,
        job: &Job<'_>,
        known: Option<MatchResult>,
    ) -> Result<Result<Option<MatchResult>, Unsent>, StoreError> {
        let unsent = |reason: &str| {
            let error = SendError::new(SendErrorKind::Misconfigured, reason);
            Ok(Err(Unsent { error, person: None }))
        };
        match (job.sending.subject, known) {
            // Whose the address is, or will be, is the link's business.
            (Subject::Confirmation(id), _) => match self.store.link_at(&job.partition).await? {
                Some(link) if link.id == id && link.is_open() => Ok(Ok(None)),
                _ => unsent("The link was ended, or another took its place"),
            },
            (Subject::Notification(_), Some(person)) => Ok(Ok(Some(person))),
            (Subject::Notification(_), None) => Ok(Ok(Some(self.create_person(job.sending).await?))),
            (Subject::Message(_), Some(owner)) if self.is_meant(job.sending, &owner).await? => Ok(Ok(Some(owner))),
            // A link of a moment ago may not have been seen.
            (Subject::Message(_), _) => match self.store.find_match(&job.partition).await? {
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
    ) -> Result<Result<Vec<CarrierRequest>, SendError>, StoreError> {
        let Some((integration, settings)) = integration.and_then(|found| Some((found, C::settings(found)?))) else {
            let reason = "The integration no longer exists, or is of another type";
            return Ok(Err(SendError::new(SendErrorKind::Misconfigured, reason)));
        };
        if integration.is_off() {
            let reason = "The integration is switched off (its status is inactive)";
            return Ok(Err(SendError::new(SendErrorKind::Misconfigured, reason)));
        }
        let app = self.store.app(integration.app_id).await?;
        let keys = self.store.sealer().keys().await.map_err(StoreError::from)?;
        let callback_url = |parts: usize| self.callback_url(&keys, job.sending, parts);
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

    fn callback_url(&self, keys: &Keyring, sending: &Sending, parts: usize) -> String {
        let (app, integration) = (sending.app_id, sending.integration_id);
        let context = SendContext {
            subject: sending.subject,
            accepted: sending.accepted,
            address: sending.address.clone(),
            parts: u8::try_from(parts).unwrap_or(u8::MAX),
        };
        let token = keys.seal_context(app, integration, &context);
        format!("{}/callbacks/{}/{app}/{integration}/{token}", self.config.callbacks_url, C::TYPE)
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
}
