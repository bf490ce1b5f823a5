//! What goes with an integration that is deleted, and what stays.

use std::collections::BTreeSet;

use futures::future::join_all;
use reqwest::Method;
use serde_json::{Value, json};

use crate::integration_health::{fresh, notify_at};
use crate::table::{items, items_with};
use crate::world::{ANYBODY, NEVER_CONFIRMED, World};

/// More than one step of an erasure gets done with.
const PEOPLE: usize = 55;

fn number(person: usize) -> String {
    format!("+1555010{:04}", 100 + person)
}

async fn link(world: &World, person: &str, integration: &str, to: &str) {
    let text = json!({ "role": "appMaker", "type": "text", "text": "Is that you?" });
    let body = json!({ "type": "twilio", "integrationId": integration, "phoneNumber": to,
        "confirmation": { "type": "userActivity", "message": text } });
    let answer = world.manage(&world.app, Method::POST, &format!("appusers/{person}/channels"), Some(body)).await;
    assert_eq!(answer.status, 200, "{}", answer.body);
}

async fn user(world: &World, id: &str) -> Value {
    world.read(&world.app, &format!("appusers/{id}")).await["appUser"].clone()
}

/// Events of this trigger, each once.
async fn told(world: &World, trigger: &str) -> Vec<Value> {
    let mut seen = BTreeSet::new();
    let events = world.events_named(trigger).await;
    events.into_iter().filter(|event| seen.insert(event["eventId"].to_string())).collect()
}

/// Killed once, at that point.
async fn with_an_integration(kill: Option<Value>) {
    let world = World::new().await;
    let (path, id) = fresh(&world, "twilio").await;
    let other = world.app.integration("twilio").to_owned();
    let numbers: Vec<_> = (0..PEOPLE).map(number).collect();
    join_all(numbers.iter().map(|to| notify_at(&world, &id, to))).await;
    world.notify("twilio", ANYBODY, "Through another").await;
    for person in ["bob", "eve"] {
        world.make(&world.app, "appusers", json!({ "userId": person })).await;
    }
    link(&world, "bob", &id, &number(200)).await;
    link(&world, "eve", &other, &number(201)).await;
    world.settle().await;
    assert_eq!(items_with(&world, &format!("#CLIENT#{id}#")).await.len(), PEOPLE);

    if let Some(when) = &kill {
        world.fault(json!({ "target": "function:upkeep", "fault": "kill", "count": 1, "when": when })).await;
    }
    world.remove(&world.app, &path).await;
    world.refused(&world.app, Method::GET, &path, None, "integration_not_found").await;
    world.settle().await;
    let upkeep = world.calls().await["functions"]["upkeep"].clone();
    assert_eq!(upkeep["errors"], u64::from(kill.is_some()), "killed {kill:?}");
    assert!(upkeep["invocations"].as_u64().unwrap() >= 2, "killed, or more than one step: {upkeep}");

    for word in [format!("#CLIENT#{id}#"), format!("#PENDING#{id}#")] {
        assert_eq!(items_with(&world, &word).await, [""; 0], "killed {kill:?}");
    }
    let matches: Vec<_> = items_with(&world, &format!("#AT#{id}#")).await;
    assert!(!matches.iter().any(|item| item.ends_with("|MATCH")), "{matches:?}");
    let removed = told(&world, "client:remove").await;
    let numbers: BTreeSet<_> = removed.iter().map(|event| event["client"]["externalId"].to_string()).collect();
    assert_eq!((removed.len(), numbers.len()), (PEOPLE, PEOPLE), "killed {kill:?}");
    assert!(removed.iter().all(|event| event["reason"] == "api" && event["client"]["integrationId"] == id.as_str()));
    let failed = told(&world, "link:failure").await;
    assert_eq!(failed.len(), 1);
    assert_eq!(failed[0]["appUser"]["userId"], "bob");
    assert_eq!(failed[0]["error"]["message"], "The integration was deleted");
    assert_eq!(user(&world, "bob").await["pendingClients"], json!([]));
    assert_eq!(user(&world, "eve").await["pendingClients"].as_array().unwrap().len(), 1, "a link elsewhere waits on");
    assert_eq!(items_with(&world, &format!("#CLIENT#{other}#")).await.len(), 1, "a client elsewhere stays");
    world.end().await;
}

#[tokio::test]
async fn with_an_integration_its_clients_go_and_its_links_fail_wherever_the_erasure_dies() {
    let after = |call: &str, n: u32| json!({ "afterCall": call, "n": n });
    with_an_integration(None).await;
    with_an_integration(Some(after("sqs:SendMessage", 1))).await;
    with_an_integration(Some(after("dynamodb:TransactWriteItems", 5))).await;
    with_an_integration(Some(json!("before-response"))).await;
}

#[tokio::test]
async fn one_whose_deletion_never_happened_keeps_its_clients() {
    let world = World::new().await;
    let (path, id) = fresh(&world, "twilio").await;
    notify_at(&world, &id, ANYBODY).await;
    world.settle().await;
    let before = items(&world).await;
    world.fault(json!({ "target": "dynamodb", "fault": "status:500", "operation": "TransactWriteItems" })).await;
    assert_eq!(world.manage(&world.app, Method::DELETE, &path, None).await.status, 503);
    world.heal().await;
    world.settle().await;
    assert_eq!(items(&world).await, before);
    assert!(told(&world, "client:remove").await.is_empty());
    world.end().await;
}

#[tokio::test]
async fn what_waits_for_an_integration_that_is_deleted_fails() {
    let world = World::new().await;
    let (path, id) = fresh(&world, "messagebird").await;
    world.local(Method::POST, "pollers", Some(json!({ "paused": true }))).await;
    let answer = notify_at(&world, &id, ANYBODY).await;
    world.remove(&world.app, &path).await;
    world.local(Method::POST, "pollers", Some(json!({ "paused": false }))).await;
    world.settle().await;
    let waiting = answer.body["notification"]["_id"].as_str().unwrap();
    assert_eq!(world.story(waiting).await, ["failure"]);
    assert!(world.outbox().await.is_empty());
    world.end().await;
}

/// What was answered 200 is told, and nobody stays behind on what is gone.
#[tokio::test]
async fn what_carriers_said_before_an_integration_was_deleted_is_told() {
    let world = World::new().await;
    for channel in crate::world::CHANNELS {
        let (path, id) = fresh(&world, channel).await;
        let answer = notify_at(&world, &id, NEVER_CONFIRMED).await;
        world.settle().await;
        let sent = world.outbox().await.pop().unwrap();
        world.local(Method::POST, "pollers", Some(json!({ "paused": true }))).await;
        world.receipt(json!({ "externalId": sent["externalId"], "status": "delivered" })).await;
        for from in [NEVER_CONFIRMED, "+15550100777"] {
            world.reply_with(json!({ "integrationId": id, "appId": world.app.id(), "from": from, "text": "Hi" })).await;
        }
        world.remove(&world.app, &path).await;
        world.local(Method::POST, "pollers", Some(json!({ "paused": false }))).await;
        world.settle().await;
        let notification = answer.body["notification"]["_id"].as_str().unwrap();
        assert_eq!(world.story(notification).await, ["channel", "user"], "{channel}");
        let of_it = |event: &&Value| event["messages"][0]["source"]["integrationId"] == id.as_str();
        assert_eq!(world.events_named("message:appUser").await.iter().filter(of_it).count(), 2, "{channel}");
        assert_eq!(items_with(&world, &format!("#CLIENT#{id}#")).await, [""; 0], "{channel}");
    }
    world.end().await;
}
