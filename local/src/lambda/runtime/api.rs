//! The Lambda Runtime API, version 2018-06-01, for each process under a path of its own.

use axum::Router;
use axum::body::Bytes;
use axum::extract::{DefaultBodyLimit, Path, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use serde_json::{Value, json};

use super::Runtime;
use super::worker::{FunctionError, arn};
use crate::control::faults::reset;

/// The largest answer that Lambda takes, in bytes.
const MAX_RESPONSE: usize = 6 << 20;

/// To be mounted at `/_lambda`.
pub fn router(runtime: Runtime) -> Router {
    Router::new()
        .route("/{worker}/2018-06-01/runtime/invocation/next", get(next))
        .route("/{worker}/2018-06-01/runtime/invocation/{request}/response", post(response))
        .route("/{worker}/2018-06-01/runtime/invocation/{request}/error", post(error))
        .route("/{worker}/2018-06-01/runtime/init/error", post(init_error))
        .layer(DefaultBodyLimit::max(4 * MAX_RESPONSE))
        .with_state(runtime)
}

async fn next(State(runtime): State<Runtime>, Path(id): Path<String>) -> Response {
    let Some(worker) = runtime.worker(&id) else { return reset() };
    let Some(pool) = runtime.inner.pools.get(worker.function()) else { return reset() };
    let Some(handover) = worker.next(&runtime.inner.ledger).await else { return reset() };
    let trace = format!("Root=1-{:08x}-{:024x};Sampled=0", handover.deadline_ms / 1000, rand::random::<u64>());
    let headers = [
        ("Lambda-Runtime-Aws-Request-Id", handover.request_id),
        ("Lambda-Runtime-Deadline-Ms", handover.deadline_ms.to_string()),
        ("Lambda-Runtime-Invoked-Function-Arn", arn(&pool.program)),
        ("Lambda-Runtime-Trace-Id", trace),
    ];
    (headers, [(header::CONTENT_TYPE, "application/json")], handover.event).into_response()
}

async fn response(
    State(runtime): State<Runtime>,
    Path((id, request)): Path<(String, String)>,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    let Some(worker) = runtime.worker(&id) else { return reset() };
    let outcome = if body.len() > MAX_RESPONSE {
        let message = format!("Response payload size ({} bytes) exceeded maximum allowed payload size", body.len());
        Err(FunctionError::Handler(json!({ "errorType": "Function.ResponseSizeTooLarge", "errorMessage": message })))
    } else if headers.contains_key("Lambda-Runtime-Function-Response-Mode") {
        Err(FunctionError::Handler(
            json!({ "errorType": "Local.Streaming", "errorMessage": "streamed answers are not played on this machine" }),
        ))
    } else {
        Ok(body)
    };
    answer(worker.finish(&request, outcome))
}

async fn error(State(runtime): State<Runtime>, Path((id, request)): Path<(String, String)>, body: Bytes) -> Response {
    let Some(worker) = runtime.worker(&id) else { return reset() };
    answer(worker.finish(&request, Err(FunctionError::Handler(described(&body)))))
}

async fn init_error(State(runtime): State<Runtime>, Path(id): Path<String>, body: Bytes) -> Response {
    let Some(worker) = runtime.worker(&id) else { return reset() };
    worker.init_failed(described(&body));
    answer(true)
}

fn described(body: &[u8]) -> Value {
    serde_json::from_slice(body).unwrap_or_else(|_| json!({ "errorMessage": String::from_utf8_lossy(body) }))
}

fn answer(finished: bool) -> Response {
    if finished { (StatusCode::ACCEPTED, r#"{"status":"OK"}"#).into_response() } else { reset() }
}
