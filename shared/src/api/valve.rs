//! A rate valve for each app, in the memory of a warm function: no stored state, no call.
//!
//! It bounds what one app can ask of one instance of a function, so that one tenant's burst does not take the others'
//! turn. It is not a quota: an app that is served by several instances has several valves.

use std::num::NonZeroU32;
use std::time::Duration;

use governor::clock::{Clock, DefaultClock};
use governor::{DefaultKeyedRateLimiter, Quota, RateLimiter};

use crate::ids::AppId;

/// Beyond this many apps the valve forgets those it has not seen for a while.
const CAPACITY: usize = 10_000;

pub struct Valve {
    limiter: Option<DefaultKeyedRateLimiter<AppId>>,
}

impl Valve {
    /// `per_second` requests of one app, and as many at once; 0 leaves the valve open.
    pub fn new(per_second: u32) -> Self {
        Self { limiter: NonZeroU32::new(per_second).map(|rate| RateLimiter::keyed(Quota::per_second(rate))) }
    }

    /// Takes one request in.
    ///
    /// # Errors
    /// How long to wait before the next one can be taken.
    pub fn take(&self, app: AppId) -> Result<(), Duration> {
        let Some(limiter) = &self.limiter else { return Ok(()) };
        if limiter.len() > CAPACITY {
            limiter.retain_recent();
        }
        limiter.check_key(&app).map_err(|refusal| refusal.wait_time_from(DefaultClock::default().now()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_flood_of_one_app_is_stopped_and_another_app_passes() {
        let valve = Valve::new(5);
        let (flood, other) = (AppId::generate(), AppId::generate());
        let taken = (0..50).filter(|_| valve.take(flood).is_ok()).count();
        assert!((5..50).contains(&taken), "{taken}");
        assert!(valve.take(flood).is_err_and(|wait| wait <= Duration::from_secs(1)));
        assert_eq!(valve.take(other), Ok(()));
    }

    #[test]
    fn nought_leaves_it_open() {
        let (valve, app) = (Valve::new(0), AppId::generate());
        assert!((0..1_000).all(|_| valve.take(app).is_ok()));
    }
}
