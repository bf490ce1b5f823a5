//! Requests that nobody means well with: ids that look like keys, fields that are not the caller's to set, smuggling,
//! huge numbers, deep bodies, floods. Whatever comes, it is a 4xx in v1.1's shape, and nothing is made.

use reqwest::Method;
use serde_json::{Value, json};
use shared::api::routes::ROUTES;
use tokio::io::{AsyncReadExt, AsyncWriteExt};

use crate::world::{ANYBODY, World};

const ODD_IDS: [&str; 12] = [
    "%23",
    "APP%23x%23USER",
    "..%2f..%2fapps",
    "%00",
    "%0d%0aX-Injected:%201",
    "64c0ffee0123456789abcdef%23",
    "\u{0430}64c0ffee0123456789abcde",
    "%F0%9F%99%82",
    "%C0%AE",
    "*",
    "null",
    "{}",
];

#[tokio::test]
async fn ids_that_look_like_keys_name_nothing_anywhere() {
    let world = World::new().await;
    let (key, secret) = world.app.account_key();
    let long = "x".repeat(1_100);
    for route in ROUTES.iter().filter(|route| route.path.contains('{') && route.method != "POST") {
        for odd in ODD_IDS.into_iter().chain([long.as_str()]) {
            let variables = [
                "keyId",
                "serviceAccountId",
                "integrationId",
                "webhookId",
                "templateId",
                "messageId",
                "userId",
                "channel",
            ];
            let path =
                variables.iter().fold(route.path.to_owned(), |path, name| path.replace(&format!("{{{name}}}"), odd));
            if path == route.path {
                continue;
            }
            let path = format!("/v1.1{}", path.replace("{appId}", world.app.id()));
            let method = Method::from_bytes(route.method.as_bytes()).unwrap();
            let request = world.http(method, &path).basic_auth(key, Some(secret));
            let request = if route.method == "PUT" { request.json(&json!({})) } else { request };
            let answer = world.request(request).await;
            assert!((400..500).contains(&answer.status), "{} {path}: {} {}", route.method, answer.status, answer.body);
            assert!(answer.body["error"]["code"].is_string(), "{path}: {}", answer.body);
        }
    }
    world.end().await;
}

#[tokio::test]
async fn what_is_not_the_callers_to_set_is_not_set() {
    let world = World::new().await;
    let other = world.another_app(json!({})).await;
    let forged = |mut body: Value| {
        let more = json!({ "_id": "ffffffffffffffffffffffff", "id": "ffffffffffffffffffffffff", "pk": "APP#x", "sk": "APP",
            "appId": other.id(), "accountId": "ffffffffffffffffffffffff", "secret": "mine", "ttl": 1, "version": "v9",
            "clients": [{ "externalId": ANYBODY }], "conversationStarted": true, "mergedInto": "ffffffffffffffffffffffff",
            "conversationId": "ffffffffffffffffffffffff", "unreadCount": -5, "sealedSecret": "x" });
        body.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        body
    };
    let user = world.make(&world.app, "appusers", forged(json!({ "userId": "bob" }))).await["appUser"].clone();
    let hook =
        world.make(&world.app, "webhooks", forged(json!({ "target": "https://a.example/" }))).await["webhook"].clone();
    let message = json!({ "role": "appMaker", "type": "text", "text": "Hi" });
    let posted = world.make(&world.app, "appusers/bob/messages", forged(message)).await["message"].clone();
    for made in [&user, &hook, &posted] {
        assert_ne!(made["_id"], "ffffffffffffffffffffffff", "{made}");
        for name in ["pk", "sk", "accountId", "ttl", "mergedInto", "sealedSecret"] {
            assert!(made.get(name).is_none(), "{name}: {made}");
        }
    }
    assert_eq!((&user["clients"], &user["conversationStarted"]), (&json!([]), &json!(false)));
    assert_eq!(hook["version"], "v1.1");
    assert_ne!(hook["secret"], "mine");
    let changed = world.change(&world.app, "appusers/bob", forged(json!({ "givenName": "Bob" }))).await;
    assert_eq!(changed["appUser"]["_id"], user["_id"]);
    world.refused(&other, Method::GET, "appusers/bob", None, "user_not_found").await;
    // The webhook's address does not exist.
    world.end_with_dead_letters().await;
}

#[tokio::test]
async fn deep_and_huge_bodies_are_refused_by_every_function() {
    let world = World::new().await;
    world.make(&world.app, "appusers", json!({ "userId": "bob" })).await;
    let (key, secret) = world.app.account_key();
    let deep = |levels: usize| format!("{{\"a\":{}{}}}", "[".repeat(levels), "]".repeat(levels));
    let bodies = [deep(40), deep(20_000), "{\"name\":1e999}".into(), "{\"a\":1e200}".into(), "{\"\":1}".into()];
    for path in
        ["apps", "apps/{}/webhooks", "apps/{}/appusers", "apps/{}/appusers/bob/messages", "apps/{}/notifications"]
    {
        let path = format!("/v1.1/{}", path.replace("{}", world.app.id()));
        for body in &bodies {
            let request = world.http(Method::POST, &path).basic_auth(key, Some(secret));
            let answer = world.request(request.header("content-type", "application/json").body(body.clone())).await;
            assert_eq!(
                (answer.status, &answer.body["error"]["code"]),
                (400, &json!("bad_request")),
                "{path}: {}",
                answer.body
            );
        }
        let large = json!({ "name": "x".repeat(110_000) });
        let answer = world.request(world.http(Method::POST, &path).basic_auth(key, Some(secret)).json(&large)).await;
        assert_eq!(answer.status, 413, "{path}: {}", answer.body);
    }
    world.end().await;
}

#[tokio::test]
async fn headers_and_paths_smuggle_nothing() {
    let world = World::new().await;
    let address = world.url().trim_start_matches("http://").to_owned();
    let id = world.app.id();
    let requests = [
        format!(
            "GET /v1.1/apps/{id}/appusers/x%0d%0aHost:%20evil HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\n\r\n"
        ),
        format!("GET /v1.1/apps/{id}/../{id}/webhooks HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\n\r\n"),
        format!("GET //v1.1//apps//{id}//webhooks HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\n\r\n"),
        format!(
            "GET /v1.1/apps HTTP/1.1\r\nHost: {address}\r\nX-Forwarded-User: admin\r\nX-Original-URL: /_local/ready\r\nConnection: close\r\n\r\n"
        ),
        "GET /v1.1/apps HTTP/1.1\r\nHost: evil:99999999\r\nConnection: close\r\n\r\n".to_owned(),
        format!(
            "GET /v1.1/apps HTTP/1.1\r\nHost: {address}\r\nAuthorization: Basic \u{7f}\u{80}\r\nConnection: close\r\n\r\n"
        ),
    ];
    for request in requests {
        let mut stream = tokio::net::TcpStream::connect(&address).await.unwrap();
        stream.write_all(request.as_bytes()).await.unwrap();
        let mut answer = Vec::new();
        stream.read_to_end(&mut answer).await.unwrap();
        let answer = String::from_utf8_lossy(&answer).into_owned();
        let status: u16 = answer.split(' ').nth(1).unwrap().parse().unwrap();
        assert!((400..500).contains(&status), "{request:?}: {answer}");
        assert!(!answer.to_lowercase().contains("\r\nx-injected"));
    }
    world.end().await;
}

/// A raw request's status.
async fn raw(world: &World, request: &str) -> u16 {
    let address = world.url().trim_start_matches("http://");
    let mut stream = tokio::net::TcpStream::connect(address).await.unwrap();
    stream.write_all(request.as_bytes()).await.unwrap();
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer).await.unwrap();
    String::from_utf8_lossy(&answer).split(' ').nth(1).unwrap().parse().unwrap()
}

#[tokio::test]
async fn paths_of_any_length_are_answered_at_once_and_by_nobodys_credentials() {
    let world = World::new().await;
    let started = std::time::Instant::now();
    for word in ["/", "%2F", "/a", "%25", "%2525", "/messages"] {
        for many in [1_000, 9_000] {
            let path = format!("/v1.1/appusers/a{}messages", word.repeat(many));
            let status =
                raw(&world, &format!("GET {path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")).await;
            assert!([401, 404, 414].contains(&status), "{many} times {word}: {status}");
        }
    }
    // One of them alone took ten seconds of a processor, and then its function's life.
    assert!(started.elapsed().as_secs() < 9, "{:?}", started.elapsed());
    let calls = world.calls().await;
    assert_eq!(calls["functions"]["api"]["failures"].as_u64().unwrap_or_default(), 0, "{calls:#}");
    world.end().await;
}

/// As proxies and tunnels send them, in good faith or not.
const DOUBLED: [(&str, &str); 9] = [
    ("X-Forwarded-Proto", "https,http"),
    ("X-Forwarded-Proto", "https, https"),
    ("X-Forwarded-Proto", "://"),
    ("X-Forwarded-Port", "443,80"),
    ("X-Forwarded-Host", "a.example, b.example"),
    ("X-Forwarded-For", "1.2.3.4, unknown, ::1"),
    ("Forwarded", "proto=https;host=\"a"),
    ("Host", "a.example,b.example"),
    ("Host", "a.example:99999999"),
];

/// Paths of every function that answers over HTTP.
fn some_of_each(app: &str) -> [(&'static str, String); 8] {
    [
        ("api", "/v1.1/apps".into()),
        ("api", format!("/v1.1/apps/{app}/webhooks")),
        ("api", format!("/v1.1/apps/{app}/appusers/bob")),
        ("api", format!("/v1.1/apps/{app}/appusers/bob/messages")),
        ("api", "/media/none".into()),
        ("api", "/openapi.json".into()),
        ("notifications", "/v1.1/notifications".into()),
        ("callbacks", format!("/callbacks/twilio/{app}/{app}")),
    ]
}

#[tokio::test]
async fn headers_that_proxies_double_or_garble_kill_no_function() {
    let world = World::new().await;
    for (function, path) in some_of_each(world.app.id()) {
        for (name, value) in DOUBLED {
            let hosts = if name == "Host" { String::new() } else { "Host: localhost\r\n".to_owned() };
            let request = format!("GET {path} HTTP/1.1\r\n{hosts}{name}: {value}\r\nConnection: close\r\n\r\n");
            let status = raw(&world, &request).await;
            assert!(status < 500, "{function}: {name}: {value} gave {status}");
            let event = json!({
                "version": "2.0", "routeKey": "$default", "rawPath": path, "rawQueryString": "",
                "headers": { "host": "a", "content-length": "5,5", (name.to_lowercase()): value },
                "requestContext": { "http": { "method": "GET", "path": path }, "domainName": value, "stage": "$default" },
                "isBase64Encoded": false,
            });
            let answer = world.local(Method::POST, &format!("invoke/{function}"), Some(event)).await;
            let status = answer.body["statusCode"].as_u64().unwrap_or_else(|| panic!("{function}: {}", answer.body));
            assert!(status < 500, "{function}: {name}: {value} gave {status}");
        }
    }
    world.end().await;
}
