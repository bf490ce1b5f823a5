//! A function URL: one function behind an address of its own, without an API in front. The event is the HTTP API's, but
//! for what a route would add; refusals are Lambda's own.

use std::net::SocketAddr;

use axum::body::{Body, Bytes, to_bytes};
use axum::http::{HeaderValue, Request, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde_json::json;
use uuid::Uuid;

use super::event::{self, Incoming};
use super::paths::Paths;
use super::routes::Found;
use super::{MAX_EVENT, peer};
use crate::clock::now_ms;
use crate::control::ledger::Ledger;
use crate::lambda::runtime::{FunctionError, Runtime};
use crate::lambda::template::FunctionUrl;

/// The largest body that it takes, in bytes.
const MAX_BODY: usize = 6 << 20;

#[derive(Clone)]
pub struct Door {
    url: FunctionUrl,
    /// Host and port. Under another name AWS does not answer.
    domain: String,
    paths: Paths,
    runtime: Runtime,
    ledger: Ledger,
}

impl Door {
    pub fn new(url: FunctionUrl, address: SocketAddr, paths: Paths, runtime: Runtime, ledger: Ledger) -> Self {
        Self { url, domain: address.to_string(), paths, runtime, ledger }
    }

    /// Answers one request.
    pub async fn serve(&self, request: Request<Body>) -> Response {
        self.ledger.function_url_request();
        let id = Uuid::new_v4().to_string();
        let mut response = self.answer(request, &id).await;
        if let Ok(value) = id.parse() {
            response.headers_mut().insert("x-amzn-requestid", value);
        }
        response
    }

    async fn answer(&self, request: Request<Body>, id: &str) -> Response {
        let (parts, body) = request.into_parts();
        let is_meant = |host: &HeaderValue| host.as_bytes() == self.domain.as_bytes();
        if !self.url.is_public || !parts.headers.get(header::HOST).is_some_and(is_meant) {
            return refusal(StatusCode::FORBIDDEN, "Forbidden");
        }
        let Ok(body) = to_bytes(body, MAX_BODY).await else {
            return refusal(StatusCode::PAYLOAD_TOO_LARGE, "Request Entity Too Large");
        };
        let incoming = Incoming {
            method: parts.method.as_str(),
            path: &self.paths.read(parts.uri.path()),
            query: parts.uri.query().unwrap_or_default(),
            headers: &parts.headers,
            body: &body,
            source_ip: &peer(&parts),
            request_id: id,
            at_ms: now_ms(),
        };
        let event = Bytes::from(event::build(&incoming, &Found::default_of(&self.url.function)).to_string());
        if event.len() > MAX_EVENT {
            return refusal(StatusCode::PAYLOAD_TOO_LARGE, "Request Entity Too Large");
        }
        match self.runtime.invoke(&self.url.function, event).await {
            Ok(answer) => event::response(&answer).unwrap_or_else(failed),
            Err(FunctionError::Throttled) => refusal(StatusCode::TOO_MANY_REQUESTS, "Rate Exceeded."),
            Err(_) => failed(),
        }
    }
}

fn failed() -> Response {
    (StatusCode::BAD_GATEWAY, "Internal Server Error").into_response()
}

fn refusal(status: StatusCode, message: &str) -> Response {
    (status, [(header::CONTENT_TYPE, "application/json")], json!({ "Message": message }).to_string()).into_response()
}
