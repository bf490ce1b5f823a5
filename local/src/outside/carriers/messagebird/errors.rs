//! What MessageBird says when it refuses.

use axum::Json;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde_json::{Value, json};

use super::super::intake::Refusal;
use crate::control::faults::reset;

/// One entry of `{"errors":[…]}`.
pub fn problem(code: u32, description: &str, parameter: &str) -> Value {
    let parameter = if parameter.is_empty() { Value::Null } else { parameter.into() };
    json!({"code": code, "description": description, "parameter": parameter})
}

pub fn refuse(status: u16, problems: Vec<Value>) -> Response {
    let status = StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    (status, Json(json!({ "errors": problems }))).into_response()
}

pub fn refused(refusal: Refusal) -> Response {
    let (status, problems, after) = match refusal {
        Refusal::InvalidNumber => (422, vec![no_recipients()], None),
        Refusal::OptedOut => (422, vec![problem(10, "recipient has opted out", "recipients")], None),
        Refusal::Throttled { after } => (429, vec![], Some(after)),
        Refusal::Status { status, after } => (status, by_status(status), after),
        Refusal::Silence => return reset(),
    };
    let mut response = refuse(status, problems);
    if let Some(seconds) = after {
        response.headers_mut().insert(header::RETRY_AFTER, seconds.into());
    }
    response
}

fn by_status(status: u16) -> Vec<Value> {
    match status {
        401 => vec![wrong_key()],
        402 => vec![problem(25, "not enough balance", "")],
        404 => vec![problem(98, "path not found", "")],
        422 => vec![problem(9, "body is required", "body")],
        500 => vec![problem(99, "internal error", "")],
        _ => vec![],
    }
}

fn wrong_key() -> Value {
    problem(2, "Request not allowed (incorrect access_key)", "access_key")
}

pub fn unauthorized() -> Response {
    refuse(401, vec![wrong_key()])
}

pub fn no_recipients() -> Value {
    problem(9, "no (correct) recipients found", "recipients")
}

pub fn unknown_path() -> Response {
    refuse(404, vec![problem(98, "path not found", "")])
}
