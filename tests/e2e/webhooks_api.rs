//! Webhooks through the API: made, read, changed, deleted, and ten at most.

use futures::future::join_all;
use reqwest::Method;
use serde_json::{Value, json};

use crate::world::{ANYBODY, App, World};

async fn app_without_webhooks(world: &World) -> App {
    world.another_app(json!({ "webhooks": [] })).await
}

#[tokio::test]
async fn a_webhook_lives_from_its_creation_to_its_deletion() {
    let world = World::new().await;
    let app = app_without_webhooks(&world).await;
    assert_eq!(world.read(&app, "webhooks").await, json!({ "webhooks": [] }));

    let made = world.make(&app, "webhooks", json!({ "target": "https://shop.example/hook" })).await["webhook"].clone();
    let id = made["_id"].as_str().unwrap().to_owned();
    let secret = made["secret"].as_str().unwrap().to_owned();
    let signing = made["signingSecret"].as_str().unwrap().to_owned();
    assert!(secret.len() >= 40 && signing.starts_with("whsec_") && !signing.contains(&secret), "{made}");
    assert_eq!(
        made,
        json!({
            "_id": id, "target": "https://shop.example/hook", "triggers": ["message"], "secret": secret,
            "signingSecret": signing, "version": "v1.1", "includeClient": false, "includeFullAppUser": false,
        })
    );
    assert_eq!(world.read(&app, "webhooks").await["webhooks"], json!([made]));
    let path = format!("webhooks/{id}");
    assert_eq!(world.read(&app, &path).await["webhook"], made);

    let change = json!({ "triggers": ["postback", "*", "postback"], "includeClient": true, "_id": "x", "secret": "x",
        "signingSecret": "x" });
    let changed = world.change(&app, &path, change).await["webhook"].clone();
    assert_eq!(changed["triggers"], json!(["postback", "*"]));
    assert_eq!(changed["includeClient"], true);
    assert_eq!(
        ["target", "secret", "signingSecret", "_id"].map(|name| &changed[name]),
        ["target", "secret", "signingSecret", "_id"].map(|name| &made[name])
    );
    assert_eq!(world.read(&app, &path).await["webhook"], changed);

    world.remove(&app, &path).await;
    for (method, body) in [(Method::GET, None), (Method::PUT, Some(json!({}))), (Method::DELETE, None)] {
        world.refused(&app, method, &path, body, "webhook_not_found: Webhook not found").await;
    }
    assert_eq!(world.read(&app, "webhooks").await, json!({ "webhooks": [] }));
    world.end().await;
}

#[tokio::test]
async fn a_replaced_signing_secret_signs_beside_the_new_one() {
    let world = World::new().await;
    let app = app_without_webhooks(&world).await;
    let target = format!("{}/_local/sink/signed", world.url());
    let wanted = json!({ "target": target, "triggers": ["notification:delivery:user"] });
    let made = world.make(&app, "webhooks", wanted).await["webhook"].clone();
    let path = format!("webhooks/{}/signingsecret", made["_id"].as_str().unwrap());
    let replaced = world.make(&app, &path, json!({})).await["webhook"].clone();
    assert_ne!(replaced["signingSecret"], made["signingSecret"]);
    assert_eq!(replaced["secret"], made["secret"]);
    assert_eq!(world.read(&app, "webhooks").await["webhooks"], json!([replaced]));
    world.notify_as(&app, "twilio", ANYBODY, json!({ "type": "text", "text": "Hello" })).await;
    world.settle().await;
    let request = world.requests_to("signed").await.remove(0);
    let signed = |secret: &Value| signature(secret.as_str().unwrap(), &request);
    let both = format!("{} {}", signed(&replaced["signingSecret"]), signed(&made["signingSecret"]));
    assert_eq!(request["headers"]["webhook-signature"], both);
    let unknown = "webhooks/64c0ffee0123456789abcdef/signingsecret";
    world.refused(&app, Method::POST, unknown, Some(json!({})), "webhook_not_found").await;
    world.end().await;
}

/// What a request's `webhook-signature` is by one secret.
pub fn signature(secret: &str, request: &Value) -> String {
    use base64::Engine;
    use base64::engine::general_purpose::STANDARD;
    use hmac::{KeyInit, Mac};
    let header = |name: &str| request["headers"][name].as_str().unwrap().to_owned();
    let key = STANDARD.decode(secret.strip_prefix("whsec_").unwrap()).unwrap();
    let mut mac = hmac::Hmac::<sha2::Sha256>::new_from_slice(&key).unwrap();
    let raw = request["raw"].as_str().unwrap();
    mac.update(format!("{}.{}.{raw}", header("webhook-id"), header("webhook-timestamp")).as_bytes());
    format!("v1,{}", STANDARD.encode(mac.finalize().into_bytes()))
}

#[tokio::test]
async fn what_makes_no_webhook_is_refused_by_name() {
    let world = World::new().await;
    let app = app_without_webhooks(&world).await;
    let good = json!({ "target": "https://shop.example/hook" });
    let id = world.make(&app, "webhooks", good).await["webhook"]["_id"].as_str().unwrap().to_owned();
    let cases = [
        (json!({ "target": null }), "bad_request: target must not be null"),
        (json!({ "target": "" }), "bad_request: target must be an http or https URL"),
        (json!({ "target": "ftp://shop.example" }), "bad_request: target must be an http or https URL"),
        (json!({ "target": "shop.example" }), "bad_request: target must be an http or https URL"),
        (json!({ "target": 7 }), "bad_request: target has the wrong type"),
        (json!({ "triggers": "message" }), "bad_request: triggers has the wrong type"),
        (json!({ "triggers": [] }), "bad_request: triggers must name at least one trigger"),
        (json!({ "triggers": ["message", "Message"] }), "bad_request: triggers[1] is no trigger of v1.1"),
        (json!({ "triggers": [1] }), "bad_request: triggers[0] has the wrong type"),
        (json!({ "includeClient": "yes" }), "bad_request: includeClient has the wrong type"),
        (json!({ "includeFullAppUser": 1 }), "bad_request: includeFullAppUser has the wrong type"),
        (json!([]), "bad_request: body must be a JSON object"),
    ];
    for (body, words) in cases {
        world.refused(&app, Method::PUT, &format!("webhooks/{id}"), Some(body.clone()), words).await;
        let mut whole = json!({ "target": "https://shop.example/hook" });
        match body.as_object() {
            Some(fields) => whole.as_object_mut().unwrap().extend(fields.clone()),
            None => whole = body,
        }
        world.refused(&app, Method::POST, "webhooks", Some(whole), words).await;
    }
    world.refused(&app, Method::POST, "webhooks", Some(json!({})), "bad_request: target is required").await;
    let null = json!({ "triggers": null });
    world.refused(&app, Method::PUT, &format!("webhooks/{id}"), Some(null), "bad_request: triggers must not be").await;
    let webhooks = world.read(&app, "webhooks").await["webhooks"].clone();
    assert_eq!(webhooks.as_array().unwrap().len(), 1);
    assert_eq!(webhooks[0]["target"], "https://shop.example/hook");
    world.end().await;
}

#[tokio::test]
async fn of_many_made_at_once_ten_are_made_and_the_rest_are_told_why() {
    let world = World::new().await;
    let app = app_without_webhooks(&world).await;
    let body = |number| Some(json!({ "target": format!("https://shop.example/{number}") }));
    let attempts = join_all((0..16).map(|number| world.manage(&app, Method::POST, "webhooks", body(number)))).await;
    let (made, refused): (Vec<_>, Vec<_>) = attempts.iter().partition(|answer| answer.status == 201);
    assert_eq!(made.len(), 10);
    let words = "An app has at most 10 webhooks";
    for answer in refused {
        assert_eq!((answer.status, &answer.body["error"]["code"]), (400, &json!("bad_request")));
        assert!(answer.body["error"]["description"].as_str().unwrap().starts_with(words), "{}", answer.body);
    }
    let webhooks = world.read(&app, "webhooks").await["webhooks"].as_array().unwrap().clone();
    assert_eq!(webhooks.len(), 10);
    let one = format!("webhooks/{}", webhooks[3]["_id"].as_str().unwrap());
    let deletions = join_all((0..4).map(|_| world.manage(&app, Method::DELETE, &one, None))).await;
    assert_eq!(deletions.iter().filter(|answer| answer.status == 200).count(), 1, "it is counted off once");
    assert_eq!(deletions.iter().filter(|answer| answer.status == 404).count(), 3);
    world.make(&app, "webhooks", body(0).unwrap()).await;
    world.refused(&app, Method::POST, "webhooks", body(0), &format!("bad_request: {words}")).await;
    world.end().await;
}

#[tokio::test]
async fn two_changes_at_once_keep_each_others_fields() {
    let world = World::new().await;
    let app = app_without_webhooks(&world).await;
    let made = world.make(&app, "webhooks", json!({ "target": "https://shop.example/hook" })).await;
    let path = format!("webhooks/{}", made["webhook"]["_id"].as_str().unwrap());
    let changes = [
        json!({ "target": "https://shop.example/other" }),
        json!({ "triggers": ["postback"] }),
        json!({ "includeClient": true }),
        json!({ "includeFullAppUser": true }),
    ];
    let changes = changes.map(|change| world.manage(&app, Method::PUT, &path, Some(change)));
    for answer in join_all(changes).await {
        assert_eq!(answer.status, 200, "{}", answer.body);
    }
    let webhook = world.read(&app, &path).await["webhook"].clone();
    assert_eq!(webhook["target"], "https://shop.example/other");
    assert_eq!(webhook["triggers"], json!(["postback"]));
    assert_eq!((&webhook["includeClient"], &webhook["includeFullAppUser"]), (&json!(true), &json!(true)));
    world.end().await;
}

#[tokio::test]
async fn a_webhook_made_by_the_api_hears_what_becomes_of_a_notification() {
    let world = World::new().await;
    let app = app_without_webhooks(&world).await;
    let target = format!("{}/_local/sink/made", world.url());
    let wanted = json!({ "target": target, "triggers": ["notification:delivery:user"], "includeFullAppUser": true });
    let made = world.make(&app, "webhooks", wanted).await;
    let id = world.notify_as(&app, "twilio", ANYBODY, json!({ "type": "text", "text": "Hello" })).await;
    world.settle().await;
    let requests = world.requests_to("made").await;
    assert_eq!(requests.len(), 1);
    let body: &Value = &requests[0]["body"];
    assert_eq!((&body["trigger"], &body["notification"]["_id"]), (&json!("notification:delivery:user"), &json!(id)));
    assert_eq!(requests[0]["headers"]["x-api-key"], made["webhook"]["secret"]);
    world.end().await;
}

/// How soon a change counts, as the API's users are promised.
const A_CHANGE_COUNTS_WITHIN: std::time::Duration = std::time::Duration::from_secs(2);

#[tokio::test]
async fn a_webhook_that_was_made_changed_or_deleted_counts_for_all_that_is_accepted_two_seconds_later() {
    let world = World::new().await;
    let sink = |name: &str| format!("{}/_local/sink/{name}", world.url());
    let ends = |name: &str| json!({ "target": sink(name), "triggers": ["notification:delivery:user"] });
    let app = world.another_app(json!({ "webhooks": [ends("moved"), ends("silenced"), ends("deleted")] })).await;
    let text = json!({ "type": "text", "text": "Hello" });
    // Now every function that publishes or delivers knows the webhooks as they are.
    world.notify_as(&app, "twilio", ANYBODY, text.clone()).await;
    world.settle().await;
    let webhooks = world.read(&app, "webhooks").await["webhooks"].as_array().unwrap().clone();
    let path = |name: &str| {
        let webhook = webhooks.iter().find(|webhook| webhook["target"] == sink(name)).unwrap();
        format!("webhooks/{}", webhook["_id"].as_str().unwrap())
    };
    world.make(&app, "webhooks", ends("made")).await;
    world.change(&app, &path("moved"), json!({ "target": sink("new-home") })).await;
    world.change(&app, &path("silenced"), json!({ "triggers": ["postback"] })).await;
    world.remove(&app, &path("deleted")).await;
    tokio::time::sleep(A_CHANGE_COUNTS_WITHIN).await;
    world.notify_as(&app, "twilio", ANYBODY, text).await;
    world.settle().await;
    let mut heard = Vec::new();
    for name in ["moved", "silenced", "deleted", "made", "new-home"] {
        heard.push((name, world.requests_to(name).await.len()));
    }
    assert_eq!(heard, [("moved", 1), ("silenced", 1), ("deleted", 1), ("made", 1), ("new-home", 1)]);
    world.end().await;
}
