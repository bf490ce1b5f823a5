//! A carrier's callback, step by step: find the integration, verify, parse, enqueue, acknowledge.
//!
//! A carrier repeats what was refused for a few seconds, if at all. So a token that was changed a moment ago is looked up,
//! and what the queue cannot take is kept in the table, whose stream brings it to `receive`.

use std::sync::Arc;
use std::time::Duration;

use lambda_http::{Body, Request, Response};
use shared::channels::{self, Callback, CallbackError, Incoming, Receipt, ReceiptStatus, Reply, Unverified};
use shared::gateway::{self, Refusal};
use shared::ids::{AppId, IntegrationId};
use shared::model::{ApiError, ChannelType, ErrorCode, Integration, Timestamp};
use shared::secrets::{Keyring, SealingError};
use shared::store::StoreError;
use shared::system::now;
use shared::tasks::{ReceiveTask, Received, SendContext};
use shared::telemetry::{Metric, Outcome};

use crate::context::Context;

/// How long the queue has to answer. The table needs its time too, and carriers wait for fifteen seconds at most.
const PATIENCE: Duration = Duration::from_secs(4);

/// `/callbacks/{channel}/{appId}/{integrationId}`, for receipts followed by the token of the send.
struct Route {
    channel: ChannelType,
    app: AppId,
    integration: IntegrationId,
    token: Option<String>,
}

pub async fn handle(context: Arc<Context>, request: Request) -> Response<Body> {
    match take(&context, &request).await {
        Ok(channel) => channels::acknowledgement(channel).map(Body::from),
        Err(refusal) => {
            Outcome::of(Metric::CallbackRefused).with("reason", &refusal).log();
            gateway::refuse(&refusal)
        }
    }
}

async fn take(context: &Context, request: &Request) -> Result<ChannelType, Refusal> {
    let received = now();
    let route = route(request)?;
    let integration = find(context, &route).await?;
    let incoming = read(context, &integration, &callbacks(context, request, received)).await?;
    let send = match route.token.as_deref() {
        Some(token) => Some(open(context, &route, token, received).await?),
        None => None,
    };
    let tasks = tasks(&route, send.as_ref(), incoming, received);
    keep(context, &tasks, received).await?;
    let outcome = Outcome::of(Metric::CallbackAccepted).with("channel", route.channel).with("appId", route.app);
    outcome.with("integrationId", route.integration).with_number("tasks", tasks.len() as i64).log();
    Ok(route.channel)
}

fn route(request: &Request) -> Result<Route, ApiError> {
    let nothing = || ApiError::new(ErrorCode::NotFound, "There is nothing at this path");
    let words = gateway::words(request).unwrap_or_default();
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    let (channel, app, integration, token) = match words.as_slice() {
        ["callbacks", channel, app, integration] => (*channel, *app, *integration, None),
        ["callbacks", channel, app, integration, token] => (*channel, *app, *integration, Some(*token)),
        _ => return Err(nothing()),
    };
    Ok(Route {
        channel: ChannelType::from_name(channel).ok_or_else(nothing)?,
        app: app.parse().map_err(|_| nothing())?,
        integration: integration.parse().map_err(|_| nothing())?,
        token: token.map(str::to_owned),
    })
}

async fn find(context: &Context, route: &Route) -> Result<Integration, Refusal> {
    let found = context.store.integration(route.app, route.integration).await?;
    let fits = found.filter(|integration| integration.channel() == Some(route.channel));
    fits.ok_or_else(|| ApiError::new(ErrorCode::IntegrationNotFound, "Integration not found").into())
}

/// The callback under each address that the carrier may have been given, since signatures cover it: the stack's own, and the
/// one at which AWS took the request in. No caller has a say in either, as they have in `Host` or what proxies add: what
/// was signed for somebody else's address is not taken for ours.
fn callbacks(context: &Context, request: &Request, received: Timestamp) -> Vec<Callback> {
    let mut addresses: Vec<String> = context.public_url.clone().into_iter().chain(gateway::origin(request)).collect();
    addresses.dedup();
    let callback = |address| Callback {
        method: request.method().clone(),
        url: format!("{address}{}", gateway::path_and_query(request)),
        headers: request.headers().clone(),
        body: request.body().to_vec(),
        received,
    };
    addresses.into_iter().map(callback).collect()
}

/// The key may have been changed, or given, since the integration was read.
async fn read(context: &Context, integration: &Integration, callbacks: &[Callback]) -> Result<Vec<Incoming>, Refusal> {
    match read_any(integration, callbacks) {
        Err(error @ CallbackError::Unverified(Unverified::Wrong | Unverified::NoKey)) => {
            let now = context.store.integration_anew(integration.app_id, integration.id).await?;
            match now.filter(|now| now.settings != integration.settings) {
                Some(now) => Ok(read_any(&now, callbacks).map_err(untrusted)?),
                None => Err(untrusted(error).into()),
            }
        }
        read => Ok(read.map_err(untrusted)?),
    }
}

/// By the first address that its signature is of.
fn read_any(integration: &Integration, callbacks: &[Callback]) -> Result<Vec<Incoming>, CallbackError> {
    let mut outcome = Err(CallbackError::Unverified(Unverified::Wrong));
    for callback in callbacks {
        outcome = channels::read_callback(integration, callback.clone());
        if !matches!(outcome, Err(CallbackError::Unverified(Unverified::Wrong))) {
            break;
        }
    }
    outcome
}

fn untrusted(error: CallbackError) -> ApiError {
    let code = match &error {
        CallbackError::Unverified(Unverified::Missing) => ErrorCode::Unauthorized,
        CallbackError::Unverified(_) => ErrorCode::Forbidden,
        CallbackError::Malformed(_) => ErrorCode::BadRequest,
        CallbackError::TooLarge => ErrorCode::RequestEntityTooLarge,
    };
    ApiError::new(code, error.to_string())
}

async fn open(context: &Context, route: &Route, token: &str, now: Timestamp) -> Result<SendContext, Refusal> {
    let open = |keys: &Keyring| keys.open_context(route.app, route.integration, token, now);
    context.store.sealer().opening(open).await.map_err(|error| match error {
        SealingError::Unopenable(_) => {
            ApiError::new(ErrorCode::Forbidden, "The callback's token is not ours, or has expired").into()
        }
        error => StoreError::from(error).into(),
    })
}

/// What is worth a task. A receipt that says nothing new ends here, and so does one for a message that was not sent
/// through Heliograph: it has no token.
fn tasks(route: &Route, send: Option<&SendContext>, incoming: Vec<Incoming>, received: Timestamp) -> Vec<ReceiveTask> {
    let mut place = 0_u16;
    let mut task = |incoming| {
        let before = place;
        let what = match (incoming, send) {
            (Incoming::Receipt(Receipt { status: ReceiptStatus::Progress, .. }), _) | (Incoming::Receipt(_), None) => {
                return None;
            }
            (Incoming::Receipt(receipt), Some(context)) => Received::Receipt { context: context.clone(), receipt },
            (Incoming::Reply(reply), _) => {
                place = place.saturating_add(u16::try_from(reply.parts.len()).unwrap_or(u16::MAX));
                let display_name = Some(reply.from.display_name());
                Received::Reply(Reply { display_name, ..reply })
            }
        };
        let (app_id, integration_id, channel) = (route.app, route.integration, Some(route.channel));
        Some(ReceiveTask::V1 { app_id, integration_id, channel, received, place: before, put_back: None, what })
    };
    incoming.into_iter().filter_map(&mut task).collect()
}

/// On the queue, or else in the table.
async fn keep(context: &Context, tasks: &[ReceiveTask], now: Timestamp) -> Result<(), Refusal> {
    if tasks.is_empty() {
        return Ok(());
    }
    let refused = match tokio::time::timeout(PATIENCE, context.receive.send_all(tasks)).await {
        Ok(Ok(())) => return Ok(()),
        Ok(Err(error)) => error.to_string(),
        Err(_) => "no answer in time".to_owned(),
    };
    for task in tasks {
        context.store.park(task, now).await?;
    }
    Outcome::of(Metric::CallbackParked).with("reason", refused).with_number("tasks", tasks.len() as i64).log();
    Ok(())
}
