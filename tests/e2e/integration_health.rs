//! What an integration says of itself: switched on or off by the business, and ill by its carrier's word.
//!
//! Functions remember settings for half a minute. So each step here uses an integration that no function has met yet, or
//! one of which nothing is remembered.

use reqwest::Method;
use serde_json::{Value, json};

use crate::integrations::bodies;
use crate::world::{ANYBODY, Answer, REFUSED, World};

/// One that no function knows: its path and its id.
pub async fn fresh(world: &World, channel: &str) -> (String, String) {
    let (body, _) = bodies().into_iter().find(|(body, _)| body["type"] == channel).unwrap();
    let made = world.make(&world.app, "integrations", body).await;
    let id = made["integration"]["_id"].as_str().unwrap().to_owned();
    (format!("integrations/{id}"), id)
}

pub async fn notify_at(world: &World, integration: &str, to: &str) -> Answer {
    let body = json!({
        "destination": { "integrationId": integration, "destinationId": to },
        "author": { "role": "appMaker" }, "message": { "type": "text", "text": "Hello" },
    });
    world.post(&world.app, &body).await
}

async fn notify(world: &World, integration: &str) -> Answer {
    notify_at(world, integration, ANYBODY).await
}

/// Sends, and tells what became of it.
async fn story(world: &World, integration: &str) -> Vec<String> {
    let answer = notify(world, integration).await;
    assert_eq!(answer.status, 201, "{}", answer.body);
    world.settle().await;
    world.story(answer.body["notification"]["_id"].as_str().unwrap()).await
}

async fn refuse(world: &World, channel: &str, status: u16) {
    world.fault(json!({ "target": format!("carrier:{channel}"), "fault": format!("status:{status}") })).await;
}

async fn shown(world: &World, path: &str) -> (Value, Option<Value>) {
    let integration = world.read(&world.app, path).await["integration"].clone();
    (integration["status"].clone(), integration.get("error").cloned())
}

/// How often this was logged, once it was.
async fn logged(world: &World, metric: &str) -> usize {
    let count = async |world: &World| {
        let count = world.logs().await.iter().filter(|line| line["line"].get(metric).is_some()).count();
        (count > 0).then_some(count)
    };
    world.until(metric, count).await
}

/// Updates of the table by the sender, and how many instances of it there were.
async fn updates(world: &World) -> (u64, u64) {
    let sender = world.calls().await["functions"]["send_twilio"].clone();
    (sender["calls"]["dynamodb:UpdateItem"].as_u64().unwrap(), sender["coldStarts"].as_u64().unwrap())
}

#[tokio::test]
async fn refused_credentials_are_told_until_the_carrier_takes_a_message() {
    for (channel, status) in [("twilio", 401), ("twilio", 403), ("messagebird", 401)] {
        let world = World::new().await;
        let (path, id) = fresh(&world, channel).await;
        refuse(&world, channel, status).await;
        assert_eq!(story(&world, &id).await, ["failure"]);
        let (said, error) = shown(&world, &path).await;
        assert_eq!(said, "error", "{channel} {status}");
        assert!(error.as_ref().is_some_and(|error| !error.as_str().unwrap().is_empty()), "{channel} {status}");

        let whole = world.read(&world.app, &path).await["integration"].clone();
        let again = world.change(&world.app, &path, whole.clone()).await["integration"].clone();
        assert_eq!(again, whole, "what is sent back as it was read changes nothing");
        for switch in [json!({ "status": "active" }), json!({ "displayName": "Ours" })] {
            world.change(&world.app, &path, switch).await;
            assert_eq!(shown(&world, &path).await, (json!("error"), error.clone()));
        }

        world.heal().await;
        assert_eq!(story(&world, &id).await, ["channel", "user"]);
        assert_eq!(shown(&world, &path).await, (json!("active"), None), "{channel} {status}");
        world.end().await;
    }
}

#[tokio::test]
async fn new_credentials_end_an_error() {
    let world = World::new().await;
    let (path, id) = fresh(&world, "messagebird").await;
    refuse(&world, "messagebird", 401).await;
    assert_eq!(story(&world, &id).await, ["failure"]);
    assert_eq!(shown(&world, &path).await.0, "error");
    let changed = world.change(&world.app, &path, json!({ "accessKey": "another-key" })).await;
    assert_eq!((&changed["integration"]["status"], changed["integration"].get("error")), (&json!("active"), None));
    assert_eq!(shown(&world, &path).await, (json!("active"), None));
    world.end().await;
}

#[tokio::test]
async fn what_is_wrong_with_one_address_is_not_the_integrations() {
    let world = World::new().await;
    let (path, id) = fresh(&world, "twilio").await;
    assert_eq!(notify_at(&world, &id, REFUSED).await.status, 201);
    world.settle().await;
    assert_eq!(world.events_named("notification:delivery:failure").await.len(), 1);
    assert_eq!(shown(&world, &path).await, (json!("active"), None));
    world.end().await;
}

#[tokio::test]
async fn an_error_is_written_once_however_many_messages_are_refused() {
    const MESSAGES: u64 = 30;
    let world = World::new().await;
    let (path, id) = fresh(&world, "twilio").await;
    refuse(&world, "twilio", 401).await;
    for _ in 0..MESSAGES {
        assert_eq!(notify(&world, &id).await.status, 201);
    }
    world.settle().await;
    assert_eq!(shown(&world, &path).await.0, "error");
    assert_eq!(logged(&world, "IntegrationFailing").await, 1);
    let (updates, instances) = updates(&world).await;
    assert!(updates <= MESSAGES + instances, "{updates} updates by {instances} instances");
    world.heal().await;
    assert_eq!(story(&world, &id).await, ["channel", "user"]);
    world.end().await;
}

#[tokio::test]
async fn a_carrier_that_says_now_this_and_now_that_is_not_noted_each_time() {
    const ROUNDS: u64 = 12;
    let world = World::new().await;
    let (_, id) = fresh(&world, "twilio").await;
    let start = std::time::Instant::now();
    for _ in 0..ROUNDS {
        world.fault(json!({ "target": "carrier:twilio", "fault": "status:403", "count": 1 })).await;
        assert_eq!(story(&world, &id).await, ["failure"]);
        assert_eq!(story(&world, &id).await, ["channel", "user"]);
    }
    let (updates, instances) = updates(&world).await;
    // An instance may be told twice, by itself and by another, and forgets after half a minute.
    let notes = 4 * instances * (1 + start.elapsed().as_secs() / 30);
    assert!(updates <= 2 * ROUNDS + notes, "{updates} updates by {instances} instances");
    world.end().await;
}

#[tokio::test]
async fn through_one_that_is_switched_off_nothing_new_is_sent() {
    let world = World::new().await;
    let (path, id) = fresh(&world, "twilio").await;
    world.change(&world.app, &path, json!({ "status": "inactive" })).await;
    let answer = notify(&world, &id).await;
    assert_eq!((answer.status, &answer.body["error"]["code"]), (400, &json!("bad_request")));
    let said = answer.body["error"]["description"].as_str().unwrap();
    assert!(said.starts_with("destination.integrationId") && said.contains("switch it on"), "{said}");
    world.make(&world.app, "appusers", json!({ "userId": "bob" })).await;
    let link =
        json!({ "type": "twilio", "integrationId": id, "phoneNumber": ANYBODY, "confirmation": { "type": "prompt" } });
    let words = "bad_request: type leads to an integration that is inactive; switch it on";
    world.refused(&world.app, Method::POST, "appusers/bob/channels", Some(link), words).await;
    world.settle().await;
    assert!(world.outbox().await.is_empty());

    world.change(&world.app, &path, json!({ "status": "active" })).await;
    assert_eq!(story(&world, &id).await, ["channel", "user"]);
    world.end().await;
}

#[tokio::test]
async fn what_waits_when_it_is_switched_off_ends_as_a_failure() {
    let world = World::new().await;
    let (path, id) = fresh(&world, "messagebird").await;
    world.local(Method::POST, "pollers", Some(json!({ "paused": true }))).await;
    let waiting = notify(&world, &id).await.body["notification"]["_id"].as_str().unwrap().to_owned();
    world.change(&world.app, &path, json!({ "status": "inactive" })).await;
    world.local(Method::POST, "pollers", Some(json!({ "paused": false }))).await;
    world.settle().await;
    assert_eq!(world.story(&waiting).await, ["failure"]);
    let failure = world.events_about(&waiting).await[0].clone();
    assert_eq!((&failure["isFinalEvent"], &failure["error"]["code"]), (&json!(true), &json!("bad_request")));
    assert!(failure["error"]["message"].as_str().unwrap().contains("switched off"), "{failure}");
    assert_eq!(shown(&world, &path).await, (json!("inactive"), None), "its carrier was not asked");

    world.change(&world.app, &path, json!({ "status": "active" })).await;
    assert_eq!(story(&world, &id).await, ["channel", "user"]);
    assert_eq!(world.outbox_to(ANYBODY).await.len(), 1);
    world.end().await;
}

#[tokio::test]
async fn what_the_carrier_says_of_an_integration_no_body_says() {
    let world = World::new().await;
    let (mut body, _) = bodies().swap_remove(0);
    let claims = json!({ "status": "error", "error": "Mine", "phoneNumber": 7, "name": "x".repeat(300) });
    body.as_object_mut().unwrap().extend(claims.as_object().unwrap().clone());
    let made = world.make(&world.app, "integrations", body).await["integration"].clone();
    assert_eq!(
        (&made["status"], made.get("error"), &made["name"]),
        (&json!("active"), None, &json!("Simulated account"))
    );
    assert!(made["phoneNumber"].as_str().unwrap().starts_with("+1555"), "{made}");
    let path = format!("integrations/{}", made["_id"].as_str().unwrap());
    for claims in [claims, json!({ "phoneNumber": "+15550100999", "name": "Another" }), json!({ "name": null })] {
        assert_eq!(world.change(&world.app, &path, claims).await["integration"], made);
    }
    world.end().await;
}
