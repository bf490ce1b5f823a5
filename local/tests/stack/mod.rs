//! Starts the engine on the small stack next to this file, and talks to it.
#![allow(dead_code, reason = "every test binary uses its own part")]

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use local::{Engine, LogStyle, Options};
use reqwest::{Client, StatusCode};
use serde_json::{Value, json};
use shared::secrets::KeptSecret;
use tempfile::TempDir;

/// An engine with its folder of functions.
pub struct Stack {
    pub engine: Engine,
    pub http: Client,
    functions: TempDir,
}

/// How the engine is to be; every function is the probe.
pub fn options(functions: &Path) -> Options {
    Options {
        port: 0,
        data_dir: None,
        template: PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/stack/template.yaml"),
        functions_dir: functions.to_owned(),
        simulate: true,
        log: LogStyle::Silent,
        paths: local::Paths::default(),
        parameters: BTreeMap::new(),
        allow_hosts: Vec::new(),
    }
}

/// A folder in which the probe goes by the names of the stack's functions.
pub fn functions() -> TempDir {
    let folder = tempfile::tempdir().expect("a folder");
    let probe = env!("CARGO_BIN_EXE_probe");
    for name in ["front", "work"] {
        std::fs::hard_link(probe, folder.path().join(name))
            .or_else(|_| std::fs::copy(probe, folder.path().join(name)).map(drop))
            .expect("the probe");
    }
    folder
}

impl Stack {
    pub async fn start() -> Self {
        Self::start_with(|_| {}).await
    }

    pub async fn start_with(change: impl FnOnce(&mut Options)) -> Self {
        let functions = functions();
        let mut options = options(functions.path());
        change(&mut options);
        let engine = Engine::start(options).await.expect("an engine");
        Self { engine, http: Client::new(), functions }
    }

    pub fn url(&self, path: &str) -> String {
        format!("{}{path}", self.engine.url())
    }

    pub async fn get(&self, path: &str) -> (StatusCode, Value) {
        read(self.http.get(self.url(path))).await
    }

    pub async fn post(&self, path: &str, body: Value) -> (StatusCode, Value) {
        read(self.http.post(self.url(path)).json(&body)).await
    }

    /// Waits until all work is done.
    pub async fn settle(&self) {
        let (status, answer) = self.get("/_local/idle?timeout=20").await;
        assert_eq!(status, StatusCode::OK, "{answer}");
    }

    pub async fn fault(&self, rule: Value) {
        let (status, answer) = self.post("/_local/faults", rule).await;
        assert_eq!(status, StatusCode::CREATED, "{answer}");
    }

    /// Sends an instruction to the worker through the front, over HTTP.
    pub async fn enqueue(&self, instruction: Value) {
        let (status, answer) =
            self.post("/front/x", json!({ "do": "send", "queue": "JOBS", "body": instruction })).await;
        assert_eq!(status, StatusCode::OK, "{answer}");
    }

    pub async fn account(&self, function: &str) -> Value {
        self.get("/_local/calls").await.1["functions"][function].clone()
    }

    pub async fn queue(&self, name: &str) -> Value {
        let queues = self.get("/_local/queues").await.1["queues"].clone();
        let queue = queues.as_array().into_iter().flatten().find(|q| q["name"] == name);
        queue.cloned().expect("the queue")
    }

    pub fn sqs(&self) -> aws_sdk_sqs::Client {
        let config = aws_sdk_sqs::Config::builder()
            .behavior_version(aws_sdk_sqs::config::BehaviorVersion::latest())
            .region(aws_sdk_sqs::config::Region::new(local::engine::AWS_REGION))
            .http_client(shared::http::aws().expect("a client"))
            .credentials_provider(aws_sdk_sqs::config::Credentials::new("test", "test", None, None, "test"))
            .endpoint_url(self.engine.handles().aws_endpoint("test"))
            .build();
        aws_sdk_sqs::Client::from_conf(config)
    }

    /// The stack's secret, as the product reads and writes one.
    pub fn secret(&self, name: &str) -> KeptSecret {
        let credentials = aws_sdk_sqs::config::Credentials::new("test", "test", None, None, "test");
        let config = aws_config::SdkConfig::builder()
            .behavior_version(aws_config::BehaviorVersion::latest())
            .region(aws_config::Region::new(local::engine::AWS_REGION))
            .http_client(shared::http::aws().expect("a client"))
            .credentials_provider(aws_sdk_sqs::config::SharedCredentialsProvider::new(credentials))
            .endpoint_url(self.engine.handles().aws_endpoint("test"))
            .build();
        KeptSecret::new(&config, local::lambda::template::secret_arn(name))
    }

    pub fn queue_url(&self, name: &str) -> String {
        self.url(&format!("/_aws/123456789012/{name}"))
    }
}

async fn read(request: reqwest::RequestBuilder) -> (StatusCode, Value) {
    let response = request.send().await.expect("an answer");
    let status = response.status();
    let text = response.text().await.expect("a body");
    (status, serde_json::from_str(&text).unwrap_or(Value::String(text)))
}
