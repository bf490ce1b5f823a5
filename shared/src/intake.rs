//! Accepting a notification, step by step. Stores nothing: the queue is the record until delivery ends.
//!
//! Two functions do: the lean one that does nothing else, and the API's, where the path is spelled in a way that no route
//! of the gateway's knows.

use lambda_http::{Body, Response};
use serde_json::json;

use crate::api::{Answer, Call};
use crate::channels;
use crate::config::ConfigError;
use crate::gateway;
use crate::ids::NotificationId;
use crate::model::{ApiError, ChannelType, ErrorCode, Integration, NotificationRequest, Sending, Subject};
use crate::queue::{SendQueues, Sqs};
use crate::store::Store;
use crate::system::{System, now};
use crate::tasks::SendTask;
use crate::telemetry::{Metric, Outcome};

pub struct Intake {
    store: Store,
    senders: SendQueues,
}

impl Intake {
    pub fn from_env(sqs: &Sqs, store: Store) -> Result<Self, ConfigError> {
        Ok(Self { store, senders: SendQueues::from_env(sqs)? })
    }

    pub async fn warm(&self) {
        self.senders.warm().await;
    }

    /// `POST …/notifications`. Answers once the send is on its queue.
    pub async fn accept(&self, call: &Call<'_>) -> Answer {
        let app = call.app()?;
        let wanted = NotificationRequest::parse(call.json_bytes()?)?;
        let integration = self.store.integration(app, wanted.integration_id).await?;
        let (integration, channel) = usable(integration)?;
        let id = NotificationId::generate(&System);
        let sending = checked(id, &integration, channel, wanted)?;
        self.senders.send(&[(channel, SendTask::new(sending))]).await?;
        let outcome = Outcome::of(Metric::NotificationAccepted).with("notificationId", id);
        outcome.with("appId", app).with("integrationId", integration.id).log();
        Ok(created(id))
    }
}

fn created(id: NotificationId) -> Response<Body> {
    gateway::json(201, &json!({ "notification": { "_id": id } }))
}

fn usable(integration: Option<Integration>) -> Result<(Integration, ChannelType), ApiError> {
    let unusable = |problem| Err(ApiError::field("destination.integrationId", problem));
    let Some(integration) = integration else {
        let problem = "destination.integrationId names no integration of this app";
        return Err(ApiError::new(ErrorCode::IntegrationNotFound, problem));
    };
    match integration.channel() {
        None => unusable("names an integration of a type that sends no notifications"),
        Some(_) if integration.is_off() => {
            unusable("names an integration that is inactive; switch it on first, by its status")
        }
        Some(channel) => Ok((integration, channel)),
    }
}

fn checked(
    id: NotificationId,
    integration: &Integration,
    channel: ChannelType,
    wanted: NotificationRequest,
) -> Result<Sending, ApiError> {
    let address = channels::address(channel, &wanted.destination_id)
        .map_err(|error| ApiError::field("destination.destinationId", error))?;
    Ok(Sending {
        subject: Subject::Notification(id),
        app_id: integration.app_id,
        integration_id: integration.id,
        app_user_id: None,
        display_name: Some(address.display_name()),
        address,
        author: wanted.author,
        message: wanted.message,
        accepted: now(),
    })
}
