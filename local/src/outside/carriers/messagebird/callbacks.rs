//! Status reports and people's messages, as MessageBird sends them.

use axum::http::header;
use shared::channels::segments;
use shared::model::MessagebirdSettings;

use super::super::callbacks::{Call, Inbound};
use super::super::message::{Message, Step};
use super::{date, signature};
use crate::clock::now_ms;

/// A status report: a signed GET with everything in its query.
pub fn report(settings: &MessagebirdSettings, message: &Message, step: &Step, url: &str) -> Option<Call> {
    let mut query = form_urlencoded::Serializer::new(String::new());
    query.append_pair("id", &message.external_id);
    query.append_pair("mccmnc", "20408").append_pair("ported", "0");
    query.append_pair("recipient", &message.to);
    query.append_pair("reference", message.reference.as_deref().unwrap_or_default());
    query.append_pair("status", &step.status);
    query.append_pair("statusDatetime", &date(now_ms()));
    query.append_pair("messagePartCount", &segments::count(&message.text).to_string());
    if let Some(code) = step.error {
        query.append_pair("statusErrorCode", &code.to_string());
        query.append_pair("statusReason", reason(code));
    }
    let separator = if url.contains('?') { '&' } else { '?' };
    let url = format!("{url}{separator}{}", query.finish());
    let token = token(settings, &url, b"")?;
    http::Request::get(url).header("messagebird-signature-jwt", token).body(Vec::new()).ok()
}

fn reason(code: u32) -> &'static str {
    match code {
        1 | 2 | 3 | 5 => "unknown subscriber",
        6 | 27 => "unavailable subscriber",
        34 => "received_network_error",
        103 => "opted out",
        _ => "unknown reason",
    }
}

/// A message from a person: the classic webhook's signed form.
pub fn inbound(settings: &MessagebirdSettings, inbound: &Inbound<'_>) -> Option<Call> {
    let Inbound { external_id, written, url, .. } = *inbound;
    let mut form = form_urlencoded::Serializer::new(String::new());
    form.append_pair("id", external_id);
    form.append_pair("recipient", settings.originator.digits());
    form.append_pair("originator", written.from.trim_start_matches('+'));
    form.append_pair("body", &written.text);
    form.append_pair("createdDatetime", &date(now_ms()));
    for (media_url, _) in &written.media {
        form.append_pair("mediaUrls", media_url);
    }
    let body = form.finish().into_bytes();
    http::Request::post(url)
        .header(header::CONTENT_TYPE, "application/x-www-form-urlencoded")
        .header("messagebird-signature-jwt", token(settings, url, &body)?)
        .body(body)
        .ok()
}

/// An account without a signing key signs nothing, and so its callbacks are refused; as with the real carrier.
fn token(settings: &MessagebirdSettings, url: &str, body: &[u8]) -> Option<String> {
    let key = settings.signing_key.as_ref().map_or("", |key| key.expose());
    signature::sign(key, url, body, now_ms().div_euclid(1000))
}
