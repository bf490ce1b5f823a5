//! Whatever is wrong with a request: a 4xx in v1.1's shape that names the field, and nothing on any queue.

use reqwest::Method;
use reqwest::header::{AUTHORIZATION, CONTENT_TYPE};
use serde_json::{Value, json};

use crate::world::{ANYBODY, Answer, World};

fn assert_refused(answer: &Answer, status: u16, code: &str, names: &str) {
    assert_eq!(answer.status, status, "{}", answer.body);
    assert_eq!(answer.body["error"]["code"], code, "{}", answer.body);
    let description = answer.body["error"]["description"].as_str().unwrap();
    assert!(description.contains(names), "{names:?} is not named in {description:?}");
    assert_eq!(answer.body.as_object().unwrap().len(), 1);
}

#[tokio::test]
async fn bodies_that_make_no_notification_are_refused_and_nothing_is_enqueued() {
    let world = World::new().await;
    let good = World::body(&world.app, "twilio", ANYBODY, json!({ "type": "text", "text": "Hi" }));
    let change = |path: &str, value: Value| {
        let mut body = good.clone();
        *body.pointer_mut(path).unwrap_or_else(|| panic!("{path}")) = value;
        body
    };
    let message = |message: Value| change("/message", message);
    let action = |kind: &str| json!({ "type": kind, "text": "Go", "uri": "https://a.example/", "payload": "P" });
    let unknown = "64c0ffee0123456789abcdef";
    let cases: Vec<(Value, u16, &str, &str)> = vec![
        (json!({}), 400, "bad_request", "destination"),
        (json!([]), 400, "bad_request", "body"),
        (change("/destination", json!([unknown, ANYBODY])), 400, "bad_request", "destination"),
        (change("/destination/integrationId", json!("xyz")), 400, "bad_request", "destination.integrationId"),
        (
            change("/destination/integrationId", json!(unknown)),
            404,
            "integration_not_found",
            "destination.integrationId",
        ),
        (change("/destination/destinationId", json!("212 555 2368")), 400, "bad_request", "destination.destinationId"),
        (change("/destination/destinationId", json!(5)), 400, "bad_request", "destination.destinationId"),
        (change("/author", json!({})), 400, "bad_request", "author.role"),
        (change("/author/role", json!("appUser")), 400, "bad_request", "author.role"),
        (message(json!({ "type": "text" })), 400, "bad_request", "message.text"),
        (message(json!({ "type": "text", "text": "" })), 400, "bad_request", "message.text"),
        (message(json!({ "type": "text", "text": "x".repeat(4_097) })), 400, "bad_request", "message.text"),
        (message(json!({ "type": "hologram" })), 400, "bad_request", "message.type"),
        (message(json!({ "type": "image" })), 400, "bad_request", "message.mediaUrl"),
        (message(json!({ "type": "location" })), 400, "bad_request", "message.coordinates"),
        (message(json!({ "type": "carousel" })), 400, "bad_request", "message.items"),
        (
            message(json!({ "type": "text", "text": "x", "actions": [action("reply"), action("link")] })),
            400,
            "bad_request",
            "message.actions",
        ),
        (
            message(json!({ "type": "text", "text": "x", "metadata": { "a": {} } })),
            400,
            "bad_request",
            "message.metadata must hold strings",
        ),
        (
            message(json!({ "type": "text", "text": "x", "metadata": { "a": "x".repeat(5_000) } })),
            400,
            "bad_request",
            "message.metadata",
        ),
    ];
    for (body, status, code, names) in &cases {
        assert_refused(&world.post(&world.app, body).await, *status, code, names);
    }
    for (schema, names) in [("whatsapp", "messageSchema"), ("line", "messageSchema"), ("", "messageSchema")] {
        let mut body = good.clone();
        body["messageSchema"] = json!(schema);
        assert_refused(&world.post(&world.app, &body).await, 400, "bad_request", names);
    }
    world.settle().await;
    assert!(world.outbox().await.is_empty());
    let calls = world.calls().await;
    assert!(calls["functions"]["notifications"]["calls"].get("sqs:SendMessage").is_none(), "{calls:#}");
    world.end().await;
}

#[tokio::test]
async fn raw_bodies_and_content_types() {
    let world = World::new().await;
    let (key, secret) = world.app.key();
    let path = format!("/v1.1/apps/{}/notifications", world.app.id());
    let post = |body: Vec<u8>, content_type: &'static str| {
        let request = world.http(Method::POST, &path).basic_auth(key, Some(secret));
        world.request(request.header(CONTENT_TYPE, content_type).body(body))
    };
    for body in [&b"{"[..], b"", b"null", b"\"text\"", b"{\"a\":1}{", &[0xff, 0xfe, 0x00, 0x80]] {
        assert_refused(&post(body.to_vec(), "application/json").await, 400, "bad_request", "body");
    }
    let deep = "[".repeat(50_000);
    assert_refused(&post(deep.into_bytes(), "application/json").await, 400, "bad_request", "body");
    let good = World::body(&world.app, "twilio", ANYBODY, json!({ "type": "text", "text": "Hi" })).to_string();
    for content_type in ["text/plain", "application/x-www-form-urlencoded", "multipart/form-data"] {
        let answer = post(good.clone().into_bytes(), content_type).await;
        assert_refused(&answer, 415, "unsupported_media_type", "Content-Type");
    }
    assert_eq!(post(good.clone().into_bytes(), "Application/JSON; charset=utf-8").await.status, 201);
    let marked = format!("\u{feff}{}", good.replace("Hi", r"caf\ud83d"));
    assert_eq!(post(marked.into_bytes(), "application/json").await.status, 201);
    let compressed = world.http(Method::POST, &path).basic_auth(key, Some(secret)).header("content-encoding", "gzip");
    let compressed = compressed.header(CONTENT_TYPE, "application/json").body(vec![0x1f, 0x8b, 8, 0]);
    assert_refused(&world.request(compressed).await, 415, "unsupported_media_type", "Content-Encoding");
    let large = good.replace("Hi", &"x".repeat(110_000));
    assert_refused(&post(large.into_bytes(), "application/json").await, 413, "request_entity_too_large", "bytes");
    world.settle().await;
    assert_eq!(world.outbox().await.len(), 2);
    assert!(
        world
            .outbox()
            .await
            .iter()
            .any(|sent| sent.to_string().contains("caf\u{fffd}") || sent.to_string().contains("%EF%BF%BD"))
    );
    world.end().await;
}

#[tokio::test]
async fn credentials_that_are_missing_malformed_or_wrong() {
    let world = World::new().await;
    let body = World::body(&world.app, "twilio", ANYBODY, json!({ "type": "text", "text": "Hi" }));
    let path = format!("/v1.1/apps/{}/notifications", world.app.id());
    let (key, secret) = world.app.key();
    let bare = world.request(world.http(Method::POST, &path).json(&body)).await;
    assert_refused(&bare, 401, "unauthorized", "Authorization is required");
    let encoded = |text: &str| {
        use base64::Engine;
        format!("Basic {}", base64::engine::general_purpose::STANDARD.encode(text))
    };
    let cases = [
        ("Basic", "unauthorized"),
        ("Basic ???", "unauthorized"),
        ("Digest abc", "unauthorized"),
        ("Bearer", "unauthorized"),
        ("Bearer not.a.token", "invalid_auth"),
        (&encoded("nocolon"), "unauthorized"),
        (&encoded(&format!("{key}:wrong")), "unauthorized"),
        (&encoded(&format!("{key}:")), "unauthorized"),
        (&encoded(&format!("app_000000000000000000000000:{secret}")), "unauthorized"),
        (&encoded(&format!("{}:{secret}", "x".repeat(500))), "unauthorized"),
        (&encoded("#/..\0:x"), "unauthorized"),
    ];
    for (header, code) in cases {
        let request = world.http(Method::POST, &path).header(AUTHORIZATION, header).json(&body);
        assert_refused(&world.request(request).await, 401, code, "");
    }
    world.end().await;
}

#[tokio::test]
async fn unknown_paths_and_methods() {
    let world = World::new().await;
    let (key, secret) = world.app.key();
    let id = world.app.id();
    let paths = [
        "/v1.1/nothing".to_owned(),
        "/v2/notifications".to_owned(),
        format!("/v1.1/apps/{id}/notifications/more"),
        "/v1.1/apps/%00/notifications".to_owned(),
        "/v1.1/apps/..%2f..%2f/notifications".to_owned(),
        "/v1.1/a b/ü/<>\"|".to_owned(),
        format!("/v1.1/apps/{}/notifications", "9".repeat(2_000)),
    ];
    for path in &paths {
        let request = world.http(Method::POST, path).basic_auth(key, Some(secret)).json(&json!({}));
        let answer = world.request(request).await;
        let code = answer.body["error"]["code"].as_str().unwrap_or_default();
        assert!(answer.status == 404 && code.ends_with("not_found"), "{path}: {}", answer.body);
    }
    let path = format!("/v1.1/apps/{id}/notifications");
    for method in [Method::GET, Method::PUT, Method::DELETE, Method::PATCH] {
        let answer = world.request(world.http(method.clone(), &path).basic_auth(key, Some(secret))).await;
        assert_refused(&answer, 405, "method_not_allowed", "POST");
        assert_eq!(answer.headers["allow"], "POST");
    }
    world.end().await;
}
