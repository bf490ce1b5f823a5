//! Settings remembered by a warm function, for a while: that is how late a change may be noticed.

use std::collections::HashMap;
use std::hash::Hash;
use std::sync::Mutex;
use std::time::{Duration, Instant};

/// Beyond this the cache starts anew: a function that serves so many tenants gains little from it.
const CAPACITY: usize = 1_000;

/// Remembers for `SECONDS`.
pub struct Cache<K, V, const SECONDS: u64 = 30> {
    entries: Mutex<HashMap<K, (Instant, V)>>,
}

impl<K, V, const SECONDS: u64> Default for Cache<K, V, SECONDS> {
    fn default() -> Self {
        Self { entries: Mutex::default() }
    }
}

impl<K: Eq + Hash, V: Clone, const SECONDS: u64> Cache<K, V, SECONDS> {
    const LIFETIME: Duration = Duration::from_secs(SECONDS);

    pub fn get(&self, key: &K) -> Option<V> {
        let entries = self.entries.lock().ok()?;
        entries.get(key).filter(|(stored, _)| stored.elapsed() < Self::LIFETIME).map(|(_, value)| value.clone())
    }

    /// What was just deleted by this very function.
    pub fn forget(&self, key: &K) {
        if let Ok(mut entries) = self.entries.lock() {
            entries.remove(key);
        }
    }

    pub fn put(&self, key: K, value: V) {
        if let Ok(mut entries) = self.entries.lock() {
            if entries.len() >= CAPACITY {
                entries.clear();
            }
            entries.insert(key, (Instant::now(), value));
        }
    }
}
