//! What a warm instance remembers of somebody for a while: bounded, lost with the instance, and never relied upon.

use std::collections::HashMap;
use std::hash::Hash;
use std::sync::{Mutex, MutexGuard, PoisonError};

/// Beyond this the memory starts anew.
const CAPACITY: usize = 1_000;

#[derive(Debug)]
pub struct Memory<K, V>(Mutex<HashMap<K, V>>);

impl<K: Eq + Hash, V: Copy> Memory<K, V> {
    pub fn get(&self, key: &K) -> Option<V> {
        self.known().get(key).copied()
    }

    /// `None` is forgotten.
    pub fn update(&self, key: K, value: impl FnOnce(Option<V>) -> Option<V>) {
        let mut known = self.known();
        let old = known.remove(&key);
        let Some(new) = value(old) else { return };
        if known.len() >= CAPACITY {
            known.clear();
        }
        known.insert(key, new);
    }

    fn known(&self) -> MutexGuard<'_, HashMap<K, V>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl<K, V> Default for Memory<K, V> {
    fn default() -> Self {
        Self(Mutex::default())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_remembered_stays_small() {
        let memory = Memory::default();
        (0..=CAPACITY).for_each(|key| memory.update(key, |_| Some(())));
        assert_eq!((memory.get(&0), memory.get(&CAPACITY)), (None, Some(())));
        memory.update(CAPACITY, |known| known.and(None));
        assert_eq!(memory.get(&CAPACITY), None);
    }
}
