//! Webhooks: filtered, signed, retried, dead-lettered, redriven; one that is broken harms no other.

use reqwest::Method;
use serde_json::{Value, json};

use crate::world::{ANYBODY, App, World};

async fn with_sinks(world: &World, sinks: &[(&str, &[&str])]) -> App {
    let webhooks: Vec<Value> = sinks
        .iter()
        .map(
            |(name, triggers)| json!({ "target": format!("{}/_local/sink/{name}", world.url()), "triggers": triggers }),
        )
        .collect();
    world.another_app(json!({ "webhooks": webhooks })).await
}

fn text() -> Value {
    json!({ "type": "text", "text": "Hello" })
}

async fn script(world: &World, sink: &str, script: Value) {
    let answer = world.local(Method::PUT, &format!("sink/{sink}"), Some(script)).await;
    assert_eq!(answer.status, 200, "{}", answer.body);
}

#[tokio::test]
async fn each_webhook_gets_the_triggers_it_wants() {
    let world = World::new().await;
    let wants: [(&str, &[&str]); 3] = [
        ("all", &["*"]),
        ("ends", &["notification:delivery:user", "notification:delivery:failure"]),
        ("talk", &["message"]),
    ];
    let app = with_sinks(&world, &wants).await;
    world.notify_as(&app, "twilio", ANYBODY, text()).await;
    world.settle().await;
    let body = json!({ "integrationId": app.integration("twilio"), "from": ANYBODY, "text": "Hi" });
    world.reply_with(body).await;
    world.settle().await;
    let triggers = async |sink: &str| {
        let requests = world.requests_to(sink).await;
        let triggers = requests.iter().map(|request| request["body"]["trigger"].as_str().unwrap().to_owned());
        // No order is promised.
        triggers.collect::<std::collections::BTreeSet<_>>().into_iter().collect::<Vec<_>>()
    };
    assert_eq!(
        triggers("all").await,
        ["message:appUser", "notification:delivery:channel", "notification:delivery:user"]
    );
    assert_eq!(world.requests_to("all").await.len(), 3);
    assert_eq!(triggers("ends").await, ["notification:delivery:user"]);
    assert_eq!(triggers("talk").await, ["message:appUser"]);
    world.end().await;
}

#[tokio::test]
async fn a_request_carries_one_secret_and_is_signed_with_the_other() {
    let world = World::new().await;
    world.notify("twilio", ANYBODY, "Hello").await;
    world.settle().await;
    let webhook = &world.app.ready["webhooks"][0];
    for request in world.requests_to(world.app.id()).await {
        let header = |name: &str| request["headers"][name].as_str().unwrap().to_owned();
        assert_eq!(header("x-api-key"), webhook["secret"].as_str().unwrap());
        assert!(header("content-type").starts_with("application/json"));
        assert_eq!(header("webhook-id"), request["body"]["eventId"].as_str().unwrap());
        let signature = crate::webhooks_api::signature(webhook["signingSecret"].as_str().unwrap(), &request);
        assert_eq!(header("webhook-signature"), signature);
    }
    world.end().await;
}

#[tokio::test]
async fn client_and_full_user_come_when_asked_for() {
    let world = World::new().await;
    let target = |name: &str| format!("{}/_local/sink/{name}", world.url());
    let webhooks = json!([
        { "target": target("plain"), "triggers": ["message:appUser"] },
        { "target": target("full"), "triggers": ["message:appUser"], "includeClient": true, "includeFullAppUser": true },
    ]);
    let app = world.another_app(json!({ "webhooks": webhooks })).await;
    world.reply_with(json!({ "integrationId": app.integration("twilio"), "from": ANYBODY, "text": "Hi" })).await;
    world.settle().await;
    let plain = world.requests_to("plain").await.remove(0)["body"].take();
    let full = world.requests_to("full").await.remove(0)["body"].take();
    assert!(plain.get("client").is_none() && plain["appUser"].get("clients").is_none());
    assert_eq!(full["client"]["externalId"], ANYBODY);
    assert_eq!(full["appUser"]["clients"][0]["platform"], "twilio");
    assert!(full["appUser"]["properties"].is_object() && full["appUser"]["signedUpAt"].is_string());
    world.end().await;
}

#[tokio::test]
async fn a_webhook_that_is_down_is_asked_five_times_then_dead_lettered_and_can_be_redriven() {
    let world = World::new().await;
    let app = with_sinks(&world, &[("down", &["notification:delivery:channel"]), ("up", &["*"])]).await;
    script(&world, "down", json!({ "status": 503 })).await;
    world.notify_as(&app, "twilio", ANYBODY, text()).await;
    world.settle().await;
    let requests = world.requests_to("down").await;
    assert_eq!(requests.len(), 5);
    assert!(requests.iter().all(|request| request["body"]["eventId"] == requests[0]["body"]["eventId"]));
    assert_eq!(world.requests_to("up").await.len(), 2, "the other webhook is not harmed");
    let dead = world.dead_letters().await;
    assert_eq!(dead.len(), 1);
    assert!(dead[0]["body"].as_str().unwrap().contains("5 attempts, at last the receiver answered 503"), "{dead:#?}");

    script(&world, "down", json!({ "status": 200 })).await;
    let queues = world.local(Method::GET, "queues", None).await.body;
    let queue = queues["queues"]
        .as_array()
        .unwrap()
        .iter()
        .find(|queue| queue["deadLetters"].as_array().is_some_and(|letters| !letters.is_empty()));
    let name = queue.unwrap()["name"].as_str().unwrap();
    let redriven = world.local(Method::POST, &format!("redrive/{name}"), None).await;
    assert_eq!(redriven.body["moved"], 1, "{}", redriven.body);
    world.settle().await;
    assert_eq!(world.requests_to("down").await.len(), 6);
    world.end().await;
}

#[tokio::test]
async fn gone_is_asked_again_and_not_found_is_not() {
    let world = World::new().await;
    let wants: &[&str] = &["notification:delivery:channel"];
    let app = with_sinks(&world, &[("gone", wants), ("missing", wants), ("rejects", wants), ("moved", wants)]).await;
    script(&world, "gone", json!({ "status": 410 })).await;
    script(&world, "missing", json!({ "status": 404 })).await;
    script(&world, "rejects", json!({ "status": 406 })).await;
    script(
        &world,
        "moved",
        json!({ "status": 302, "headers": { "location": format!("{}/_local/sink/elsewhere", world.url()) } }),
    )
    .await;
    world.notify_as(&app, "twilio", ANYBODY, text()).await;
    world.settle().await;
    assert_eq!(world.requests_to("gone").await.len(), 5);
    assert_eq!(world.requests_to("missing").await.len(), 1);
    assert_eq!(world.requests_to("rejects").await.len(), 1);
    assert_eq!(world.requests_to("moved").await.len(), 5);
    assert!(world.requests_to("elsewhere").await.is_empty(), "redirects are not followed");
    assert_eq!(world.dead_letters().await.len(), 3, "a 406 is the receiver's own wish and leaves nothing");
    world.end_with_dead_letters().await;
}

#[tokio::test]
async fn a_slow_webhook_delays_nobody_else_and_is_cut_at_twenty_seconds() {
    let world = World::new().await;
    let app = with_sinks(&world, &[("slow", &["*"]), ("quick", &["*"])]).await;
    script(&world, "slow", json!({ "status": 200, "delayMs": 25_000 })).await;
    let started = std::time::Instant::now();
    for _ in 0..3 {
        world.notify_as(&app, "twilio", ANYBODY, text()).await;
    }
    world
        .until("the quick webhook to hear all", async |world| {
            (world.requests_to("quick").await.len() == 6).then_some(())
        })
        .await;
    assert!(started.elapsed().as_secs() < 20, "the quick webhook waited for the slow one");
    world
        .until("the slow webhook to be given up", async |world| {
            world.logs().await.iter().any(|line| line.to_string().contains("no answer within 20 seconds")).then_some(())
        })
        .await;
    script(&world, "slow", json!({ "status": 200 })).await;
    world.settle().await;
    world.end().await;
}

#[tokio::test]
async fn a_webhook_nobody_listens_at_is_retried() {
    let world = World::new().await;
    let webhooks = json!([{ "target": "http://127.0.0.1:9/hook", "triggers": ["notification:delivery:channel"] }]);
    let app = world.another_app(json!({ "webhooks": webhooks })).await;
    world.notify_as(&app, "twilio", ANYBODY, text()).await;
    world.settle().await;
    let dead = world.dead_letters().await;
    assert_eq!(dead.len(), 1);
    assert!(
        dead[0]["body"].as_str().unwrap().contains("5 attempts, at last no answer: it refused the connection"),
        "{dead:#?}"
    );
    world.end_with_dead_letters().await;
}
