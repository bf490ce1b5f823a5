//! The development engine in a process of its own, so that what it uses is not mixed up with what a bench uses.

use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use serde_json::{Value, json};

/// A running engine and the way to its control API. Dropping it ends the process and its functions.
pub struct Stage {
    child: Child,
    url: String,
    http: reqwest::Client,
}

/// What is still under way in the engine.
#[derive(Debug, Clone, Default)]
pub struct Pending(Value);

impl Pending {
    /// Whether nothing moves by itself: what is left waits for pollers.
    pub fn is_still(&self) -> bool {
        let nobody_is_busy = self.0["functions"].as_object().is_none_or(|busy| busy.is_empty());
        let mut queues = self.0["queues"].as_object().into_iter().flatten();
        nobody_is_busy
            && self.0["carriers"].as_u64().unwrap_or(0) == 0
            && queues.all(|(_, queue)| queue["inFlight"] == 0)
    }
}

impl Stage {
    /// Starts an engine that keeps its data in `data_dir`.
    pub fn start(data_dir: &Path) -> Self {
        let mut child = Command::new(super::example("engine"))
            .args([&super::root().join("template.yaml"), &super::binaries(), data_dir])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut url = String::new();
        BufReader::new(child.stdout.take().unwrap()).read_line(&mut url).unwrap();
        let http = reqwest::Client::builder().no_proxy().build().unwrap();
        Self { child, url: url.trim().to_owned(), http }
    }

    pub fn url(&self) -> &str {
        &self.url
    }

    pub fn pid(&self) -> u32 {
        self.child.id()
    }

    pub fn http(&self) -> &reqwest::Client {
        &self.http
    }

    async fn control(&self, method: reqwest::Method, path: &str, body: Option<Value>) -> (u16, Value) {
        let mut request = self.http.request(method, format!("{}/_local/{path}", self.url));
        if let Some(body) = body {
            request = request.json(&body);
        }
        let answer = request.send().await.unwrap();
        let status = answer.status().as_u16();
        (status, serde_json::from_str(&answer.text().await.unwrap()).unwrap_or_default())
    }

    /// Makes an app with one webhook for each target, which hear of everything that is delivered or fails.
    pub async fn app(&self, targets: &[String]) -> Value {
        let triggers = ["notification:delivery:channel", "notification:delivery:user", "notification:delivery:failure"];
        let webhook = |target: &String| json!({ "target": target, "triggers": triggers });
        let wanted = json!({ "webhooks": targets.iter().map(webhook).collect::<Vec<_>>() });
        let (status, app) = self.control(reqwest::Method::POST, "apps", Some(wanted)).await;
        assert_eq!(status, 201, "{app}");
        app
    }

    /// What everything has cost since the last reset: the ledger's accounts.
    pub async fn calls(&self) -> Value {
        self.control(reqwest::Method::GET, "calls", None).await.1
    }

    pub async fn reset_calls(&self) {
        self.control(reqwest::Method::DELETE, "calls", None).await;
    }

    pub async fn pause_pollers(&self, paused: bool) {
        let (status, answer) = self.control(reqwest::Method::POST, "pollers", Some(json!({ "paused": paused }))).await;
        assert_eq!(status, 200, "{answer}");
    }

    /// Waits until everything is processed.
    pub async fn idle(&self) {
        let path = format!("idle?timeout={}", super::patience().as_secs());
        let (status, pending) = self.control(reqwest::Method::GET, &path, None).await;
        assert_eq!(status, 200, "not idle: {pending}");
    }

    /// What is under way, looked at after `patience`, or as soon as there is nothing.
    pub async fn pending(&self, patience: Duration) -> Pending {
        let (status, pending) =
            self.control(reqwest::Method::GET, &format!("idle?timeout={}", patience.as_secs_f64()), None).await;
        if status == 200 { Pending::default() } else { Pending(pending) }
    }

    /// Messages that a queue would give out now.
    pub async fn visible(&self, queue: &str) -> u64 {
        let (_, queues) = self.control(reqwest::Method::GET, "queues", None).await;
        let mut queues = queues["queues"].as_array().into_iter().flatten();
        let found = queues.find(|found| found["name"].as_str().is_some_and(|name| name.contains(queue)));
        found.and_then(|queue| queue["visible"].as_u64()).unwrap_or_else(|| panic!("there is no queue {queue}"))
    }
}

impl Drop for Stage {
    fn drop(&mut self) {
        // The end of its input tells it to stop, in order.
        drop(self.child.stdin.take());
        let _ = self.child.wait();
    }
}
