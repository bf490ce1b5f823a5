//! Accepting a notification, step by step.

use lambda_http::{Body, Request, Response};
use serde_json::json;
use shared::api::{Api, Service, call};
use shared::channels;
use shared::config::ConfigError;
use shared::gateway::{self, Refusal};
use shared::ids::NotificationId;
use shared::model::{ApiError, ChannelType, ErrorCode, Integration, NotificationRequest, Sending, Subject};
use shared::queue::{SendQueues, Sqs};
use shared::store::Store;
use shared::tasks::SendTask;
use shared::telemetry::{Metric, Outcome};

pub struct Context {
    api: Api,
    store: Store,
    senders: SendQueues,
}

impl Context {
    pub async fn from_env() -> Result<Self, ConfigError> {
        let aws = shared::aws::config()?;
        let store = Store::from_env(&aws)?;
        Ok(Self {
            api: Api::new(Service::Notifications, store.clone()),
            senders: SendQueues::from_env(&Sqs::new(&aws))?,
            store,
        })
    }

    pub async fn warm(&self) {
        self.store.warm().await;
        self.senders.warm().await;
    }
}

pub async fn handle(context: &Context, request: &Request) -> Response<Body> {
    match accept(context, request).await {
        Ok(id) => gateway::json(201, &json!({ "notification": { "_id": id } })),
        Err(refusal) => {
            Outcome::of(Metric::NotificationRefused).with("code", refusal.api_error().code.as_str()).log();
            gateway::refuse(&refusal)
        }
    }
}

async fn accept(context: &Context, request: &Request) -> Result<NotificationId, Refusal> {
    let call = context.api.open(request).await?;
    let app = call.app()?;
    let wanted = NotificationRequest::parse(call::json_body(request)?)?;
    let integration = context.store.integration(app, wanted.integration_id).await?;
    let (integration, channel) = usable(integration)?;
    let id = NotificationId::generate();
    let sending = checked(id, &integration, channel, wanted)?;
    context.senders.send(&[(channel, SendTask::new(sending))]).await?;
    let outcome = Outcome::of(Metric::NotificationAccepted).with("notificationId", id);
    outcome.with("appId", app).with("integrationId", integration.id).log();
    Ok(id)
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
        accepted: std::time::SystemTime::now().into(),
    })
}
