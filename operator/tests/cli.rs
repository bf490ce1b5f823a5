//! The command itself, against a table that the engine plays: what it says when it can't work, and what it prints.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use local::lambda::template::secret_arn;
use local::{Engine, LogStyle, Options};
use serde_json::Value;

async fn engine() -> Engine {
    Engine::start(Options {
        port: 0,
        data_dir: None,
        template: Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/table.yaml"),
        functions_dir: PathBuf::new(),
        simulate: true,
        log: LogStyle::Silent,
        paths: local::Paths::default(),
        parameters: BTreeMap::new(),
        allow_hosts: Vec::new(),
    })
    .await
    .expect("an engine")
}

/// Write units that the operator has spent.
async fn written(engine: &Engine) -> f64 {
    let calls = reqwest::get(format!("{}/_local/calls", engine.url())).await.expect("an answer");
    let calls: Value = serde_json::from_str(&calls.text().await.expect("a body")).expect("JSON");
    calls["functions"]["operator"]["writeUnits"].as_f64().unwrap_or(0.0)
}

fn refusal(command: &mut Command) -> String {
    let Output { status, stderr, .. } = command.output().expect("the command ran");
    assert_eq!(status.code(), Some(1));
    let said = String::from_utf8(stderr).expect("text");
    assert_eq!(said.lines().count(), 1, "one sentence: {said}");
    said
}

/// `create-account` in an environment that holds nothing but these.
fn create_account(variables: &[(&str, &str)]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_heliograph"));
    command.arg("create-account").env_clear().env("AWS_EC2_METADATA_DISABLED", "true").env("HOME", "/nonexistent");
    command.envs(variables.iter().copied());
    command
}

#[tokio::test(flavor = "multi_thread")]
async fn create_account_says_what_is_missing_or_wrong_before_it_writes_anything() {
    let engine = engine().await;
    let endpoint = engine.handles().aws_endpoint("operator");
    let (secret, other) = (secret_arn("Key"), secret_arn("AnothersKey"));
    let good = [
        ("AWS_REGION", "us-east-1"),
        ("AWS_ACCESS_KEY_ID", "operator"),
        ("AWS_SECRET_ACCESS_KEY", "operator"),
        ("AWS_ENDPOINT_URL", endpoint.as_str()),
        ("TABLE_NAME", "Accounts"),
        ("SEALING_SECRET_ARN", secret.as_str()),
    ];
    let but = |name: &str, value: Option<&'static str>| {
        let rest = good.iter().copied().filter(|(known, _)| *known != name);
        rest.chain(value.map(|value| (name, value))).map(|(k, v)| (k.to_owned(), v.to_owned())).collect::<Vec<_>>()
    };
    let refused = |variables: Vec<(String, String)>| {
        let variables: Vec<_> = variables.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
        refusal(&mut create_account(&variables))
    };
    for (name, value, wanted) in [
        ("TABLE_NAME", None, "the environment variable TABLE_NAME is not set"),
        ("SEALING_SECRET_ARN", None, "the environment variable SEALING_SECRET_ARN is not set"),
        ("SEALING_SECRET_ARN", Some("arn:aws:secretsmanager:x"), "the sealing secret can't be read"),
        ("AWS_REGION", None, "there is no AWS region"),
        ("AWS_ACCESS_KEY_ID", None, "there are no AWS credentials"),
        ("TABLE_NAME", Some("Nowhere"), "there is no table Nowhere in us-east-1"),
        ("AWS_ENDPOINT_URL", Some("http://127.0.0.1:1"), "DynamoDB in us-east-1 can't be reached"),
    ] {
        let said = refused(but(name, value));
        assert!(said.contains(wanted), "{name}: {said}");
    }
    assert_eq!(written(&engine).await, 0.0);

    let made = create_account(&good).output().expect("the command ran");
    let printed: Value = serde_json::from_slice(&made.stdout).expect("JSON");
    assert!(printed["accountKeyId"].as_str().is_some_and(|id| id.starts_with("act_")), "{printed}");
    let mut foreign = good;
    foreign[5] = ("SEALING_SECRET_ARN", other.as_str());
    let said = refusal(&mut create_account(&foreign));
    assert!(said.contains("the sealing secret is not this table's"), "{said}");
    // There is no API here: no stack that takes the key.
    let mut tried = create_account(&good);
    let said = refusal(tried.args(["--api-url", engine.url()]));
    assert!(said.contains("the new key was deleted again") && said.contains("answered 404 Not Found"), "{said}");
}
