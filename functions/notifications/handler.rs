//! Accepting a notification, step by step.

use lambda_http::{Body, Request, Response, http};
use serde_json::json;
use shared::auth;
use shared::channels;
use shared::config::ConfigError;
use shared::gateway::{self, Refusal};
use shared::ids::{AppId, NotificationId};
use shared::model::{
    ApiError, ChannelType, ErrorCode, Integration, IntegrationStatus, Notification, NotificationRequest,
};
use shared::queue::Queue;
use shared::store::Store;
use shared::tasks::SendTask;
use shared::telemetry::{Metric, Outcome};

/// v1.1 reference, section 11.
const BODY_LIMIT: usize = 100 * 1024;

pub struct Context {
    store: Store,
    send_twilio: Queue,
    send_messagebird: Queue,
}

impl Context {
    pub async fn from_env() -> Result<Self, ConfigError> {
        let aws = shared::aws::config().await;
        Ok(Self {
            store: Store::from_env(&aws)?,
            send_twilio: Queue::from_env(&aws, "SEND_TWILIO_QUEUE_URL")?,
            send_messagebird: Queue::from_env(&aws, "SEND_MESSAGEBIRD_QUEUE_URL")?,
        })
    }

    pub async fn warm(&self) {
        self.store.warm().await;
        self.send_twilio.warm().await;
    }

    fn queue(&self, channel: ChannelType) -> &Queue {
        match channel {
            ChannelType::Twilio => &self.send_twilio,
            ChannelType::Messagebird => &self.send_messagebird,
        }
    }
}

pub async fn handle(context: &Context, request: &Request) -> Response<Body> {
    match accept(context, request).await {
        Ok(notification) => {
            let outcome = Outcome::of(Metric::NotificationAccepted).with("notificationId", notification.id);
            outcome.with("appId", notification.app_id).with("integrationId", notification.integration_id).log();
            gateway::json(201, &json!({ "notification": { "_id": notification.id } }))
        }
        Err(refusal) => {
            Outcome::of(Metric::NotificationRefused).with("code", refusal.api_error().code.as_str()).log();
            refused(&refusal)
        }
    }
}

async fn accept(context: &Context, request: &Request) -> Result<Notification, Refusal> {
    let named = route(request)?;
    let authorization = request.headers().get(http::header::AUTHORIZATION).and_then(|value| value.to_str().ok());
    let caller = auth::authenticate(&context.store, authorization).await?;
    let app = caller.app(&context.store, named).await?;
    let wanted = NotificationRequest::parse(json_body(request)?)?;
    let integration = context.store.integration(app, wanted.integration_id).await?;
    let integration = usable(integration)?;
    let notification = checked(app, &integration, wanted)?;
    let task = SendTask::V1 { notification: notification.clone() };
    context.queue(integration.channel()).send(&task).await?;
    Ok(notification)
}

/// `/v1.1/apps/{appId}/notifications`, or without `/apps/{appId}`; also under `/v1`, where some clients call it. Without
/// regard to case.
fn route(request: &Request) -> Result<Option<AppId>, ApiError> {
    let segments = gateway::segments(request);
    let is = |segment: &str, name: &str| segment.eq_ignore_ascii_case(name);
    let named = match segments.as_slice() {
        [version, last] if is_version(version) && is(last, "notifications") => None,
        [version, apps, app, last] if is_version(version) && is(apps, "apps") && is(last, "notifications") => {
            Some(app.parse().map_err(|_| ApiError::new(ErrorCode::AppNotFound, "App not found"))?)
        }
        _ => return Err(ApiError::new(ErrorCode::NotFound, "There is nothing at this path")),
    };
    if request.method() == http::Method::POST {
        Ok(named)
    } else {
        Err(ApiError::new(ErrorCode::MethodNotAllowed, "Only POST is served at this path"))
    }
}

fn is_version(segment: &str) -> bool {
    segment.eq_ignore_ascii_case("v1") || segment.eq_ignore_ascii_case("v1.1")
}

fn json_body(request: &Request) -> Result<&[u8], ApiError> {
    let body: &[u8] = request.body().as_ref();
    if body.len() > BODY_LIMIT {
        let problem = format!("The body must have at most {BODY_LIMIT} bytes");
        return Err(ApiError::new(ErrorCode::RequestEntityTooLarge, problem));
    }
    let content_type = request.headers().get(http::header::CONTENT_TYPE).and_then(|value| value.to_str().ok());
    let essence = content_type.unwrap_or_default().split(';').next().unwrap_or_default().trim();
    if !essence.eq_ignore_ascii_case("application/json") {
        return Err(ApiError::new(ErrorCode::UnsupportedMediaType, "Content-Type must be application/json"));
    }
    Ok(body)
}

fn usable(integration: Option<Integration>) -> Result<Integration, ApiError> {
    match integration {
        None => Err(ApiError::new(
            ErrorCode::IntegrationNotFound,
            "destination.integrationId names no integration of this app",
        )),
        Some(integration) if integration.status == IntegrationStatus::Inactive => {
            Err(ApiError::field("destination.integrationId", "names an integration that is inactive"))
        }
        Some(integration) => Ok(integration),
    }
}

fn checked(app: AppId, integration: &Integration, wanted: NotificationRequest) -> Result<Notification, ApiError> {
    let address = channels::address(integration.channel(), &wanted.destination_id)
        .map_err(|error| ApiError::field("destination.destinationId", error))?;
    Ok(Notification {
        id: NotificationId::generate(),
        app_id: app,
        integration_id: integration.id,
        display_name: Some(address.display_name()),
        address,
        author: wanted.author,
        message: wanted.message,
        accepted: std::time::SystemTime::now().into(),
    })
}

fn refused(refusal: &Refusal) -> Response<Body> {
    let mut response = gateway::refuse(refusal);
    if refusal.api_error().code == ErrorCode::MethodNotAllowed {
        response.headers_mut().insert(http::header::ALLOW, http::HeaderValue::from_static("POST"));
    }
    response
}
