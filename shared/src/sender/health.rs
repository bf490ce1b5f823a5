//! Noting whether an integration's carrier takes what is sent through it, where the business reads it: in its `status`
//! and `error`.
//!
//! Never in the way of a send. What could not be noted will be by the next one.

use crate::channels::SendError;
use crate::model::Integration;
use crate::sending::health::{self, Health};
use crate::store::Store;
use crate::telemetry::{Causes, Metric, Outcome};

/// After a carrier answered, or did not.
pub async fn note(store: &Store, integration: Option<&Integration>, answer: Result<(), &SendError>) {
    let Some(integration) = integration else { return };
    let (error, metric) = match health::after(integration.error.as_deref(), answer) {
        Health::Unchanged => return,
        Health::Well => (None, Metric::IntegrationRecovered),
        Health::Ill(reason) => (Some(reason), Metric::IntegrationFailing),
    };
    let outcome = Outcome::of(metric).with("appId", integration.app_id).with("integrationId", integration.id);
    match store.note_health(integration, error).await {
        Ok(true) => outcome.log(),
        Ok(false) => {}
        Err(error) => {
            tracing::warn!(integration_id = %integration.id, error = %Causes(&error), "an integration's health was not noted")
        }
    }
}
