//! What Twilio says when it refuses, and to whom it listens.

use std::sync::Arc;

use axum::Json;
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use base64::Engine;
use serde_json::json;
use shared::model::ChannelType;

use super::super::State;
use super::super::accounts::Account;
use super::super::intake::Refusal;
use super::settings;
use crate::control::faults::reset;

/// HTTP status, code and message, as Twilio writes them.
pub struct TwilioError(u16, u32, String);

impl TwilioError {
    pub fn new(status: u16, code: u32, message: impl Into<String>) -> Self {
        Self(status, code, message.into())
    }
}

impl IntoResponse for TwilioError {
    fn into_response(self) -> Response {
        let Self(status, code, message) = self;
        let more_info = format!("https://www.twilio.com/docs/errors/{code}");
        let body = json!({"code": code, "message": message, "more_info": more_info, "status": status});
        let status = StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        (status, [("x-twilio-error-code", code.to_string()), request_id()], Json(body)).into_response()
    }
}

pub fn request_id() -> (&'static str, String) {
    ("twilio-request-id", format!("RQ{}", uuid::Uuid::new_v4().simple()))
}

pub fn refused(refusal: Refusal, to: &str) -> Response {
    let (error, after) = match refusal {
        Refusal::InvalidNumber => (invalid_to(to), None),
        Refusal::OptedOut => (TwilioError::new(400, 21610, "Attempt to send to unsubscribed recipient"), None),
        Refusal::Throttled { after } => (by_status(429), Some(after)),
        Refusal::Status { status, after } => (by_status(status), after),
        Refusal::Silence => return reset(),
    };
    let mut response = error.into_response();
    if let Some(seconds) = after {
        response.headers_mut().insert(header::RETRY_AFTER, seconds.into());
    }
    response
}

pub fn by_status(status: u16) -> TwilioError {
    let (code, message) = match status {
        401 => (20003, "Authenticate"),
        404 => (20404, "The requested resource was not found"),
        429 => (20429, "Too Many Requests"),
        500 => (20500, "An internal server error has occurred"),
        503 => (20503, "Service unavailable"),
        status => (20_000 + u32::from(status), "Simulated error"),
    };
    TwilioError::new(status, code, message)
}

pub fn invalid_to(to: &str) -> TwilioError {
    TwilioError::new(400, 21211, format!("The 'To' number {to} is not a valid phone number."))
}

/// The integrations of the account whose credentials came. The path must name the same account.
pub fn authorized(state: &State, headers: &HeaderMap, sid: &str, path: &str) -> Result<Vec<Arc<Account>>, TwilioError> {
    let denied = |message: &str| TwilioError::new(401, 20003, message);
    let missing = || denied("Authentication Error - No credentials provided");
    let (user, token) = basic(headers).ok_or_else(missing)?;
    let mut accounts = state.0.accounts.of_login(ChannelType::Twilio, &user);
    if accounts.is_empty() {
        return Err(denied("Authentication Error - invalid username"));
    }
    accounts.retain(|account| settings(account).is_some_and(|settings| settings.auth_token.matches(&token)));
    if accounts.is_empty() {
        return Err(denied("Authenticate"));
    }
    if user == sid { Ok(accounts) } else { Err(not_found(path)) }
}

/// User and password.
pub fn basic(headers: &HeaderMap) -> Option<(String, String)> {
    let given = headers.get(header::AUTHORIZATION)?.to_str().ok()?.strip_prefix("Basic ")?;
    let pair = String::from_utf8(base64::engine::general_purpose::STANDARD.decode(given).ok()?).ok()?;
    pair.split_once(':').map(|(user, password)| (user.to_owned(), password.to_owned()))
}

pub fn not_found(path: &str) -> TwilioError {
    let path = path.find("/2010-04-01").map_or(path, |start| &path[start..]);
    TwilioError::new(404, 20404, format!("The requested resource {path} was not found"))
}
