//! Receipts and people's messages, as Twilio posts them.

use axum::http::header;
use shared::channels::segments;
use shared::model::TwilioSettings;
use time::OffsetDateTime;
use time::macros::format_description;

use super::super::callbacks::{Call, Inbound};
use super::super::message::{Message, Step};
use super::signature;

/// A receipt, as Twilio posts it.
pub fn receipt(settings: &TwilioSettings, message: &Message, step: &Step, url: &str) -> Option<Call> {
    let mut fields = vec![("SmsSid", message.external_id.clone()), ("SmsStatus", step.status.clone())];
    fields.push(("MessageStatus", step.status.clone()));
    if let Some(code) = step.error {
        fields.push(("ErrorCode", code.to_string()));
    }
    if matches!(step.status.as_str(), "delivered" | "undelivered") {
        let format = format_description!("[year repr:last_two][month][day][hour][minute]");
        fields.push(("RawDlrDoneDate", OffsetDateTime::now_utc().format(&format).unwrap_or_default()));
    }
    fields.push(("To", message.to.clone()));
    fields.push(("MessageSid", message.external_id.clone()));
    fields.push(("AccountSid", settings.account_sid.clone()));
    fields.push(("From", message.from.clone()));
    if let Some(service) = &settings.messaging_service_sid {
        fields.push(("MessagingServiceSid", service.clone()));
    }
    fields.push(("ApiVersion", "2010-04-01".into()));
    signed_form(settings, url, fields)
}

/// A message from a person, as Twilio posts it; to the fallback with the URL that failed.
pub fn inbound(settings: &TwilioSettings, inbound: &Inbound<'_>) -> Option<Call> {
    let Inbound { written, url, failed, .. } = *inbound;
    let id = inbound.external_id.to_owned();
    let mut fields = vec![("ToCountry", "US".to_owned()), ("SmsMessageSid", id.clone())];
    fields.push(("NumMedia", written.media.len().to_string()));
    for name in ["FromZip", "FromCity", "FromState", "ToCity", "ToState", "ToZip"] {
        fields.push((name, String::new()));
    }
    fields.push(("FromCountry", if written.from.starts_with("+1") { "US" } else { "" }.to_owned()));
    fields.push(("SmsSid", id.clone()));
    fields.push(("SmsStatus", "received".into()));
    fields.push(("Body", written.text.clone()));
    fields.push(("To", settings.phone_number.as_str().to_owned()));
    if let Some(service) = &settings.messaging_service_sid {
        fields.push(("MessagingServiceSid", service.clone()));
    }
    fields.push(("NumSegments", segments::count(&written.text).max(1).to_string()));
    fields.push(("MessageSid", id));
    fields.push(("AccountSid", settings.account_sid.clone()));
    fields.push(("From", written.from.clone()));
    fields.push(("ApiVersion", "2010-04-01".into()));
    let mut fields: Vec<(String, String)> = fields.into_iter().map(|(name, value)| (name.to_owned(), value)).collect();
    for (index, (media_url, media_type)) in written.media.iter().enumerate() {
        fields.push((format!("MediaUrl{index}"), media_url.clone()));
        fields.push((format!("MediaContentType{index}"), media_type.clone()));
    }
    if let Some(failed) = failed {
        fields.push(("ErrorCode".into(), "11200".into()));
        fields.push(("ErrorUrl".into(), failed.to_owned()));
    }
    signed(settings, url, &fields)
}

fn signed_form(settings: &TwilioSettings, url: &str, fields: Vec<(&str, String)>) -> Option<Call> {
    let fields: Vec<_> = fields.into_iter().map(|(name, value)| (name.to_owned(), value)).collect();
    signed(settings, url, &fields)
}

fn signed(settings: &TwilioSettings, url: &str, fields: &[(String, String)]) -> Option<Call> {
    let body = form_urlencoded::Serializer::new(String::new()).extend_pairs(fields).finish();
    http::Request::post(url)
        .header(header::CONTENT_TYPE, "application/x-www-form-urlencoded; charset=UTF-8")
        .header(header::USER_AGENT, "TwilioProxy/1.1")
        .header("i-twilio-idempotency-token", uuid::Uuid::new_v4().to_string())
        .header("x-twilio-signature", signature::sign(settings.auth_token.expose(), url, fields)?)
        .body(body.into_bytes())
        .ok()
}
