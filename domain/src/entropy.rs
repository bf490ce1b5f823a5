//! What new ids and secrets are drawn from. The domain reads no clock and draws nothing itself: whoever makes something
//! new hands in where its moment and its randomness come from.

use crate::timestamp::Timestamp;

pub trait Entropy {
    fn now(&self) -> Timestamp;

    /// Bytes that nobody can guess.
    fn bytes<const N: usize>(&self) -> [u8; N];
}

/// For tests: different every time, and nothing else.
#[cfg(test)]
pub(crate) struct Counter;

#[cfg(test)]
impl Entropy for Counter {
    fn now(&self) -> Timestamp {
        Timestamp::from_millis(1_790_000_000_000)
    }

    fn bytes<const N: usize>(&self) -> [u8; N] {
        static COUNT: std::sync::atomic::AtomicU64 = std::sync::atomic::AtomicU64::new(1);
        let count = COUNT.fetch_add(1, std::sync::atomic::Ordering::Relaxed).to_be_bytes();
        std::array::from_fn(|at| count[(at + count.len() - N % count.len()) % count.len()])
    }
}
