//! Sends, and what can be asked afterwards.

use std::sync::Arc;

use axum::Json;
use axum::body::Bytes;
use axum::extract::{Path, State as Shared};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde_json::{Map, Value, json};
use shared::channels::segments;
use shared::model::ChannelType;

use super::super::State;
use super::super::accounts::Account;
use super::super::message::Message;
use super::errors::{no_recipients, problem, refuse, refused, unauthorized};
use super::{Messagebird, date, settings};
use crate::clock::now_ms;

const RECIPIENT_LIMIT: usize = 50;
const SEGMENT_LIMIT: usize = 9;
/// Letters and digits of a sender that is no number.
const NAME_LIMIT: usize = 11;

pub async fn send(Shared(state): Shared<State>, headers: HeaderMap, body: Bytes) -> Response {
    let trouble = match state.strike(&Messagebird).await {
        Ok(trouble) => trouble,
        Err(refusal) => return refused(refusal),
    };
    let raw = fields(&headers, &body);
    state.meet_caller(raw.get("reportUrl").and_then(Value::as_str).unwrap_or_default()).await;
    let Some(account) = authorized(&state, &headers) else { return unauthorized() };
    let messages = match drafts(&state, &account, &raw) {
        Ok(messages) => messages,
        Err(problems) => return refuse(422, problems),
    };
    for message in &messages {
        if let Err(refusal) = state.accept(&Messagebird, message.clone(), trouble).await {
            return refused(refusal);
        }
    }
    trouble.heard.of((StatusCode::CREATED, Json(view(&messages))).into_response()).await
}

/// The integration whose access key came; the first, where several share it.
fn authorized(state: &State, headers: &HeaderMap) -> Option<Arc<Account>> {
    let key = headers.get(header::AUTHORIZATION)?.to_str().ok()?.strip_prefix("AccessKey ")?;
    state.0.accounts.of_login(ChannelType::Messagebird, key).into_iter().next()
}

/// JSON, or a form. What is neither has no fields, and so lacks everything.
fn fields(headers: &HeaderMap, body: &[u8]) -> Map<String, Value> {
    let content_type = headers.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    if content_type.starts_with("application/x-www-form-urlencoded") {
        form_urlencoded::parse(body).map(|(name, value)| (name.into_owned(), value.into_owned().into())).collect()
    } else {
        serde_json::from_slice(body).unwrap_or_default()
    }
}

/// One message for each recipient, all under one id; or everything that is wrong at once.
fn drafts(state: &State, account: &Account, raw: &Map<String, Value>) -> Result<Vec<Message>, Vec<Value>> {
    let text = |name: &str| raw.get(name).and_then(Value::as_str).unwrap_or_default();
    let recipients = recipients(raw.get("recipients"));
    let mut problems: Vec<Value> = Vec::new();
    problems.extend(recipients.is_none().then(no_recipients));
    problems.extend(originator_problem(text("originator")));
    problems.extend(body_problem(text("body")));
    problems.extend(datacoding_problem(raw.get("datacoding")));
    let report_path = state.0.callbacks.path(text("reportUrl"));
    if report_path.is_none() && !text("reportUrl").is_empty() {
        problems.push(problem(10, "reportUrl is invalid", "reportUrl"));
    }
    if !problems.is_empty() {
        return Err(problems);
    }
    let reference = Some(text("reference")).filter(|reference| !reference.is_empty());
    let external_id = uuid::Uuid::new_v4().simple().to_string();
    let messages = recipients.unwrap_or_default().into_iter().map(|to| Message {
        external_id: external_id.clone(),
        app_id: account.app_id,
        integration_id: account.integration_id,
        channel: ChannelType::Messagebird,
        to,
        from: text("originator").to_owned(),
        text: text("body").to_owned(),
        media_urls: Vec::new(),
        raw: raw.clone(),
        at: now_ms(),
        status: "sent".into(),
        // Without a reference there are no reports.
        callback_path: report_path.filter(|_| reference.is_some()).map(str::to_owned),
        reference: reference.map(str::to_owned),
    });
    Ok(messages.collect())
}

/// Numbers or texts in a list, or texts with commas between them; `None` unless all are subscribers' numbers.
fn recipients(given: Option<&Value>) -> Option<Vec<String>> {
    let given: Vec<String> = match given? {
        Value::Array(values) => values.iter().map(scalar).collect(),
        value => scalar(value).split(',').map(str::to_owned).collect(),
    };
    let numbers: Vec<String> = given.iter().map(|number| number.trim().trim_start_matches('+').to_owned()).collect();
    let is_number = |number: &String| {
        (7..=15).contains(&number.len()) && number.bytes().all(|byte| byte.is_ascii_digit()) && !number.starts_with('0')
    };
    ((1..=RECIPIENT_LIMIT).contains(&numbers.len()) && numbers.iter().all(is_number)).then_some(numbers)
}

fn scalar(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}

fn originator_problem(originator: &str) -> Option<Value> {
    if originator.is_empty() {
        return Some(problem(9, "originator is required", "originator"));
    }
    let number = originator.trim_start_matches('+');
    let is_number = number.len() <= 17 && number.bytes().all(|byte| byte.is_ascii_digit());
    let is_name = originator.len() <= NAME_LIMIT && originator.bytes().all(|b| b.is_ascii_alphanumeric() || b == b' ');
    (!is_number && !is_name).then(|| problem(10, "originator is invalid", "originator"))
}

fn body_problem(body: &str) -> Option<Value> {
    match segments::count(body) {
        0 => Some(problem(9, "body is required", "body")),
        count => (count > SEGMENT_LIMIT).then(|| problem(10, "body is too long", "body")),
    }
}

fn datacoding_problem(datacoding: Option<&Value>) -> Option<Value> {
    let is_known = datacoding.is_none_or(|value| matches!(value.as_str(), Some("plain" | "unicode" | "auto")));
    (!is_known).then(|| problem(10, "datacoding is invalid", "datacoding"))
}

/// The message object, as the answer to a send and as `GET` shows it.
fn view(messages: &[Message]) -> Value {
    let Some(first) = messages.first() else { return Value::Null };
    let created = date(first.at);
    let count = |status: &str| messages.iter().filter(|message| message.status == status).count();
    let parts = segments::count(&first.text);
    let items: Vec<_> = messages
        .iter()
        .map(|message| {
            let recipient: u64 = message.to.parse().unwrap_or_default();
            json!({"recipient": recipient, "status": message.status, "statusDatetime": created, "messagePartCount": parts})
        })
        .collect();
    let is_plain = segments::Encoding::of(&first.text) == segments::Encoding::Gsm7;
    json!({
        "id": first.external_id,
        "href": format!("https://rest.messagebird.com/messages/{}", first.external_id),
        "direction": "mt",
        "type": "sms",
        "originator": first.from,
        "body": first.text,
        "reference": first.reference,
        "validity": Value::Null,
        "gateway": 10,
        "typeDetails": {},
        "datacoding": if is_plain { "plain" } else { "unicode" },
        "mclass": 1,
        "scheduledDatetime": Value::Null,
        "createdDatetime": created,
        "recipients": {
            "totalCount": messages.len(),
            "totalSentCount": messages.len(),
            "totalDeliveredCount": count("delivered"),
            "totalDeliveryFailedCount": count("delivery_failed"),
            "items": items,
        },
    })
}

pub async fn message(Shared(state): Shared<State>, Path(id): Path<String>, headers: HeaderMap) -> Response {
    let Some(account) = authorized(&state, &headers) else { return unauthorized() };
    let login = |message: &Message| state.0.accounts.of_integration(message.integration_id);
    let is_ours = |message: &Message| {
        message.external_id == id
            && login(message).is_some_and(|other| {
                settings(&other).map(|settings| &settings.access_key)
                    == settings(&account).map(|settings| &settings.access_key)
            })
    };
    let found = state.0.accepted.select(is_ours);
    if found.is_empty() {
        return refuse(404, vec![problem(20, "message not found", "")]);
    }
    Json(view(&found)).into_response()
}

pub async fn balance(Shared(state): Shared<State>, headers: HeaderMap) -> Response {
    match authorized(&state, &headers) {
        Some(_) => Json(json!({"payment": "prepaid", "type": "credits", "amount": 10.1})).into_response(),
        None => unauthorized(),
    }
}
