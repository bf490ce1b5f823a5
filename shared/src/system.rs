//! The one clock, and the one source of randomness.

use crate::entropy::Entropy;
use crate::model::Timestamp;

pub fn now() -> Timestamp {
    std::time::SystemTime::now().into()
}

/// Bytes that nobody can guess.
///
/// # Panics
/// Where the system has none to give: nothing that must stay secret can be made then.
pub fn random<const N: usize>() -> [u8; N] {
    let mut bytes = [0; N];
    assert!(getrandom::fill(&mut bytes).is_ok(), "the system gives no random bytes");
    bytes
}

/// A random number from 0 to 1, by which waits are spread.
pub fn jitter() -> f64 {
    f64::from(u32::from_be_bytes(random())) / f64::from(u32::MAX)
}

/// What new ids and secrets are drawn from.
#[derive(Debug, Clone, Copy)]
pub struct System;

impl Entropy for System {
    fn now(&self) -> Timestamp {
        now()
    }

    fn bytes<const N: usize>(&self) -> [u8; N] {
        random()
    }
}
