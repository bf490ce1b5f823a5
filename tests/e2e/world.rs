//! One engine with one demo app, and the words in which tests speak of them.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use local::{Engine, LogStyle, Options, Paths};
use serde_json::{Value, json};

use crate::{described, table};

/// Addresses whose last digits tell the simulated carriers what to do; `GET /_local/addresses` explains them.
pub const ANYBODY: &str = "+15550100142";
pub const REFUSED: &str = "+15550100901";
pub const FAILS_LATER: &str = "+15550100903";
pub const NEVER_CONFIRMED: &str = "+15550100904";
pub const THROTTLED_TWICE: &str = "+15550100905";
pub const RECEIPT_FIRST: &str = "+15550100907";
pub const DISORDERLY: &str = "+15550100908";
pub const ERROR_ONCE: &str = "+15550100909";

pub const CHANNELS: [&str; 2] = ["twilio", "messagebird"];

pub struct World {
    engine: Engine,
    pub app: App,
    http: reqwest::Client,
}

/// A demo app as the control API describes it.
#[derive(Clone)]
pub struct App {
    pub ready: Value,
}

impl App {
    pub fn id(&self) -> &str {
        self.ready["appId"].as_str().unwrap()
    }

    pub fn integration(&self, channel: &str) -> &str {
        self.ready["integrations"][channel].as_str().unwrap()
    }

    pub fn key(&self) -> (&str, &str) {
        (self.ready["keyId"].as_str().unwrap(), self.ready["secret"].as_str().unwrap())
    }

    pub fn account_key(&self) -> (&str, &str) {
        (self.ready["accountKeyId"].as_str().unwrap(), self.ready["accountSecret"].as_str().unwrap())
    }
}

/// An HTTP answer.
#[derive(Debug)]
pub struct Answer {
    pub status: u16,
    pub headers: reqwest::header::HeaderMap,
    pub body: Value,
}

impl World {
    /// A fresh engine in memory.
    pub async fn new() -> Self {
        Self::start(None, BTreeMap::new()).await
    }

    /// A fresh engine whose functions log all that an operator can have them log.
    pub async fn talkative() -> Self {
        Self::with_parameter("LogLevel", "TRACE").await
    }

    /// An engine that keeps its data, or finds that of an earlier one.
    pub async fn with_data(data_dir: PathBuf) -> Self {
        Self::start(Some(data_dir), BTreeMap::new()).await
    }

    /// A fresh engine of a stack with this parameter.
    pub async fn with_parameter(name: &str, value: &str) -> Self {
        Self::start(None, BTreeMap::from([(name.to_owned(), value.to_owned())])).await
    }

    /// An engine whose API Gateway reads paths in its own way.
    pub async fn reading(paths: Paths) -> Self {
        Self::start_reading(paths, None, BTreeMap::new()).await
    }

    async fn start(data_dir: Option<PathBuf>, parameters: BTreeMap<String, String>) -> Self {
        Self::start_reading(Paths::default(), data_dir, parameters).await
    }

    async fn start_reading(paths: Paths, data_dir: Option<PathBuf>, parameters: BTreeMap<String, String>) -> Self {
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap();
        let binaries = Path::new(env!("CARGO_BIN_EXE_notifications")).parent().unwrap();
        let engine = Engine::start(Options {
            port: 0,
            data_dir,
            template: root.join("template.yaml"),
            functions_dir: binaries.to_owned(),
            simulate: true,
            log: LogStyle::Silent,
            paths,
            parameters,
            allow_hosts: Vec::new(),
        })
        .await
        .unwrap();
        // Nothing of ours sends a caller elsewhere.
        let http = reqwest::Client::builder().redirect(reqwest::redirect::Policy::none()).build().unwrap();
        let ready = engine.demo().await.unwrap().unwrap();
        Self { engine, app: App { ready: serde_json::to_value(ready).unwrap() }, http }
    }

    /// A second app, of another account, made to order.
    pub async fn another_app(&self, wanted: Value) -> App {
        let answer = self.local(reqwest::Method::POST, "apps", Some(wanted)).await;
        assert_eq!(answer.status, 201, "{}", answer.body);
        App { ready: answer.body }
    }

    /// Puts into the demo app what the examples of the API's description name, as the command does.
    pub async fn show_examples(&self) {
        self.engine.showcase().await.unwrap();
    }

    pub fn handles(&self) -> &local::EngineHandles {
        self.engine.handles()
    }

    pub fn url(&self) -> &str {
        self.engine.url()
    }

    /// What carriers are told to call, without a slash at its end.
    pub fn callbacks_url(&self) -> String {
        self.handles().callbacks_url()
    }

    /// Stops without asking whether anything is left, as a restart would.
    pub async fn interrupt(self) {
        self.check_events().await;
        self.engine.stop().await;
    }

    /// The end of a test: everything processed, nothing dead.
    pub async fn end(self) {
        self.settle().await;
        self.check_events().await;
        let dead = self.dead_letters().await;
        assert!(dead.is_empty(), "dead letters were left: {dead:#?}");
        self.engine.stop().await;
    }

    /// The end of a test that is about dead letters.
    pub async fn end_with_dead_letters(self) {
        self.settle().await;
        self.check_events().await;
        self.engine.stop().await;
    }

    /// Holds every event that any sink got against the API's description.
    async fn check_events(&self) {
        for request in self.get("webhooks").await["webhooks"].as_array().unwrap() {
            described::check_event(&request["body"]);
        }
    }

    // ------------------------------------------------------------------------------------------ the API

    /// Sends, and holds the answer against the API's description.
    pub async fn request(&self, request: reqwest::RequestBuilder) -> Answer {
        let request = request.build().unwrap();
        let (method, path) = (request.method().to_string(), request.url().path().to_owned());
        let response = self.http.execute(request).await.unwrap();
        let (status, headers) = (response.status().as_u16(), response.headers().clone());
        let text = response.text().await.unwrap();
        let answer = Answer { status, headers, body: serde_json::from_str(&text).unwrap_or(Value::String(text)) };
        described::check(&method, &path, answer.status, &answer.body);
        answer
    }

    pub fn http(&self, method: reqwest::Method, path: &str) -> reqwest::RequestBuilder {
        self.http.request(method, format!("{}{path}", self.url()))
    }

    /// `POST …/notifications` by the app's own key.
    pub async fn post(&self, app: &App, body: &Value) -> Answer {
        let (key, secret) = app.key();
        let path = format!("/v1.1/apps/{}/notifications", app.id());
        self.request(self.http(reqwest::Method::POST, &path).basic_auth(key, Some(secret)).json(body)).await
    }

    /// A notification's body.
    pub fn body(app: &App, channel: &str, to: &str, message: Value) -> Value {
        json!({
            "destination": { "integrationId": app.integration(channel), "destinationId": to },
            "author": { "role": "appMaker", "name": "Nadia" },
            "message": message,
        })
    }

    /// Sends and expects the 201; gives the notification's id.
    pub async fn notify_as(&self, app: &App, channel: &str, to: &str, message: Value) -> String {
        let answer = self.post(app, &Self::body(app, channel, to, message)).await;
        assert_eq!(answer.status, 201, "{}", answer.body);
        answer.body["notification"]["_id"].as_str().unwrap().to_owned()
    }

    /// A text to an address.
    pub async fn notify(&self, channel: &str, to: &str, text: &str) -> String {
        self.notify_as(&self.app, channel, to, json!({ "type": "text", "text": text })).await
    }

    // ------------------------------------------------------------------------------------------ the engine

    pub async fn local(&self, method: reqwest::Method, path: &str, body: Option<Value>) -> Answer {
        let request = self.http(method, &format!("/_local/{path}"));
        self.request(match body {
            Some(body) => request.json(&body),
            None => request,
        })
        .await
    }

    async fn get(&self, path: &str) -> Value {
        let answer = self.local(reqwest::Method::GET, path, None).await;
        assert_eq!(answer.status, 200, "{path}: {}", answer.body);
        answer.body
    }

    /// Makes what is delayed visible now.
    pub async fn wake(&self) {
        self.local(reqwest::Method::POST, "wake", None).await;
    }

    /// Steps through waits and retries until there is nothing left to do.
    pub async fn settle(&self) {
        self.step(Self::wake).await;
    }

    /// Steps through a crash: what the dead invocation held comes back, and the claims that it held have run out.
    pub async fn outlive(&self) {
        self.step(async |world| {
            table::run_claims_out(world).await;
            world.wake().await;
        })
        .await;
    }

    /// Waits through a crash: claims run out in real time.
    pub async fn wait_out(&self) {
        for _ in 0..8 {
            let answer = self.local(reqwest::Method::GET, "idle?timeout=18", None).await;
            if answer.status == 200 {
                return;
            }
            self.wake().await;
        }
        panic!("the work was never done");
    }

    /// Has time pass for what is delayed, whenever nothing else is left.
    async fn step(&self, pass: impl AsyncFn(&Self)) {
        let deadline = Instant::now() + Duration::from_secs(75);
        while Instant::now() < deadline {
            let answer = self.local(reqwest::Method::GET, "idle?timeout=20&delays=false", None).await;
            if answer.status == 200 {
                return;
            }
            if answer.body["asleep"] == true {
                pass(self).await;
            }
        }
        let pending = self.local(reqwest::Method::GET, "idle?timeout=0", None).await.body;
        panic!("never settled: {pending:#}\n{}", self.recent_logs().await);
    }

    /// Waits until a condition on the engine's state holds.
    pub async fn until<T>(&self, what: &str, mut check: impl AsyncFnMut(&Self) -> Option<T>) -> T {
        let deadline = Instant::now() + Duration::from_secs(60);
        while Instant::now() < deadline {
            if let Some(found) = check(self).await {
                return found;
            }
            // A look takes a core's time from those who are waited for.
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        panic!("waited in vain for {what}\n{}", self.recent_logs().await);
    }

    pub async fn fault(&self, fault: Value) {
        let answer = self.local(reqwest::Method::POST, "faults", Some(fault)).await;
        assert_eq!(answer.status, 201, "{}", answer.body);
    }

    pub async fn heal(&self) {
        self.local(reqwest::Method::DELETE, "faults", None).await;
    }

    /// What the carriers accepted, oldest first.
    pub async fn outbox(&self) -> Vec<Value> {
        self.get("outbox").await["messages"].as_array().unwrap().clone()
    }

    pub async fn outbox_to(&self, to: &str) -> Vec<Value> {
        let digits = to.trim_start_matches('+');
        let is_to = |entry: &Value| entry["to"].as_str().is_some_and(|to| to.trim_start_matches('+') == digits);
        self.outbox().await.into_iter().filter(is_to).collect()
    }

    /// A person answers from the handset; what our callbacks function said.
    pub async fn reply(&self, channel: &str, from: &str, text: &str) -> Value {
        let body = json!({ "integrationId": self.app.integration(channel), "from": from, "text": text });
        self.reply_with(body).await
    }

    pub async fn reply_with(&self, body: Value) -> Value {
        let answer = self.local(reqwest::Method::POST, "reply", Some(body)).await;
        assert!((200..300).contains(&answer.status), "{}", answer.body);
        answer.body
    }

    /// The carrier reports on a message it accepted, once more or something else.
    pub async fn receipt(&self, body: Value) {
        let answer = self.local(reqwest::Method::POST, "receipt", Some(body)).await;
        assert!((200..300).contains(&answer.status), "{}", answer.body);
    }

    /// Webhook requests to a sink, with headers.
    pub async fn requests_to(&self, sink: &str) -> Vec<Value> {
        self.get(&format!("webhooks?sink={sink}")).await["webhooks"].as_array().unwrap().clone()
    }

    /// Bodies that the app's own webhook got, oldest first.
    pub async fn events_of(&self, app: &App) -> Vec<Value> {
        self.requests_to(app.id()).await.into_iter().map(|request| request["body"].clone()).collect()
    }

    pub async fn events(&self) -> Vec<Value> {
        self.events_of(&self.app).await
    }

    /// A notification's events without repeats, the final one last: webhooks promise no order.
    pub async fn events_about(&self, notification: &str) -> Vec<Value> {
        let mut seen = Vec::new();
        for event in self.events().await {
            let is_new = seen.iter().all(|known: &Value| known["eventId"] != event["eventId"]);
            if event["notification"]["_id"] == notification && is_new {
                seen.push(event);
            }
        }
        seen.sort_by_key(|event| event["isFinalEvent"] == true);
        seen
    }

    /// `["channel", "user"]`: what a notification's events said, without repeats.
    pub async fn story(&self, notification: &str) -> Vec<String> {
        let last = |event: &Value| event["trigger"].as_str().unwrap().rsplit(':').next().unwrap().to_owned();
        self.events_about(notification).await.iter().map(last).collect()
    }

    pub async fn events_named(&self, trigger: &str) -> Vec<Value> {
        self.events().await.into_iter().filter(|event| event["trigger"] == trigger).collect()
    }

    /// The only event of that name, however often it was told: webhooks promise no order to choose one by.
    pub async fn event(&self, trigger: &str) -> Value {
        let mut events = self.events_named(trigger).await;
        let ids: BTreeSet<_> = events.iter().map(|event| event["eventId"].to_string()).collect();
        assert_eq!(ids.len(), 1, "{trigger}: {events:#?}");
        events.remove(0)
    }

    pub async fn dead_letters(&self) -> Vec<Value> {
        let queues = self.get("queues").await["queues"].as_array().unwrap().clone();
        queues.iter().flat_map(|queue| queue["deadLetters"].as_array().cloned().unwrap_or_default()).collect()
    }

    /// Moves every dead letter back to where it came from.
    pub async fn redrive_all(&self) {
        for queue in self.get("queues").await["queues"].as_array().unwrap() {
            if queue["deadLetters"].as_array().is_some_and(|letters| !letters.is_empty()) {
                let name = queue["name"].as_str().unwrap();
                let answer = self.local(reqwest::Method::POST, &format!("redrive/{name}"), None).await;
                assert_ne!(answer.body["moved"], 0, "{}", answer.body);
            }
        }
    }

    pub async fn calls(&self) -> Value {
        self.get("calls").await
    }

    pub async fn logs(&self) -> Vec<Value> {
        self.get("logs").await["logs"].as_array().unwrap().clone()
    }

    async fn recent_logs(&self) -> String {
        let logs = self.logs().await;
        let tail = logs.iter().rev().take(40).rev().map(Value::to_string).collect::<Vec<_>>();
        tail.join("\n")
    }
}
