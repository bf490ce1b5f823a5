//! Whose carrier let calls hang lately: what goes through such an integration steps back before it is claimed
//! ([`patience`]), so that it does not keep the slots that others need.
//!
//! Known to a warm instance alone, and soon forgotten. It costs a send no try.

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use super::{Job, Sender};
use crate::channels::Channel;
use crate::ids::IntegrationId;
use crate::sending::patience;
use crate::system::{jitter, now};
use crate::telemetry::Metric;

/// Beyond this the memory starts anew.
const CAPACITY: usize = 1_000;

/// Integrations whose last call took long and, where the one before it did too, until when they rest: once may be chance.
#[derive(Default)]
pub(super) struct Resting(Mutex<HashMap<IntegrationId, Option<Instant>>>);

impl Resting {
    fn has(&self, integration: IntegrationId, now: Instant) -> bool {
        self.known().get(&integration).copied().flatten().is_some_and(|until| now < until)
    }

    /// A call took so long.
    pub(super) fn note(&self, integration: IntegrationId, took: Duration, now: Instant) {
        let mut known = self.known();
        let Some(rest) = patience::rest_after(took, jitter()) else {
            known.remove(&integration);
            return;
        };
        if known.len() >= CAPACITY {
            known.clear();
        }
        let rest = known.contains_key(&integration).then(|| now + rest);
        known.insert(integration, rest);
    }

    fn known(&self) -> MutexGuard<'_, HashMap<IntegrationId, Option<Instant>>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
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
