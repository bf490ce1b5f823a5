//! What a write of the API leads to, when the function that makes it dies beside it.

use reqwest::Method;
use serde_json::{Value, json};

use crate::table::set;
use crate::world::{ANYBODY, World};

/// The call that puts an entry on the queue; the write is not made.
fn before_the_write() -> Value {
    json!({ "afterCall": "sqs:SendMessage", "n": 1 })
}

/// The write is made, and whoever made it never learns so.
fn after_the_write() -> Value {
    json!({ "afterCall": "dynamodb:TransactWriteItems", "n": 1 })
}

/// Asks `function` for something that it dies over.
async fn dies(world: &World, function: &str, when: Value, method: Method, path: &str, body: Option<Value>) {
    world.fault(json!({ "target": format!("function:{function}"), "fault": "kill", "count": 1, "when": when })).await;
    let answer = world.manage(&world.app, method, path, body).await;
    assert!(answer.status >= 500, "{} {}", answer.status, answer.body);
    assert_eq!(world.calls().await["functions"][function]["errors"], 1);
    world.settle().await;
}

/// Somebody who is reached at an address.
async fn linked(world: &World, user_id: &str, at: &str) -> String {
    let made = world.make(&world.app, "appusers", json!({ "userId": user_id })).await;
    let id = made["appUser"]["_id"].as_str().unwrap().to_owned();
    world.link(&id, "twilio", at, json!({ "type": "immediate" })).await;
    world.settle().await;
    id
}

fn text(text: &str) -> Value {
    json!({ "role": "appMaker", "type": "text", "text": text })
}

#[tokio::test]
async fn a_message_that_was_kept_is_sent_and_told_whoever_dies() {
    let world = World::new().await;
    let id = linked(&world, "bob", ANYBODY).await;
    let path = format!("appusers/{id}/messages");
    dies(&world, "api", after_the_write(), Method::POST, &path, Some(text("Kept"))).await;
    let kept = world.read(&world.app, &path).await;
    assert_eq!(kept["messages"][0]["text"], "Kept");
    assert_eq!(world.outbox_to(ANYBODY).await.len(), 1);
    let told = world.events_named("message:appMaker").await;
    assert_eq!((told.len(), &told[0]["messages"][0]["_id"]), (1, &kept["messages"][0]["_id"]));
    world.end().await;
}

#[tokio::test]
async fn a_message_that_was_never_kept_is_neither_sent_nor_told() {
    let world = World::new().await;
    let id = linked(&world, "bob", ANYBODY).await;
    let path = format!("appusers/{id}/messages");
    dies(&world, "api", before_the_write(), Method::POST, &path, Some(text("Lost"))).await;
    assert_eq!(world.read(&world.app, &path).await["messages"], json!([]));
    assert_eq!(world.outbox_to(ANYBODY).await.len(), 0);
    assert_eq!(world.events_named("message:appMaker").await.len(), 0);
    world.end().await;
}

#[tokio::test]
async fn a_message_that_is_gone_when_it_is_looked_for_was_kept_all_the_same() {
    let world = World::new().await;
    let id = linked(&world, "bob", ANYBODY).await;
    let path = format!("appusers/{id}/messages");
    world.local(Method::POST, "pollers", Some(json!({ "paused": true }))).await;
    let posted = world.make(&world.app, &path, text("Deleted at once")).await;
    world.remove(&world.app, &format!("{path}/{}", posted["message"]["_id"].as_str().unwrap())).await;
    let when = json!({ "target": "function:api", "fault": "kill", "count": 1, "when": after_the_write() });
    world.fault(when).await;
    let answer = world.manage(&world.app, Method::POST, &path, Some(text("Its writer died"))).await;
    assert!(answer.status >= 500, "{}", answer.body);
    let kept = world.read(&world.app, &path).await["messages"].clone();
    assert_eq!(kept[0]["text"], "Its writer died");
    world.remove(&world.app, &format!("{path}/{}", kept[0]["_id"].as_str().unwrap())).await;
    world.make(&world.app, &path, text("Kept for a moment")).await;
    set(&world, "MESSAGE#", "ttl", 1).await;
    assert_eq!(world.read(&world.app, &path).await["messages"], json!([]));
    world.local(Method::POST, "pollers", Some(json!({ "paused": false }))).await;
    world.settle().await;
    let texts = |values: Vec<Value>| -> Vec<String> { values.iter().map(Value::to_string).collect() };
    let (sent, told) = (texts(world.outbox_to(ANYBODY).await), texts(world.events_named("message:appMaker").await));
    for said in ["Deleted at once", "Its writer died", "Kept for a moment"] {
        assert!(sent.iter().any(|one| one.contains(said)) && told.iter().any(|one| one.contains(said)), "{said}");
    }
    world.end().await;
}

#[tokio::test]
async fn a_link_that_was_begun_goes_on_whoever_dies() {
    let cases = [json!({ "type": "immediate" }), json!({ "type": "immediate", "message": text("Welcome") })];
    for confirmation in cases {
        let world = World::new().await;
        let made = world.make(&world.app, "appusers", json!({ "userId": "bob" })).await;
        let id = made["appUser"]["_id"].as_str().unwrap().to_owned();
        let body = json!({ "type": "twilio", "phoneNumber": ANYBODY, "confirmation": confirmation });
        let path = format!("appusers/{id}/channels");
        dies(&world, "api", after_the_write(), Method::POST, &path, Some(body)).await;
        let user = world.read(&world.app, &format!("appusers/{id}")).await;
        assert_eq!(user["appUser"]["clients"][0]["externalId"], ANYBODY);
        for trigger in ["link:match", "link:success", "client:add"] {
            assert_eq!(world.events_named(trigger).await.len(), 1, "{trigger}");
        }
        world.end().await;
    }
}

#[tokio::test]
async fn an_address_that_was_unlinked_is_told_whoever_dies() {
    let world = World::new().await;
    let id = linked(&world, "bob", ANYBODY).await;
    let path = format!("appusers/{id}/channels/twilio");
    dies(&world, "api", after_the_write(), Method::DELETE, &path, None).await;
    let removed = world.events_named("client:remove").await;
    assert_eq!((removed.len(), &removed[0]["reason"]), (1, &json!("api")));
    world.end().await;
}

#[tokio::test]
async fn people_who_were_merged_are_told_whoever_dies_and_the_repeat_is_answered() {
    let world = World::new().await;
    let (bob, lea) = (linked(&world, "bob", ANYBODY).await, linked(&world, "lea", "+15550100143").await);
    let body = json!({ "surviving": { "_id": bob }, "discarded": { "_id": lea } });
    dies(&world, "api", after_the_write(), Method::POST, "appusers/merge", Some(body.clone())).await;
    let again = world.manage(&world.app, Method::POST, "appusers/merge", Some(body)).await;
    assert_eq!(again.status, 200, "{}", again.body);
    world.settle().await;
    let merged = world.events_named("merge:appUser").await;
    assert_eq!((merged.len(), &merged[0]["surviving"]["_id"]), (1, &json!(bob)));
    world.end().await;
}
