//! What a write of the API leads to, when the function that makes it dies beside it.

use reqwest::Method;
use serde_json::{Value, json};

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
    dies(&world, "conversations", after_the_write(), Method::POST, &path, Some(text("Kept"))).await;
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
    dies(&world, "conversations", before_the_write(), Method::POST, &path, Some(text("Lost"))).await;
    assert_eq!(world.read(&world.app, &path).await["messages"], json!([]));
    assert_eq!(world.outbox_to(ANYBODY).await.len(), 0);
    assert_eq!(world.events_named("message:appMaker").await.len(), 0);
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
        dies(&world, "users", after_the_write(), Method::POST, &path, Some(body)).await;
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
    dies(&world, "users", after_the_write(), Method::DELETE, &path, None).await;
    let removed = world.events_named("client:remove").await;
    assert_eq!((removed.len(), &removed[0]["reason"]), (1, &json!("api")));
    world.end().await;
}

#[tokio::test]
async fn people_who_were_merged_are_told_whoever_dies_and_the_repeat_is_answered() {
    let world = World::new().await;
    let (bob, lea) = (linked(&world, "bob", ANYBODY).await, linked(&world, "lea", "+15550100143").await);
    let body = json!({ "surviving": { "_id": bob }, "discarded": { "_id": lea } });
    dies(&world, "users", after_the_write(), Method::POST, "appusers/merge", Some(body.clone())).await;
    let again = world.manage(&world.app, Method::POST, "appusers/merge", Some(body)).await;
    assert_eq!(again.status, 200, "{}", again.body);
    world.settle().await;
    let merged = world.events_named("merge:appUser").await;
    assert_eq!((merged.len(), &merged[0]["surviving"]["_id"]), (1, &json!(bob)));
    world.end().await;
}
