//! What was sent, and the calls an integration makes when it is set up.

use std::sync::Arc;

use axum::Json;
use axum::extract::{OriginalUri, Path, State as Shared};
use axum::http::HeaderMap;
use serde_json::{Value, json};
use shared::model::ChannelType;

use super::super::State;
use super::super::accounts::Account;
use super::errors::{TwilioError, authorized, basic, by_status, not_found};
use super::messages::view;
use super::{Target, number, settings};

pub async fn message(
    Shared(state): Shared<State>,
    Path((sid, file)): Path<(String, String)>,
    OriginalUri(uri): OriginalUri,
    headers: HeaderMap,
) -> Result<Json<Value>, TwilioError> {
    let accounts = authorized(&state, &headers, &sid, uri.path())?;
    let found = file.strip_suffix(".json").and_then(|id| state.0.accepted.find(id));
    let found = found.filter(|found| accounts.iter().any(|account| account.integration_id == found.integration_id));
    found.map(|found| Json(view(&sid, &found))).ok_or_else(|| not_found(uri.path()))
}

pub async fn account(
    Shared(state): Shared<State>,
    Path(file): Path<String>,
    OriginalUri(uri): OriginalUri,
    headers: HeaderMap,
) -> Result<Json<Value>, TwilioError> {
    let sid = file.strip_suffix(".json").ok_or_else(|| not_found(uri.path()))?;
    visitor(&state, &headers, sid, uri.path())?;
    Ok(Json(json!({"sid": sid, "friendly_name": "Simulated account", "status": "active", "type": "Full"})))
}

pub async fn phone_number(
    Shared(state): Shared<State>,
    Path((sid, file)): Path<(String, String)>,
    OriginalUri(uri): OriginalUri,
    headers: HeaderMap,
    body: String,
) -> Result<Json<Value>, TwilioError> {
    let accounts = visitor(&state, &headers, &sid, uri.path())?;
    let wanted = file.strip_suffix(".json").unwrap_or_default();
    let found = accounts.iter().filter_map(|account| settings(account));
    let found = found.into_iter().find(|settings| settings.phone_number_sid == wanted);
    let phone_number = match found {
        Some(settings) => settings.phone_number.as_str().to_owned(),
        None if is_sid(wanted, "PN") => number_of(wanted),
        None => return Err(not_found(uri.path())),
    };
    let what = number(&sid, wanted);
    let mut target: Target = state.set_up(ChannelType::Twilio, &what);
    if change(&state, &mut target, &body) {
        state.keep_setup(ChannelType::Twilio, what, &target).await.map_err(|_| by_status(500))?;
    }
    let url = |target: String| if target.starts_with('/') { state.0.callbacks.url(&target) } else { target };
    Ok(Json(json!({
        "sid": wanted,
        "account_sid": sid,
        "phone_number": phone_number,
        "capabilities": {"voice": true, "sms": true, "mms": true, "fax": false},
        "sms_url": url(target.url),
        "sms_method": "POST",
        "sms_fallback_url": url(target.fallback),
        "sms_fallback_method": "POST",
        "sms_application_sid": target.application_sid,
    })))
}

/// What a form says of where a number's messages go. `false`: nothing.
fn change(state: &State, target: &mut Target, form: &str) -> bool {
    let ours = |url: &str| state.0.callbacks.path(url).unwrap_or(url).to_owned();
    let mut is_changed = false;
    for (name, value) in form_urlencoded::parse(form.as_bytes()) {
        match &*name {
            "SmsUrl" => target.url = ours(&value),
            "SmsFallbackUrl" => target.fallback = ours(&value),
            "SmsApplicationSid" => target.application_sid = value.into_owned(),
            _ => continue,
        }
        is_changed = true;
    }
    is_changed
}

/// As [`authorized`]; but an account that no integration has yet may be anybody's, if its SID and token look like one's.
fn visitor(state: &State, headers: &HeaderMap, sid: &str, path: &str) -> Result<Vec<Arc<Account>>, TwilioError> {
    let is_known = !state.0.accounts.of_login(ChannelType::Twilio, sid).is_empty();
    let token = basic(headers).filter(|(user, _)| user == sid).map(|(_, token)| token).unwrap_or_default();
    let looks_real = is_sid(sid, "AC") && is_sid(&format!("AC{token}"), "AC");
    if is_known || !looks_real { authorized(state, headers, sid, path) } else { Ok(Vec::new()) }
}

/// Two letters and 32 hexadecimal digits.
fn is_sid(text: &str, kind: &str) -> bool {
    text.strip_prefix(kind).is_some_and(|rest| rest.len() == 32 && rest.bytes().all(|byte| byte.is_ascii_hexdigit()))
}

/// The same for the same SID.
fn number_of(sid: &str) -> String {
    let digits = sid.bytes().fold(7_u64, |sum, byte| (sum * 31 + u64::from(byte)) % 10_000_000);
    format!("+1555{digits:07}")
}

pub async fn unknown(OriginalUri(uri): OriginalUri) -> TwilioError {
    not_found(uri.path())
}
