//! The engine runs a small stack of real processes: HTTP in, through queue and function, into the table.

mod stack;

use std::time::{Duration, Instant};

use reqwest::StatusCode;
use serde_json::{Value, json};
use shared::model::Secret;
use shared::secrets::SecretError;
use stack::Stack;

#[tokio::test]
async fn a_request_travels_through_api_queue_and_table() {
    let stack = Stack::start().await;
    stack.enqueue(json!({ "do": "put", "pk": "a" })).await;
    stack.settle().await;

    let front = stack.account("front").await;
    assert_eq!((&front["invocations"], &front["coldStarts"], &front["errors"]), (&json!(1), &json!(1), &json!(0)));
    assert_eq!(front["calls"], json!({ "sqs:SendMessage": 1 }));
    let work = stack.account("work").await;
    assert_eq!(work["calls"], json!({ "dynamodb:PutItem": 1, "sqs:DeleteMessageBatch": 1, "sqs:ReceiveMessage": 1 }));
    assert_eq!((&work["writeUnits"], &work["readUnits"], &work["records"]), (&json!(1.0), &json!(0.0), &json!(1)));
    assert_eq!(stack.get("/_local/calls").await.1["httpRequests"], 1);
    stack.engine.stop().await;
}

#[tokio::test]
async fn a_function_sees_its_environment_and_a_warm_process_is_used_again() {
    let stack = Stack::start().await;
    let env = async |name: &str| stack.post("/_local/invoke/front", json!({ "do": "env", "name": name })).await.1;
    assert_eq!(env("TABLE_NAME").await, "Table");
    assert_eq!(env("SECRET").await, local::lambda::template::secret_arn("Key"));
    assert_eq!(env("JOBS").await, stack.queue_url("Jobs"));
    assert_eq!(env("AWS_LAMBDA_FUNCTION_MEMORY_SIZE").await, "128");
    assert_eq!(env("CARGO_MANIFEST_DIR").await, json!(null), "the engine's own environment stays outside");
    let account = stack.account("front").await;
    assert_eq!((&account["invocations"], &account["coldStarts"]), (&json!(5), &json!(1)));
}

#[tokio::test]
async fn processes_are_started_when_all_are_busy() {
    let stack = Stack::start().await;
    let sleep = || stack.post("/_local/invoke/front", json!({ "do": "sleep", "ms": 300 }));
    let (a, b) = tokio::join!(sleep(), sleep());
    assert_ne!(a.1["pid"], b.1["pid"]);
    assert_eq!(stack.account("front").await["coldStarts"], 2);
}

#[tokio::test]
async fn what_goes_wrong_in_a_function_is_told_apart() {
    let stack = Stack::start().await;
    let invoke = |instruction| stack.post("/_local/invoke/front", instruction);
    assert_eq!(invoke(json!({ "do": "fail" })).await.1["errorMessage"], "told to fail");
    assert_eq!(invoke(json!({ "do": "exit" })).await.1["errorType"], "Runtime.ExitError");
    assert_eq!(invoke(json!({ "do": "sleep", "ms": 10_000 })).await.1["errorType"], "Sandbox.Timedout");
    assert_eq!(invoke(json!({ "do": "echo" })).await.1["do"], "echo", "a crash harms nobody after it");
    assert_eq!(stack.post("/_local/invoke/gone", json!({})).await.0, StatusCode::NOT_FOUND);
    assert_eq!(stack.account("front").await["errors"], 3);
    let logs = stack.get("/_local/logs?function=front").await.1["logs"].to_string();
    assert!(logs.contains("exit status: 3"), "{logs}");
}

#[tokio::test]
async fn a_failed_start_is_an_error_of_the_invocation() {
    let stack = Stack::start_with(|options| {
        options.parameters.insert("FailInit".into(), "yes".into());
    })
    .await;
    let answer = stack.post("/_local/invoke/front", json!({ "do": "echo" })).await.1;
    assert_eq!(answer["errorType"], "Runtime.ExitError");
    let logs = stack.get("/_local/logs?function=front").await.1["logs"].to_string();
    assert!(logs.contains("told to fail at the start"), "{logs}");
}

#[tokio::test]
async fn the_gateway_answers_as_the_real_one() {
    let stack = Stack::start().await;
    let (status, event) = stack.post("/front/a%20b?x=1&x=2", json!({ "do": "echo" })).await;
    assert_eq!(status, StatusCode::OK);
    assert_eq!(event["rawPath"], "/front/a b");
    assert_eq!(event["routeKey"], "POST /front/{proxy+}");
    assert_eq!(event["pathParameters"]["proxy"], "a b");
    assert_eq!(event["queryStringParameters"]["x"], "1,2");
    assert_eq!(stack.get("/front/a").await, (StatusCode::NOT_FOUND, json!({ "message": "Not Found" })));
    assert_eq!(
        stack.post("/front/a", json!({ "do": "fail" })).await,
        (StatusCode::INTERNAL_SERVER_ERROR, json!({ "message": "Internal Server Error" }))
    );
    let large = "x".repeat(11 << 20);
    let refused = stack.http.post(stack.url("/front/a")).body(large).send().await.expect("an answer");
    assert_eq!(refused.status(), StatusCode::PAYLOAD_TOO_LARGE);
}

#[tokio::test]
async fn a_function_url_answers_as_the_real_one() {
    let stack = Stack::start().await;
    let open = stack.engine.handles().outputs["Open"].clone();
    let post = async |url: String, body: Value| {
        let answer = stack.http.post(url).json(&body).send().await.expect("an answer");
        (answer.status().as_u16(), answer.text().await.expect("a body"))
    };
    let (status, event) = post(format!("{open}a/b?x=1"), json!({ "do": "echo" })).await;
    let event: Value = serde_json::from_str(&event).expect("what it was given");
    let domain = open.trim_start_matches("http://").trim_end_matches('/');
    assert_eq!((status, &event["rawPath"], &event["routeKey"]), (200, &json!("/a/b"), &json!("$default")));
    assert_eq!(event["requestContext"]["domainName"], domain);
    assert!(event.get("pathParameters").is_none());
    assert_eq!(post(open.clone(), json!({ "do": "fail" })).await, (502, "Internal Server Error".to_owned()));
    assert_eq!(post(open.clone(), json!({ "do": "exit" })).await, (502, "Internal Server Error".to_owned()));
    assert_eq!(post(open.clone(), json!("x".repeat(7 << 20))).await.0, 413);
    let shut = post(stack.engine.handles().outputs["Shut"].clone(), json!({})).await;
    assert_eq!(shut, (403, r#"{"Message":"Forbidden"}"#.to_owned()), "one permission of two is none");
    let elsewhere = stack.http.post(&open).header("host", "evil.test").send().await.expect("an answer");
    assert_eq!(elsewhere.status(), StatusCode::FORBIDDEN);
    let calls = stack.get("/_local/calls").await.1;
    assert_eq!((&calls["httpRequests"], &calls["functionUrlRequests"]), (&json!(0), &json!(6)));
}

#[tokio::test]
async fn a_function_url_stays_the_same_from_one_start_to_the_next() {
    let folder = tempfile::tempdir().expect("a folder");
    let start = async || Stack::start_with(|options| options.data_dir = Some(folder.path().to_owned())).await;
    let first = start().await;
    let url = first.engine.handles().outputs["Open"].clone();
    first.engine.stop().await;
    assert_eq!(start().await.engine.handles().outputs["Open"], url);
}

#[tokio::test]
async fn a_function_may_do_only_what_its_policy_says() {
    let stack = Stack::start().await;
    let refused = stack.post("/_local/invoke/front", json!({ "do": "put", "pk": "a" })).await.1;
    assert!(refused.to_string().contains("AccessDenied"), "{refused}");
    assert!(refused.to_string().contains("dynamodb:PutItem"), "{refused}");
    let refused = stack.post("/_local/invoke/front", json!({ "do": "send", "queue": "PLAIN", "body": 1 })).await.1;
    assert!(refused.to_string().contains("AccessDenied"), "{refused}");
    assert_eq!(stack.account("front").await["calls"], json!({}));
}

#[tokio::test]
async fn records_that_fail_are_tried_again_dead_lettered_and_redriven() {
    let stack = Stack::start().await;
    stack.enqueue(json!({ "do": "fail" })).await;
    stack.enqueue(json!({ "do": "put", "pk": "fine" })).await;
    // Two receives are allowed; the third attempt finds the message dead.
    for _ in 0..3 {
        let (status, _) = stack.get("/_local/idle?timeout=20&delays=false").await;
        if status == StatusCode::OK {
            break;
        }
        stack.post("/_local/wake", json!({})).await;
    }
    stack.settle().await;
    let dead = stack.queue("Dead").await;
    assert_eq!((&dead["visible"], &dead["deadLetters"][0]["from"]), (&json!(1), &json!("Jobs")));
    assert_eq!(dead["deadLetters"][0]["body"], r#"{"do":"fail"}"#);
    assert_eq!(dead["deadLetters"][0]["receiveCount"], 2);

    assert_eq!(stack.post("/_local/redrive/Dead", json!({})).await.1["moved"], 1);
    let begun = std::time::Instant::now();
    let (status, pending) = stack.get("/_local/idle?timeout=20&delays=false").await;
    assert_eq!(status, StatusCode::REQUEST_TIMEOUT);
    assert!(begun.elapsed().as_secs() < 10, "only time could bring back what is left");
    assert_eq!(pending["asleep"], true);
    assert_eq!(pending["queues"]["Jobs"], json!({ "visible": 0, "inFlight": 1, "delayed": 0 }));
    let (status, pending) = stack.get("/_local/idle?timeout=0.3").await;
    assert_eq!((status, &pending["asleep"]), (StatusCode::REQUEST_TIMEOUT, &json!(false)), "it waited in vain");
}

#[tokio::test]
async fn a_function_killed_before_its_answer_is_invoked_again() {
    let stack = Stack::start().await;
    stack.fault(json!({ "target": "function:work", "fault": "kill", "count": 1 })).await;
    stack.enqueue(json!({ "do": "put", "pk": "a" })).await;
    let (status, _) = stack.get("/_local/idle?timeout=0.5").await;
    assert_eq!(status, StatusCode::REQUEST_TIMEOUT);
    stack.post("/_local/wake", json!({})).await;
    stack.settle().await;
    let work = stack.account("work").await;
    assert_eq!(work["calls"]["dynamodb:PutItem"], 2, "the first went through, too");
    assert_eq!((&work["invocations"], &work["errors"], &work["coldStarts"]), (&json!(2), &json!(1), &json!(2)));
}

#[tokio::test]
async fn a_function_is_killed_at_the_exact_call() {
    let stack = Stack::start().await;
    let when = json!({ "afterCall": "sqs:SendMessage" });
    stack.fault(json!({ "target": "function:front", "fault": "kill", "count": 1, "when": when })).await;
    let send = json!({ "do": "send", "queue": "JOBS", "body": { "do": "put", "pk": "a" } });
    assert_eq!(stack.post("/front/x", send).await.0, StatusCode::INTERNAL_SERVER_ERROR);
    stack.settle().await;
    assert_eq!(stack.account("work").await["calls"]["dynamodb:PutItem"], 1, "the message was sent before the death");
}

#[tokio::test]
async fn a_function_killed_at_its_start_has_done_nothing() {
    let stack = Stack::start().await;
    stack.fault(json!({ "target": "function:front", "fault": "kill", "count": 1, "when": "start" })).await;
    let send = json!({ "do": "send", "queue": "JOBS", "body": { "do": "put", "pk": "a" } });
    assert_eq!(stack.post("/front/x", send).await.0, StatusCode::INTERNAL_SERVER_ERROR);
    stack.settle().await;
    assert_eq!(stack.account("front").await["calls"], json!({}));
}

#[tokio::test]
async fn a_duplicating_queue_delivers_everything_twice() {
    let stack = Stack::start().await;
    stack.fault(json!({ "target": "sqs", "fault": "duplicate", "operation": "SendMessage" })).await;
    stack.enqueue(json!({ "do": "put", "pk": "a" })).await;
    stack.settle().await;
    assert_eq!(stack.account("work").await["records"], 2);
}

#[tokio::test]
async fn a_throttling_or_silent_service_is_retried_by_the_sdk() {
    let stack = Stack::start().await;
    stack.fault(json!({ "target": "sqs", "fault": "throttle", "count": 1 })).await;
    stack.fault(json!({ "target": "dynamodb", "fault": "reset", "count": 1 })).await;
    stack.enqueue(json!({ "do": "put", "pk": "a" })).await;
    stack.settle().await;
    assert_eq!(stack.account("work").await["calls"]["dynamodb:PutItem"], 1);
}

#[tokio::test]
async fn paused_pollers_leave_the_backlog_and_then_take_full_batches() {
    let stack = Stack::start().await;
    stack.post("/_local/pollers", json!({ "paused": true })).await;
    for _ in 0..20 {
        stack.enqueue(json!({ "do": "echo" })).await;
    }
    assert_eq!(stack.queue("Jobs").await["visible"], 20);
    stack.post("/_local/pollers", json!({ "paused": false })).await;
    stack.settle().await;
    assert_eq!(stack.account("work").await["batches"], 2);
}

#[tokio::test]
async fn the_webhook_receiver_keeps_answers_and_fails_as_told() {
    let stack = Stack::start().await;
    assert_eq!(stack.post("/_local/sink/demo", json!({ "n": 1 })).await.0, StatusCode::OK);
    let script = stack
        .http
        .put(stack.url("/_local/sink/demo"))
        .json(&json!({ "status": 503, "headers": { "retry-after": "9" } }));
    assert_eq!(script.send().await.expect("an answer").status(), StatusCode::OK);
    assert_eq!(stack.post("/_local/sink/demo", json!({ "n": 2 })).await.0, StatusCode::SERVICE_UNAVAILABLE);
    stack.fault(json!({ "target": "sink:demo", "fault": "reset", "count": 1 })).await;
    assert!(stack.http.post(stack.url("/_local/sink/demo")).send().await.is_err(), "no answer at all");
    let kept = stack.get("/_local/webhooks?sink=demo").await.1;
    assert_eq!((&kept["total"], &kept["webhooks"][1]["body"]["n"]), (&json!(2), &json!(2)));
    let refused = stack.post("/_local/faults", json!({ "target": "sink:demo", "fault": "kill" })).await;
    assert_eq!(refused.0, StatusCode::BAD_REQUEST);
}

#[tokio::test]
async fn a_restart_loses_nothing() {
    let data = tempfile::tempdir().expect("a folder");
    let with_data = |options: &mut local::Options| options.data_dir = Some(data.path().to_owned());
    let first = Stack::start_with(with_data).await;
    first.post("/_local/pollers", json!({ "paused": true })).await;
    first.enqueue(json!({ "do": "put", "pk": "a" })).await;
    let secret = first.secret("Key").read().await.expect("read").secret;
    first.engine.stop().await;

    let second = Stack::start_with(with_data).await;
    assert_eq!(second.secret("Key").read().await.expect("read").secret, secret);
    second.settle().await;
    assert_eq!(second.account("work").await["calls"]["dynamodb:PutItem"], 1);
    let taken =
        local::Engine::start(local::Options { data_dir: Some(data.path().to_owned()), ..stack::options(data.path()) });
    let sentence = taken.await.err().expect("one engine at a time").to_string();
    assert!(sentence.contains("another engine uses it"), "{sentence}");
}

#[tokio::test]
async fn no_process_outlives_the_engine() {
    let stack = Stack::start().await;
    let pid = stack.post("/_local/invoke/front", json!({ "do": "sleep", "ms": 0 })).await.1["pid"].clone();
    let alive = || std::path::Path::new(&format!("/proc/{pid}")).exists();
    assert!(alive() || !cfg!(target_os = "linux"));
    let begun = Instant::now();
    stack.engine.stop().await;
    assert!(!alive());
    assert!(begun.elapsed() < Duration::from_secs(2), "an idle engine stops at once");
}

#[tokio::test]
async fn what_happens_can_be_watched() {
    let stack = Stack::start().await;
    let mut news = stack.http.get(stack.url("/_local/events")).send().await.expect("a stream");
    assert_eq!(news.headers()["content-type"], "text/event-stream");
    stack.post("/_local/sink/demo", json!({ "n": 1 })).await;
    let mut seen = String::new();
    while !seen.contains("\n\n") {
        let chunk = tokio::time::timeout(Duration::from_secs(5), news.chunk()).await.expect("an event");
        seen.push_str(&String::from_utf8_lossy(&chunk.expect("a chunk").expect("no end")));
    }
    assert!(seen.starts_with("event: webhook\ndata: {"), "{seen}");
}

#[tokio::test]
async fn no_page_of_another_name_or_origin_reaches_what_is_the_engines_own() {
    let stack = Stack::start_with(|options| {
        options.allow_hosts = vec!["devbox".parse().expect("a host")];
        options.parameters.insert("PublicUrl".into(), "https://tunnel.test".into());
    })
    .await;
    let asked = async |path: &str, name: &str, value: &str| {
        let answer = stack.http.get(stack.url(path)).header(name, value).send().await.expect("an answer");
        (answer.status().as_u16(), answer.text().await.expect("a body"))
    };
    let (status, body) = asked("/_local/calls", "host", "evil.test").await;
    assert!(status == 421 && body.contains("--allow-host evil.test"), "{status} {body}");
    assert_eq!(asked("/front/x", "host", "evil.test").await.0, 421);
    assert_eq!(asked("/_local/calls", "host", "devbox:8080").await.0, 200);
    assert_eq!(asked("/_local/calls", "host", "tunnel.test").await.0, 403);
    assert_eq!(asked("/nowhere", "host", "tunnel.test").await.0, 404);
    assert_eq!(asked("/_local/calls", "origin", "https://evil.test").await.0, 403);
    assert_eq!(asked("/", "origin", "https://evil.test").await.0, 403);
    assert_eq!(asked("/_local/calls", "origin", stack.engine.url()).await.0, 200);
}

#[tokio::test]
async fn log_entries_stand_on_lines_of_their_own_and_are_found_by_either_name_of_a_function() {
    let stack = Stack::start().await;
    let (status, answer) = stack.get("/_local/logs?function=nobody").await;
    assert_eq!(
        (status, &answer["error"]),
        (StatusCode::NOT_FOUND, &json!("there is no function nobody; there are front, work"))
    );
    stack.post("/_local/invoke/Front", json!({ "do": "exit" })).await;
    for name in ["front", "Front"] {
        let text = stack.http.get(stack.url(&format!("/_local/logs?function={name}"))).send().await.expect("an answer");
        let text = text.text().await.expect("a body");
        let whole: Value = serde_json::from_str(&text).expect("JSON");
        let entries = whole["logs"].as_array().expect("a list");
        assert!(!entries.is_empty());
        assert_eq!(text.lines().count(), entries.len() + 2, "{text}");
    }
}

/// Two who write over the same value: the second is told, so that no key is lost.
#[tokio::test]
async fn a_secret_is_written_over_what_was_read_only() {
    let stack = Stack::start().await;
    let kept = stack.secret("Key");
    let (mine, theirs) = (kept.read().await.expect("read"), kept.read().await.expect("read"));
    let with = |key: &str| mine.secret.clone().with_next(Secret::new(key)).expect("a version");
    kept.replace(&mine, &with("mine")).await.expect("written");
    assert!(matches!(kept.replace(&theirs, &with("theirs")).await, Err(SecretError::Overtaken)));
    assert_eq!(kept.read().await.expect("read").secret, with("mine"));
    let missing = stack.secret("Other").read().await.expect_err("there is none");
    assert_eq!(missing.to_string(), "Secrets Manager GetSecretValue failed: ResourceNotFoundException");
    assert_eq!(stack.account("test").await["calls"]["secretsmanager:GetSecretValue"], 4);
}
