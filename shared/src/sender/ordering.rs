//! Whether a message of a conversation has to wait for one that was posted before it ([`order`]). Costs notifications
//! nothing: they wait for nobody.

use std::time::Duration;

use super::{Job, Sender};
use crate::channels::Channel;
use crate::ids::MessageId;
use crate::sending::order;
use crate::store::StoreError;
use crate::system::now;
use crate::telemetry::Metric;

/// Most messages are sent within moments: looked for at these intervals, in milliseconds, before the queue is asked to
/// wait.
const QUICK_LOOKS: [u64; 4] = [50, 100, 200, 400];

impl<C: Channel> Sender<C> {
    /// Seconds after which to look again, if one of the messages `before` this one is still to be sent. `has_waited`: for
    /// its own lane, where they would have been had they been near.
    pub(super) async fn held_back(
        &self,
        job: &Job<'_>,
        before: &[MessageId],
        has_waited: bool,
    ) -> Result<Option<u32>, StoreError> {
        let mut before = order::waits_for(before, &[], now());
        let pauses = if has_waited { &[][..] } else { &QUICK_LOOKS };
        for pause in pauses.iter().map(Some).chain([None]) {
            let passed = self.store.passed(&job.partition, &before).await?;
            before = order::waits_for(&before, &passed, now());
            match pause {
                _ if before.is_empty() => return Ok(None),
                Some(pause) => tokio::time::sleep(Duration::from_millis(*pause)).await,
                None => {}
            }
        }
        let seconds = order::next_look(job.sending.accepted, now());
        job.outcome(Metric::SendDeferred).with_number("seconds", i64::from(seconds)).log();
        Ok(Some(seconds))
    }
}
