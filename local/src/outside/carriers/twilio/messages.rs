//! Sends: checked in Twilio's order, and answered with the message resource.

use std::sync::Arc;

use axum::Json;
use axum::extract::{OriginalUri, Path, State as Shared};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use serde_json::{Map, Value, json};
use shared::channels::segments;
use shared::model::{ChannelType, TwilioSettings};
use time::OffsetDateTime;
use time::format_description::well_known::Rfc2822;

use super::super::State;
use super::super::accounts::Account;
use super::super::message::Message;
use super::errors::{TwilioError, authorized, invalid_to, refused, request_id};
use super::{Twilio, message_sid, settings};
use crate::clock::now_ms;

const TEXT_LIMIT: usize = 1600;
const MEDIA_LIMIT: usize = 10;

pub async fn send(
    Shared(state): Shared<State>,
    Path(sid): Path<String>,
    OriginalUri(uri): OriginalUri,
    headers: HeaderMap,
    body: String,
) -> Response {
    let trouble = match state.strike(&Twilio).await {
        Ok(trouble) => trouble,
        Err(refusal) => return refused(refusal, ""),
    };
    if let Some((_, url)) = form_urlencoded::parse(body.as_bytes()).find(|(name, _)| name == "StatusCallback") {
        state.meet_caller(&url).await;
    }
    let draft = authorized(&state, &headers, &sid, uri.path()).and_then(|accounts| draft(&state, &accounts, &body));
    let message = match draft {
        Ok(message) => message,
        Err(error) => return error.into_response(),
    };
    match state.accept(&Twilio, message.clone(), trouble).await {
        Ok(()) => {
            trouble.heard.of((StatusCode::CREATED, [request_id()], Json(view(&sid, &message))).into_response()).await
        }
        Err(refusal) => refused(refusal, &message.to),
    }
}

/// Checks a send in Twilio's order: sender, destination, body.
fn draft(state: &State, accounts: &[Arc<Account>], body: &str) -> Result<Message, TwilioError> {
    let fields: Vec<(String, String)> = form_urlencoded::parse(body.as_bytes()).into_owned().collect();
    let get = |name: &str| fields.iter().find(|(given, _)| given == name).map(|(_, value)| value.clone());
    let (account, from, service) = sender(accounts, get("From"), get("MessagingServiceSid"))?;
    let to = destination(get("To"), &from)?;
    let media_urls: Vec<_> = fields.iter().filter(|(name, _)| name == "MediaUrl").map(|(_, url)| url.clone()).collect();
    let text = get("Body").unwrap_or_default();
    check_content(&text, &media_urls)?;
    let callback_path = match get("StatusCallback") {
        None => None,
        Some(url) => Some(state.0.callbacks.path(&url).map(str::to_owned).ok_or_else(|| {
            TwilioError::new(400, 21609, format!("The 'StatusCallback' URL {url} is not a valid URL."))
        })?),
    };
    Ok(Message {
        external_id: message_sid(!media_urls.is_empty()),
        app_id: account.app_id,
        integration_id: account.integration_id,
        channel: ChannelType::Twilio,
        to,
        from,
        text,
        media_urls,
        raw: raw(&fields),
        at: now_ms(),
        status: if service { "accepted" } else { "queued" }.into(),
        callback_path,
        reference: None,
    })
}

/// Which of the account's integrations sends, its number, and whether a service chose that.
fn sender(
    accounts: &[Arc<Account>],
    from: Option<String>,
    service: Option<String>,
) -> Result<(&Account, String, bool), TwilioError> {
    let find = |fits: &dyn Fn(&TwilioSettings) -> bool| {
        accounts.iter().find(|account| settings(account).is_some_and(fits)).map(Arc::as_ref)
    };
    if let Some(service) = service {
        let account = find(&|settings| settings.messaging_service_sid.as_deref() == Some(&service))
            .ok_or_else(|| TwilioError::new(400, 21701, "The Messaging Service does not exist."))?;
        let number = settings(account).map_or_else(String::new, |settings| settings.phone_number.as_str().to_owned());
        return Ok((account, number, from.is_none()));
    }
    let from = from.filter(|from| !from.is_empty());
    let from = from.ok_or_else(|| TwilioError::new(400, 21603, "A 'From' phone number is required."))?;
    match from.as_str() {
        "+15005550001" => {
            let what = "is not a valid phone number, shortcode, or alphanumeric sender ID.";
            Err(TwilioError::new(400, 21212, format!("The 'From' number {from} {what}")))
        }
        "+15005550008" => Err(TwilioError::new(429, 21611, "SMS queue is full.")),
        number => match find(&|settings| settings.phone_number.as_str() == number) {
            Some(account) => Ok((account, from, false)),
            None => {
                let what = "is not a valid, SMS-capable inbound phone number or short code for your account.";
                Err(TwilioError::new(400, 21606, format!("The From phone number {from} {what}")))
            }
        },
    }
}

fn destination(to: Option<String>, from: &str) -> Result<String, TwilioError> {
    let to = to.filter(|to| !to.is_empty());
    let to = to.ok_or_else(|| TwilioError::new(400, 21604, "A 'To' phone number is required."))?;
    let digits = to.strip_prefix('+').unwrap_or_default();
    if !(7..=15).contains(&digits.len()) || !digits.bytes().all(|byte| byte.is_ascii_digit()) || to == "+15005550001" {
        return Err(invalid_to(&to));
    }
    let error = |code, message: String| Err(TwilioError::new(400, code, message));
    // Twilio's own magic numbers.
    match to.as_str() {
        "+15005550002" => {
            let what = format!("is not currently reachable using the 'From' phone number: {from} via SMS.");
            error(21612, format!("The 'To' phone number: {to}, {what}"))
        }
        "+15005550003" => {
            let what = "Permission to send an SMS has not been enabled for the region indicated by the 'To' number";
            error(21408, format!("{what}: {to}."))
        }
        "+15005550004" => error(21610, "Attempt to send to unsubscribed recipient".into()),
        "+15005550009" => error(21614, format!("To number: {to}, is not a mobile number")),
        _ => Ok(to),
    }
}

fn check_content(text: &str, media_urls: &[String]) -> Result<(), TwilioError> {
    if text.is_empty() && media_urls.is_empty() {
        return Err(TwilioError::new(400, 21602, "Message body is required."));
    }
    if text.chars().count() > TEXT_LIMIT {
        let message = "The concatenated message body exceeds the 1600 character limit.";
        return Err(TwilioError::new(400, 21617, message));
    }
    if media_urls.len() > MEDIA_LIMIT {
        return Err(TwilioError::new(400, 21623, "Number of media files exceeds allowed limit"));
    }
    Ok(())
}

fn raw(fields: &[(String, String)]) -> Map<String, Value> {
    let mut raw = Map::new();
    for (name, value) in fields {
        match raw.get_mut(name) {
            Some(Value::Array(values)) => values.push(value.as_str().into()),
            Some(first) => *first = json!([first.take(), value]),
            None => {
                raw.insert(name.clone(), value.as_str().into());
            }
        }
    }
    raw
}

/// The message resource, as the answer to a send and as `GET` shows it.
pub fn view(account_sid: &str, message: &Message) -> Value {
    let path = format!("/2010-04-01/Accounts/{account_sid}/Messages/{}", message.external_id);
    let date = date(message.at);
    let is_unsent = message.status == "accepted";
    let segments = if is_unsent { 0 } else { segments::count(&message.text).max(1) };
    json!({
        "account_sid": account_sid,
        "api_version": "2010-04-01",
        "body": message.text,
        "date_created": date,
        "date_sent": Value::Null,
        "date_updated": date,
        "direction": "outbound-api",
        "error_code": Value::Null,
        "error_message": Value::Null,
        "from": if is_unsent { Value::Null } else { message.from.as_str().into() },
        "messaging_service_sid": message.raw.get("MessagingServiceSid").cloned().unwrap_or(Value::Null),
        "num_media": message.media_urls.len().to_string(),
        "num_segments": segments.to_string(),
        "price": Value::Null,
        "price_unit": "USD",
        "sid": message.external_id,
        "status": message.status,
        "subresource_uris": {"media": format!("{path}/Media.json")},
        "to": message.to,
        "uri": format!("{path}.json"),
    })
}

fn date(at: i64) -> String {
    let at = OffsetDateTime::from_unix_timestamp(at.div_euclid(1000)).unwrap_or(OffsetDateTime::UNIX_EPOCH);
    at.format(&Rfc2822).unwrap_or_default()
}
