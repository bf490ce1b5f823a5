//! Where the simulated carriers and the console meet the engine: their settings, their routes, and the moment after a
//! carrier's answer at which a fault may kill the function that asked.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

use axum::Router;

use crate::activity::Activity;
use crate::control::Pending;
use crate::engine::{Options, StartError};
use crate::faults::Faults;
use crate::feed::Feed;
use crate::runtime::Runtime;

pub struct Simulation {}

impl Simulation {
    /// The template's parameters that lead to the simulated carriers.
    pub fn parameters(url: &str) -> BTreeMap<String, String> {
        let parameters = [
            ("TwilioApiUrl", format!("{url}/_carriers/twilio")),
            ("MessagebirdApiUrl", format!("{url}/_carriers/messagebird")),
            ("WebhookPrivateNetworks", "allow".to_owned()),
        ];
        parameters.map(|(name, value)| (name.to_owned(), value)).into()
    }

    pub fn start(
        _options: &Options,
        _url: &str,
        _feed: &Feed,
        _faults: &Faults,
        _activity: &Activity,
        _data_dir: Option<&Path>,
    ) -> Result<Self, StartError> {
        Ok(Self {})
    }

    /// How much the carriers still have to send.
    pub fn pending(&self) -> Pending {
        Arc::new(|| 0)
    }

    /// The carriers' own API and their part of the control API.
    pub fn routers(self, _runtime: &Runtime) -> (Router, Router) {
        (Router::new(), Router::new())
    }
}

/// The page at `/`.
pub fn console() -> Router {
    Router::new()
}
