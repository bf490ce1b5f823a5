//! What was set at a carrier by whoever has an account there, such as where messages to a number go.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Value;
use shared::model::ChannelType;

use super::State;
use super::journal::NotWritten;

/// One setting.
#[derive(Debug, Clone, PartialEq)]
pub struct Setup {
    pub channel: ChannelType,
    /// The carrier's own name of what was set.
    pub what: String,
    pub value: Value,
}

#[derive(Default)]
pub struct Setups(Mutex<HashMap<(ChannelType, String), Value>>);

impl Setups {
    pub fn new(kept: Vec<Setup>) -> Self {
        Self(Mutex::new(kept.into_iter().map(|setup| ((setup.channel, setup.what), setup.value)).collect()))
    }
}

impl State {
    /// The default where nothing was set.
    pub(super) fn set_up<T: DeserializeOwned + Default>(&self, channel: ChannelType, what: &str) -> T {
        let setups = self.0.setups.0.lock().unwrap_or_else(PoisonError::into_inner);
        let set = setups.get(&(channel, what.to_owned())).cloned();
        set.and_then(|value| serde_json::from_value(value).ok()).unwrap_or_default()
    }

    /// Once this returns, no restart forgets it.
    pub(super) async fn keep_setup(
        &self,
        channel: ChannelType,
        what: String,
        value: &impl Serialize,
    ) -> Result<(), NotWritten> {
        let setup = Setup { channel, what, value: serde_json::to_value(value).map_err(|_| NotWritten)? };
        self.0.journal.set_up(&setup).await?;
        let mut setups = self.0.setups.0.lock().unwrap_or_else(PoisonError::into_inner);
        setups.insert((setup.channel, setup.what), setup.value);
        Ok(())
    }

    /// Until the engine ends, where nothing was set: what can be told anew at the next start.
    pub(super) fn set_up_if_new(&self, channel: ChannelType, what: String, value: &impl Serialize) {
        let Ok(value) = serde_json::to_value(value) else { return };
        let mut setups = self.0.setups.0.lock().unwrap_or_else(PoisonError::into_inner);
        setups.entry((channel, what)).or_insert(value);
    }
}
