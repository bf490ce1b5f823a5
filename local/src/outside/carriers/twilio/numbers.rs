//! Where messages to a number go: what its `SmsUrl` was last set to.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

/// One number's, as it is kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pointed {
    pub account_sid: String,
    pub number_sid: String,
    pub to: Target,
}

/// Paths below our public URL, which may be another after a restart; or URLs elsewhere, which are never called. Empty
/// where there is none.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Target {
    pub url: String,
    pub fallback: String,
    /// Has the messages instead of the URL.
    pub application_sid: String,
}

#[derive(Default)]
pub struct Numbers(Mutex<HashMap<(String, String), Target>>);

impl Numbers {
    pub fn new(kept: Vec<Pointed>) -> Self {
        let entry = |pointed: Pointed| ((pointed.account_sid, pointed.number_sid), pointed.to);
        Self(Mutex::new(kept.into_iter().map(entry).collect()))
    }

    pub fn point(&self, pointed: Pointed) {
        let mut numbers = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        numbers.insert((pointed.account_sid, pointed.number_sid), pointed.to);
    }

    /// As a number's owner does once, by hand.
    pub fn point_if_new(&self, pointed: Pointed) {
        let mut numbers = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        numbers.entry((pointed.account_sid, pointed.number_sid)).or_insert(pointed.to);
    }

    /// Empty for a number whose messages go nowhere.
    pub fn target(&self, account_sid: &str, number_sid: &str) -> Target {
        let numbers = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        numbers.get(&(account_sid.to_owned(), number_sid.to_owned())).cloned().unwrap_or_default()
    }
}
