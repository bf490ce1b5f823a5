//! Trying anew over what other writers left: a little later each time, and not for ever.

use std::time::Duration;

use crate::store::StoreError;
use crate::system;

const MOST: u32 = 12;

#[derive(Default)]
pub struct Tries(u32);

impl Tries {
    /// Waits for the next try, if there is one.
    pub async fn again(&mut self) -> Result<(), StoreError> {
        let attempt = self.0;
        self.0 += 1;
        if self.0 == MOST {
            return Err(StoreError::Contended);
        }
        back_off(attempt).await;
        Ok(())
    }
}

/// Between two tries of what collided: 5 ms and growing, spread so that those who collided do not meet again.
pub async fn back_off(attempt: u32) {
    let longest = 5_u64 << attempt.min(6);
    tokio::time::sleep(Duration::from_millis(longest).mul_f64(0.5 + system::jitter() / 2.0)).await;
}
