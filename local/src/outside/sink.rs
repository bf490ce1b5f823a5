//! The built-in webhook receiver, `POST /_local/sink/{name}`: keeps what it gets, answers as it was told to. It stands
//! for the business's own server in tests and in the demo.

use std::collections::{BTreeMap, VecDeque};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use axum::body::{Body, Bytes};
use axum::http::{HeaderMap, HeaderName, HeaderValue, StatusCode};
use axum::response::Response;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::clock::now_ms;
use crate::control::feed::Feed;

/// Requests kept, and their bytes together.
const REQUESTS: usize = 5_000;
const BYTES: usize = 16 << 20;

/// A request as it came in.
#[derive(Debug, Clone)]
struct Delivery {
    /// Counts up from 1 over all sinks.
    number: u64,
    sink: String,
    /// Unix milliseconds.
    at: i64,
    headers: Vec<(String, String)>,
    body: String,
}

/// What a sink answers with, as `PUT /_local/sink/{name}` takes it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default, deny_unknown_fields)]
pub struct Script {
    pub status: u16,
    pub delay_ms: u64,
    pub headers: BTreeMap<String, String>,
    pub body: String,
}

impl Default for Script {
    fn default() -> Self {
        Self { status: 200, delay_ms: 0, headers: BTreeMap::new(), body: String::new() }
    }
}

/// All sinks. Cloning gives another handle.
#[derive(Clone, Default)]
pub struct Sinks {
    state: Arc<Mutex<State>>,
    feed: Feed,
}

#[derive(Default)]
struct State {
    scripts: BTreeMap<String, Script>,
    kept: VecDeque<Delivery>,
    bytes: usize,
    totals: BTreeMap<String, u64>,
    number: u64,
}

impl Sinks {
    pub fn new(feed: Feed) -> Self {
        Self { state: Arc::default(), feed }
    }

    pub fn script(&self, name: &str, script: Script) {
        self.state().scripts.insert(name.to_owned(), script);
    }

    /// Keeps a request and gives the scripted answer.
    pub async fn deliver(&self, name: &str, headers: &HeaderMap, body: &Bytes) -> Response {
        let (script, shown) = self.keep(name, headers, body);
        self.feed.publish("webhook", shown);
        tokio::time::sleep(Duration::from_millis(script.delay_ms)).await;
        script.response()
    }

    fn keep(&self, name: &str, headers: &HeaderMap, body: &Bytes) -> (Script, Value) {
        let text = |value: &HeaderValue| String::from_utf8_lossy(value.as_bytes()).into_owned();
        let mut state = self.state();
        state.number += 1;
        let delivery = Delivery {
            number: state.number,
            sink: name.to_owned(),
            at: now_ms(),
            headers: headers.iter().map(|(name, value)| (name.as_str().to_owned(), text(value))).collect(),
            body: String::from_utf8_lossy(body).into_owned(),
        };
        let shown = delivery.show();
        *state.totals.entry(name.to_owned()).or_default() += 1;
        state.bytes += delivery.size();
        state.kept.push_back(delivery);
        while state.kept.len() > REQUESTS || state.bytes > BYTES {
            let Some(oldest) = state.kept.pop_front() else { break };
            state.bytes -= oldest.size();
        }
        (state.scripts.get(name).cloned().unwrap_or_default(), shown)
    }

    /// `{"webhooks": [...], "total": n}`: the kept requests of one sink or all, oldest first, and how many there were
    /// since the last clearing.
    pub fn show(&self, name: Option<&str>) -> Value {
        let state = self.state();
        let wanted = |delivery: &&Delivery| name.is_none_or(|name| delivery.sink == name);
        let webhooks: Vec<Value> = state.kept.iter().filter(wanted).map(Delivery::show).collect();
        let total: u64 =
            state.totals.iter().filter(|(sink, _)| name.is_none_or(|name| *sink == name)).map(|(_, n)| n).sum();
        json!({ "webhooks": webhooks, "total": total })
    }

    /// Forgets what came in; scripts stay.
    pub fn clear(&self) {
        let mut state = self.state();
        *state = State { scripts: std::mem::take(&mut state.scripts), number: state.number, ..State::default() };
    }

    fn state(&self) -> std::sync::MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Delivery {
    fn size(&self) -> usize {
        let headers: usize = self.headers.iter().map(|(name, value)| name.len() + value.len() + 48).sum();
        self.body.len() + headers + 128
    }

    /// The body both as JSON, if it is, and as it came, for whoever checks a signature.
    fn show(&self) -> Value {
        let headers: serde_json::Map<String, Value> =
            self.headers.iter().map(|(name, value)| (name.clone(), Value::String(value.clone()))).collect();
        json!({
            "number": self.number,
            "sink": self.sink,
            "at": self.at,
            "headers": headers,
            "body": serde_json::from_str::<Value>(&self.body).ok(),
            "raw": self.body,
        })
    }
}

impl Script {
    /// Whether it can be answered with.
    ///
    /// # Errors
    /// What in it is no HTTP.
    pub fn check(&self) -> Result<(), String> {
        if !(200..=599).contains(&self.status) {
            return Err(format!("{} is not a status to answer with", self.status));
        }
        for (name, value) in &self.headers {
            HeaderName::from_bytes(name.as_bytes()).map_err(|_| format!("{name:?} is not a header's name"))?;
            HeaderValue::from_str(value).map_err(|_| format!("{value:?} is not a header's value"))?;
        }
        Ok(())
    }

    fn response(&self) -> Response {
        let mut response = Response::new(Body::from(self.body.clone()));
        *response.status_mut() = StatusCode::from_u16(self.status).unwrap_or(StatusCode::OK);
        for (name, value) in &self.headers {
            if let (Ok(name), Ok(value)) = (HeaderName::from_bytes(name.as_bytes()), HeaderValue::from_str(value)) {
                response.headers_mut().insert(name, value);
            }
        }
        response
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_sink_keeps_what_it_gets_and_answers_as_scripted() {
        let sinks = Sinks::new(Feed::new());
        let mut headers = HeaderMap::new();
        headers.insert("x-api-key", HeaderValue::from_static("secret"));
        assert_eq!(sinks.deliver("demo", &headers, &Bytes::from_static(b"{\"a\":1}")).await.status(), 200);
        sinks.script("demo", Script { status: 410, ..Script::default() });
        assert_eq!(sinks.deliver("demo", &headers, &Bytes::from_static(b"x")).await.status(), 410);
        let shown = sinks.show(Some("demo"));
        assert_eq!(shown["total"], 2);
        assert_eq!(shown["webhooks"][0]["body"]["a"], 1);
        assert_eq!(shown["webhooks"][0]["headers"]["x-api-key"], "secret");
        assert_eq!(shown["webhooks"][1]["raw"], "x");
        assert_eq!(sinks.show(Some("other"))["total"], 0);
        sinks.clear();
        assert_eq!(sinks.show(None)["total"], 0);
        assert_eq!(sinks.deliver("demo", &headers, &Bytes::new()).await.status(), 410);
    }

    #[test]
    fn what_is_kept_is_bounded() {
        let sinks = Sinks::new(Feed::new());
        let body = Bytes::from(vec![b'x'; 1 << 20]);
        for _ in 0..20 {
            sinks.keep("big", &HeaderMap::new(), &body);
        }
        assert!(sinks.state().bytes <= BYTES);
        assert_eq!(sinks.show(Some("big"))["total"], 20);
    }
}
