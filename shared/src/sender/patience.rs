//! Whose carrier let calls hang lately: what goes through such an integration steps back before it is claimed
//! ([`patience`]), so that it does not keep the slots that others need.
//!
//! Known to a warm instance alone, and soon forgotten. It costs a send no try.

use std::time::{Duration, Instant};

use super::{Job, Sender};
use crate::channels::Channel;
use crate::ids::IntegrationId;
use crate::memory::Memory;
use crate::sending::patience;
use crate::system::{jitter, now};
use crate::telemetry::Metric;

/// Integrations whose last call took long and, where the one before it did too, until when they rest: once may be chance.
#[derive(Default)]
pub(super) struct Resting(Memory<IntegrationId, Option<Instant>>);

impl Resting {
    fn has(&self, integration: IntegrationId, now: Instant) -> bool {
        self.0.get(&integration).flatten().is_some_and(|until| now < until)
    }

    /// A call took so long.
    pub(super) fn note(&self, integration: IntegrationId, took: Duration, now: Instant) {
        let rest = patience::rest_after(took, jitter());
        self.0.update(integration, |earlier| rest.map(|rest| earlier.map(|_| now + rest)));
    }
}

impl<C: Channel> Sender<C> {
    /// Seconds for which this send steps back, if its integration rests.
    pub(super) fn steps_back(&self, job: &Job<'_>) -> Option<u32> {
        if !self.resting.has(job.sending.integration_id, Instant::now()) {
            return None;
        }
        let seconds = patience::steps_back(job.sending.accepted, job.attempt, now())?;
        job.outcome(Metric::SendDeferred).with_number("seconds", i64::from(seconds)).log();
        Some(seconds)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::system::System;

    #[test]
    fn an_integration_rests_after_two_calls_that_hung_until_one_is_quick_or_its_time_is_over() {
        let (resting, hung, other, begun) =
            (Resting::default(), IntegrationId::generate(&System), IntegrationId::generate(&System), Instant::now());
        let (long, quick) = (Duration::from_secs(10), Duration::from_millis(200));
        resting.note(hung, long, begun);
        assert!(!resting.has(hung, begun), "once may be chance");
        resting.note(hung, long, begun);
        assert!(resting.has(hung, begun + Duration::from_secs(19)));
        assert!(!resting.has(hung, begun + Duration::from_secs(40)));
        assert!(!resting.has(other, begun), "nobody else has to wait");
        resting.note(other, quick, begun);
        assert!(resting.has(hung, begun));
        resting.note(hung, quick, begun);
        assert!(!resting.has(hung, begun));
    }
}
