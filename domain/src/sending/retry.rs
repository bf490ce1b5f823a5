//! When a send is tried again, in seconds.

use crate::channels::{SendError, SendErrorKind};
use crate::retry::task_wait;

/// What may have gone out is sent once more only, so not before a carrier that broke down has had time to get up.
const BEFORE_A_REPEAT: u32 = 30;

/// Before a send is tried again after `attempt` tries.
pub fn wait(attempt: u32, error: &SendError, jitter: f64) -> u32 {
    let wait = task_wait(attempt, error.retry_after, jitter);
    if error.kind == SendErrorKind::Undecided { wait.max(BEFORE_A_REPEAT) } else { wait }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::retry::LONGEST_WISH;

    #[test]
    fn wishes_are_kept_up_to_a_cap_and_what_may_have_gone_out_takes_its_time() {
        let failed = |kind, retry_after| SendError { retry_after, ..SendError::new(kind, "No") };
        let wait = |kind, wish| super::wait(1, &failed(kind, wish), 0.5);
        assert_eq!(wait(SendErrorKind::Unavailable, None), 2);
        assert_eq!(wait(SendErrorKind::Unavailable, Some(40)), 40);
        assert_eq!(wait(SendErrorKind::Throttled {}, Some(u32::MAX)), LONGEST_WISH);
        assert_eq!(wait(SendErrorKind::Undecided, None), 30);
        assert_eq!(wait(SendErrorKind::Undecided, Some(90)), 90);
    }
}
