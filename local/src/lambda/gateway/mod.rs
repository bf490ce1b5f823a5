//! HTTP to functions. This file is the HTTP API: a request finds its route, becomes a Lambda event, and the function's
//! answer becomes the response; [`routes`], [`event`] and [`cors`] decide, this file waits. [`Door`] is a function URL.
//! No authorizers, no custom domains.

mod cors;
mod event;
mod function_url;
mod listeners;
mod paths;
mod routes;

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use axum::body::{Body, Bytes, to_bytes};
use axum::extract::connect_info::ConnectInfo;
use axum::http::request::Parts;
use axum::http::{Request, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde_json::json;
use tokio::time::timeout;
use uuid::Uuid;

use crate::clock::now_ms;
use crate::control::ledger::Ledger;
use crate::lambda::runtime::{FunctionError, Runtime};
use crate::lambda::template::{Cors, Stack};

use cors::Asked;
use event::Incoming;
pub use function_url::Door;
pub use listeners::listen;
pub use paths::Paths;
pub use routes::Routes;

/// The largest body that the HTTP API takes, in bytes.
const MAX_BODY: usize = 10 << 20;

/// The largest event that Lambda takes, in bytes.
const MAX_EVENT: usize = 6 << 20;

/// How long the HTTP API waits for a function.
const PATIENCE: Duration = Duration::from_secs(30);

#[derive(Clone)]
pub struct Gateway {
    paths: Paths,
    routes: Arc<Routes>,
    cors: Option<Arc<Cors>>,
    runtime: Runtime,
    ledger: Ledger,
}

impl Gateway {
    pub fn new(stack: &Stack, paths: Paths, runtime: Runtime, ledger: Ledger) -> Self {
        let (routes, cors) = (Arc::new(Routes::new(&stack.routes)), stack.cors.clone().map(Arc::new));
        Self { paths, routes, cors, runtime, ledger }
    }

    /// Answers one request.
    pub async fn serve(&self, request: Request<Body>) -> Response {
        self.ledger.http_request();
        let id = Uuid::new_v4().simple().to_string();
        let mut response = self.answer(request, &id).await;
        if let Ok(value) = id.parse() {
            response.headers_mut().insert("apigw-requestid", value);
        }
        response
    }

    async fn answer(&self, request: Request<Body>, id: &str) -> Response {
        let (parts, body) = request.into_parts();
        let asked = Asked::of(&parts.method, &parts.headers);
        let path = self.paths.read(parts.uri.path());
        let Some(found) = self.routes.find(parts.method.as_str(), &path) else {
            return match &self.cors {
                Some(_) if asked.is_preflight() => self.shared(&asked, StatusCode::NO_CONTENT.into_response()),
                _ => refusal(StatusCode::NOT_FOUND, "Not Found"),
            };
        };
        let Ok(body) = to_bytes(body, MAX_BODY).await else {
            return refusal(StatusCode::PAYLOAD_TOO_LARGE, "Request Entity Too Large");
        };
        let incoming = Incoming {
            method: parts.method.as_str(),
            path: &path,
            query: parts.uri.query().unwrap_or_default(),
            headers: &parts.headers,
            body: &body,
            source_ip: &peer(&parts),
            request_id: id,
            at_ms: now_ms(),
        };
        let event = Bytes::from(event::build(&incoming, &found).to_string());
        if event.len() > MAX_EVENT {
            return refusal(StatusCode::PAYLOAD_TOO_LARGE, "Request Entity Too Large");
        }
        match timeout(PATIENCE, self.runtime.invoke(&found.function, event)).await {
            Err(_) => refusal(StatusCode::GATEWAY_TIMEOUT, "Gateway Timeout"),
            Ok(Err(FunctionError::Throttled | FunctionError::Stopped)) => {
                refusal(StatusCode::SERVICE_UNAVAILABLE, "Service Unavailable")
            }
            Ok(Err(_)) => internal_error(),
            Ok(Ok(answer)) => match event::response(&answer) {
                Some(response) => self.shared(&asked, response),
                None => internal_error(),
            },
        }
    }

    /// An answer that pages of other origins may see, as far as they may.
    fn shared(&self, asked: &Asked, mut response: Response) -> Response {
        if let Some(cors) = &self.cors {
            cors.apply(asked, response.headers_mut());
        }
        response
    }
}

fn peer(parts: &Parts) -> String {
    let peer = parts.extensions.get::<ConnectInfo<SocketAddr>>();
    peer.map_or_else(|| "127.0.0.1".to_owned(), |info| info.0.ip().to_string())
}

fn internal_error() -> Response {
    refusal(StatusCode::INTERNAL_SERVER_ERROR, "Internal Server Error")
}

fn refusal(status: StatusCode, message: &str) -> Response {
    let body = json!({ "message": message }).to_string();
    (status, [(header::CONTENT_TYPE, "application/json")], body).into_response()
}
