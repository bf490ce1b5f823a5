//! What was sent, and the calls an integration makes when it is set up. Nothing can be changed here: a number's new
//! address is shown once and forgotten, since replies go where the engine sends them.

use axum::Json;
use axum::extract::{OriginalUri, Path, State as Shared};
use axum::http::HeaderMap;
use serde_json::{Value, json};

use super::super::State;
use super::{TwilioError, authorized, not_found, settings, view};

pub async fn message(
    Shared(state): Shared<State>,
    Path((sid, file)): Path<(String, String)>,
    OriginalUri(uri): OriginalUri,
    headers: HeaderMap,
) -> Result<Json<Value>, TwilioError> {
    let accounts = authorized(&state, &headers, &sid, uri.path())?;
    let found = file.strip_suffix(".json").and_then(|id| state.0.outbox.find(id));
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
    authorized(&state, &headers, sid, uri.path())?;
    Ok(Json(json!({"sid": sid, "friendly_name": "Simulated account", "status": "active", "type": "Full"})))
}

pub async fn phone_number(
    Shared(state): Shared<State>,
    Path((sid, file)): Path<(String, String)>,
    OriginalUri(uri): OriginalUri,
    headers: HeaderMap,
    body: String,
) -> Result<Json<Value>, TwilioError> {
    let accounts = authorized(&state, &headers, &sid, uri.path())?;
    let wanted = file.strip_suffix(".json").unwrap_or_default();
    let found = accounts.iter().filter_map(|account| settings(account));
    let found = found.into_iter().find(|settings| settings.phone_number_sid == wanted);
    let number = found.ok_or_else(|| not_found(uri.path()))?.phone_number.as_str();
    let changed: Vec<(String, String)> = form_urlencoded::parse(body.as_bytes()).into_owned().collect();
    let change = |name: &str, default: &str| {
        changed.iter().find(|(given, _)| given == name).map_or(default.to_owned(), |(_, value)| value.clone())
    };
    Ok(Json(json!({
        "sid": wanted,
        "account_sid": sid,
        "phone_number": number,
        "capabilities": {"voice": true, "sms": true, "mms": true, "fax": false},
        "sms_url": change("SmsUrl", ""),
        "sms_method": change("SmsMethod", "POST"),
    })))
}

pub async fn unknown(OriginalUri(uri): OriginalUri) -> TwilioError {
    not_found(uri.path())
}
