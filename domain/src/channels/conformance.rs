//! Every channel's fixtures, held against the same rules, and what the channels' own tests share.

use http::{HeaderMap, Method};
use proptest::prelude::*;
use serde::Deserialize;
use serde_json::{Value, json};

use super::{
    Callback, CallbackError, CarrierRequest, CarrierResponse, Channel, Outgoing, SendError, Unverified, messagebird,
    read_callback, twilio,
};
use crate::entropy::Counter;
use crate::ids::{AppId, IntegrationId, NotificationId};
use crate::model::{Integration, Message, MessageWire, Settings, Subject, Timestamp};

const API_URL: &str = "https://carrier.example";
const PUBLIC_URL: &str = "https://api.example.com";
/// 2023-11-14T22:13:20Z
const NOW: Timestamp = Timestamp::from_millis(1_700_000_000_000);

/// A folder's samples.
pub struct Fixtures {
    pub settings: fn() -> Settings,
    /// Signs a callback as the carrier does.
    pub sign: fn(&mut Callback),
    /// `[{"name","status","headers"?,"body"}]`: answers to a send.
    pub answers: &'static str,
    /// `[{"name","method","path","contentType"?,"body"?}]`: what the carrier calls us with.
    pub callbacks: &'static str,
}

#[derive(Deserialize)]
struct Answer {
    name: String,
    status: u16,
    #[serde(default)]
    headers: std::collections::BTreeMap<String, String>,
    body: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Sample {
    name: String,
    method: String,
    path: String,
    content_type: Option<String>,
    #[serde(default)]
    body: String,
}

#[test]
fn twilio_conforms() {
    conform::<twilio::Twilio>(twilio::fixtures::FIXTURES);
}

#[test]
fn messagebird_conforms() {
    conform::<messagebird::Messagebird>(messagebird::fixtures::FIXTURES);
}

fn conform<C: Channel>(fixtures: Fixtures) {
    let integration = integration((fixtures.settings)());
    assert_eq!(integration.channel(), Some(C::TYPE));
    let settings = C::settings(&integration).expect("the channel knows its own settings");
    every_message_renders_or_says_why_not::<C>(settings);
    every_answer_is_read::<C>(&answers(fixtures.answers));
    for (name, callback) in callbacks(fixtures.callbacks) {
        only_a_signed_callback_is_read(&name, &integration, &callback, fixtures.sign);
    }
    every_callback_is_understood::<C>(&integration, &fixtures);
    what_is_too_large_is_not_read::<C>(&integration);
    assert!(C::acknowledgement().status().is_success());
}

fn every_message_renders_or_says_why_not<C: Channel>(settings: &C::Settings) {
    let rendered: Vec<Value> = messages()
        .into_iter()
        .map(|wire| {
            let outcome = outgoing("+14165550142", wire.clone(), |outgoing| C::render(settings, outgoing));
            match outcome {
                Ok(requests) => {
                    requests.iter().for_each(sends_no_secret_in_the_open);
                    json!({"message": wire, "requests": requests.iter().map(shown).collect::<Vec<_>>()})
                }
                Err(failure) => json!({"message": wire, "failure": failure}),
            }
        })
        .collect();
    snapshot(&format!("{}_renders", C::TYPE), &rendered);
}

fn sends_no_secret_in_the_open(request: &CarrierRequest) {
    assert!(request.headers()[http::header::AUTHORIZATION].is_sensitive());
    assert!(request.uri().to_string().starts_with(API_URL));
    assert!(request.headers().contains_key(http::header::CONTENT_TYPE));
}

fn every_answer_is_read<C: Channel>(answers: &[(String, CarrierResponse)]) {
    let read: Vec<Value> = answers
        .iter()
        .map(|(name, response)| {
            let outcome = C::accepted(response);
            assert!(outcome.is_err() || response.status().is_success(), "{name}: taken for accepted");
            match outcome {
                Ok(id) => json!({"answer": name, "externalId": id}),
                Err(failure) => json!({"answer": name, "failure": failure, "event": failure.failure()}),
            }
        })
        .collect();
    snapshot(&format!("{}_answers", C::TYPE), &read);
}

fn only_a_signed_callback_is_read(name: &str, integration: &Integration, callback: &Callback, sign: fn(&mut Callback)) {
    assert_eq!(refusal(integration, callback.clone()), Some(Unverified::Missing), "{name}");
    let mut signed = callback.clone();
    sign(&mut signed);
    assert_eq!(refusal(integration, signed.clone()), None, "{name}");
    let elsewhere = Callback { url: signed.url.replace("/callbacks/", "/callback/"), ..signed.clone() };
    assert_eq!(refusal(integration, elsewhere), Some(Unverified::Wrong), "{name}");
    for index in 0..signed.body.len() {
        let mut altered = signed.clone();
        altered.body[index] = if altered.body[index] == b'x' { b'y' } else { b'x' };
        assert_eq!(refusal(integration, altered), Some(Unverified::Wrong), "{name}, byte {index}");
    }
}

fn refusal(integration: &Integration, callback: Callback) -> Option<Unverified> {
    match read_callback(integration, callback) {
        Err(CallbackError::Unverified(refusal)) => Some(refusal),
        Err(CallbackError::Malformed(_) | CallbackError::TooLarge) | Ok(_) => None,
    }
}

fn every_callback_is_understood<C: Channel>(integration: &Integration, fixtures: &Fixtures) {
    let read: Vec<Value> = callbacks(fixtures.callbacks)
        .into_iter()
        .map(|(name, mut callback)| {
            (fixtures.sign)(&mut callback);
            let incoming = read_callback(integration, callback).unwrap_or_else(|error| panic!("{name}: {error}"));
            json!({"callback": name, "incoming": incoming})
        })
        .collect();
    snapshot(&format!("{}_callbacks", C::TYPE), &read);
}

/// Before its signature is looked at, which would read it.
fn what_is_too_large_is_not_read<C: Channel>(integration: &Integration) {
    let form = |bytes: usize| post("application/x-www-form-urlencoded", &"a&".repeat(bytes / 2));
    assert_eq!(read_callback(integration, form(C::CALLBACK_LIMIT + 2)), Err(CallbackError::TooLarge));
    assert_eq!(refusal(integration, form(C::CALLBACK_LIMIT / 2)), Some(Unverified::Missing));
}

/// v1.1 messages of every type, as callers write them.
fn messages() -> Vec<Value> {
    serde_json::from_str(include_str!("messages.json")).expect("messages")
}

fn answers(text: &str) -> Vec<(String, CarrierResponse)> {
    let answers: Vec<Answer> = serde_json::from_str(text).expect("answers");
    answers
        .into_iter()
        .map(|answer| {
            let builder = http::Response::builder().status(answer.status);
            let builder = answer.headers.iter().fold(builder, |builder, (name, value)| builder.header(name, value));
            (answer.name, builder.body(answer.body.into_bytes()).expect("an answer"))
        })
        .collect()
}

fn callbacks(text: &str) -> Vec<(String, Callback)> {
    let samples: Vec<Sample> = serde_json::from_str(text).expect("callbacks");
    samples
        .into_iter()
        .map(|sample| {
            let content_type = sample.content_type.as_deref().unwrap_or("text/plain");
            let url = format!("{PUBLIC_URL}{}", sample.path);
            let method = sample.method.parse().expect("a method");
            (sample.name, Callback { method, url, ..post(content_type, &sample.body) })
        })
        .collect()
}

fn snapshot(name: &str, value: &[Value]) {
    insta::with_settings!({prepend_module_to_snapshot => false, omit_expression => true}, {
        insta::assert_json_snapshot!(name, value);
    });
}

// What the channels' own tests share.

pub fn post(content_type: &str, body: &str) -> Callback {
    let mut headers = HeaderMap::new();
    headers.insert(http::header::CONTENT_TYPE, content_type.parse().expect("a content type"));
    let url = format!("{PUBLIC_URL}/callbacks/channel/0/1");
    Callback { method: Method::POST, url, headers, body: body.into(), received: NOW }
}

pub fn get(url: &str) -> Callback {
    Callback { method: Method::GET, url: url.into(), headers: HeaderMap::new(), body: Vec::new(), received: NOW }
}

/// Hands the message to a renderer as the sending function would.
pub fn outgoing(
    to: &str,
    wire: Value,
    render: impl FnOnce(&Outgoing<'_>) -> Result<Vec<CarrierRequest>, SendError>,
) -> Result<Vec<CarrierRequest>, SendError> {
    let wire: MessageWire = serde_json::from_value(wire).expect("a message");
    let message = Message::try_from(wire).expect("a valid message");
    render(&Outgoing {
        api_url: API_URL,
        to: &crate::model::Address::e164(to).expect("a number"),
        message: &message,
        app_name: "Tea House",
        callback_url: &|parts| format!("{PUBLIC_URL}/callbacks/channel/0/1/{parts}"),
        reference: Subject::Notification(NotificationId::from_bytes([7; 16])),
    })
}

/// Requests as they go over the wire, without credentials.
pub fn render_text(requests: &[CarrierRequest]) -> String {
    requests.iter().map(|request| format!("{}\n{}\n", request.uri(), body(request))).collect()
}

fn shown(request: &CarrierRequest) -> Value {
    let content_type = request.headers()[http::header::CONTENT_TYPE].to_str().expect("text");
    json!({"method": request.method().as_str(), "url": request.uri().to_string(), "contentType": content_type, "body": body(request)})
}

fn body(request: &CarrierRequest) -> String {
    String::from_utf8(request.body().clone()).expect("a text body")
}

fn integration(settings: Settings) -> Integration {
    Integration {
        id: IntegrationId::from_bytes([1; 12]),
        ..Integration::new(&Counter, AppId::from_bytes([2; 12]), settings)
    }
}

proptest! {
    #[test]
    fn whatever_a_carrier_signs_reading_it_never_panics(
        body in prop_oneof![
            proptest::collection::vec(any::<u8>(), 0..200),
            "((MessageSid|From|Body|MessageStatus|id|originator|status|payload|mediaUrls|MediaUrl0)=[^=&]{0,9}&){0,6}"
                .prop_map(String::into_bytes),
        ],
        is_json in any::<bool>(),
    ) {
        let content_type = if is_json { "application/json" } else { "application/x-www-form-urlencoded" };
        for fixtures in [twilio::fixtures::FIXTURES, messagebird::fixtures::FIXTURES] {
            let mut callback = Callback { body: body.clone(), ..post(content_type, "") };
            (fixtures.sign)(&mut callback);
            let _ = read_callback(&integration((fixtures.settings)()), callback);
        }
    }
}

#[test]
fn a_callback_for_an_integration_without_key_is_not_believed() {
    let Settings::Messagebird(settings) = (messagebird::fixtures::FIXTURES.settings)() else { panic!("settings") };
    let keyless = Settings::Messagebird(crate::model::MessagebirdSettings { signing_key: None, ..settings });
    let mut callback = get("https://api.example.com/callbacks/messagebird/0/1?id=1&status=sent");
    (messagebird::fixtures::FIXTURES.sign)(&mut callback);
    assert_eq!(refusal(&integration(keyless), callback), Some(Unverified::NoKey));
}

#[test]
fn one_channels_signature_is_nothing_to_another() {
    let mut callback = post("application/x-www-form-urlencoded", "MessageSid=SM1&MessageStatus=sent");
    (twilio::fixtures::FIXTURES.sign)(&mut callback);
    let other = integration((messagebird::fixtures::FIXTURES.settings)());
    assert_eq!(refusal(&other, callback), Some(Unverified::Missing));
}
