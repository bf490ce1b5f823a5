//! The control API's demo apps: `GET /_local/ready` is the first one as the ready file has it, `POST /_local/apps`
//! makes another, of an account of its own.

use axum::body::Bytes;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use axum::{Json, Router};
use serde_json::json;

use super::{SeedError, Seeder, Wanted};

/// To be mounted at `/_local`.
pub fn router(seeder: Seeder) -> Router {
    Router::new().route("/ready", get(ready)).route("/apps", post(create)).with_state(seeder)
}

async fn ready(State(seeder): State<Seeder>) -> Response {
    match seeder.first() {
        Some(ready) => Json(ready).into_response(),
        None => {
            (StatusCode::SERVICE_UNAVAILABLE, Json(json!({ "error": "the demo app is not made yet" }))).into_response()
        }
    }
}

async fn create(State(seeder): State<Seeder>, body: Bytes) -> Response {
    let body: &[u8] = if body.is_empty() { b"{}" } else { &body };
    let wanted: Wanted = match serde_json::from_slice(body) {
        Ok(wanted) => wanted,
        Err(error) => return refuse(StatusCode::BAD_REQUEST, &error),
    };
    match seeder.app(wanted).await {
        Ok(ready) => (StatusCode::CREATED, Json(ready)).into_response(),
        Err(error @ SeedError::Refused(_)) => refuse(StatusCode::BAD_REQUEST, &error),
        Err(error) => refuse(StatusCode::INTERNAL_SERVER_ERROR, &error),
    }
}

fn refuse(status: StatusCode, error: &dyn std::fmt::Display) -> Response {
    (status, Json(json!({ "error": error.to_string() }))).into_response()
}
