//! Two apps on one stack never see each other.

use reqwest::Method;
use serde_json::json;

use crate::world::{ANYBODY, World};

#[tokio::test]
async fn a_key_of_one_app_does_not_reach_another() {
    let world = World::new().await;
    let other = world.another_app(json!({})).await;
    let own = World::body(&world.app, "twilio", ANYBODY, json!({ "type": "text", "text": "Hi" }));
    let foreign = World::body(&other, "twilio", ANYBODY, json!({ "type": "text", "text": "Hi" }));
    let path = format!("/v1.1/apps/{}/notifications", other.id());
    for ((key, secret), body) in
        [(world.app.key(), &foreign), (world.app.account_key(), &foreign), (world.app.key(), &own)]
    {
        let answer = world.request(world.http(Method::POST, &path).basic_auth(key, Some(secret)).json(body)).await;
        assert_eq!(answer.status, 403, "{}", answer.body);
        assert_eq!(answer.body["error"]["code"], "forbidden");
    }
    let answer = world.post(&world.app, &foreign).await;
    assert_eq!(answer.status, 404);
    assert_eq!(answer.body["error"]["code"], "integration_not_found");
    world.settle().await;
    assert!(world.outbox().await.is_empty());
    world.end().await;
}

#[tokio::test]
async fn one_address_is_two_people_to_two_apps_and_neither_hears_of_the_other() {
    let world = World::new().await;
    let other = world.another_app(json!({})).await;
    world.notify("twilio", ANYBODY, "from the first").await;
    world.notify_as(&other, "twilio", ANYBODY, json!({ "type": "text", "text": "from the second" })).await;
    world.settle().await;
    world.reply("twilio", ANYBODY, "to the first").await;
    world.settle().await;
    let (first, second) = (world.events().await, world.events_of(&other).await);
    assert_eq!(first.len(), 3);
    assert_eq!(second.len(), 2);
    assert_ne!(first[0]["matchResult"]["appUser"]["_id"], second[0]["matchResult"]["appUser"]["_id"]);
    let reply = first.iter().find(|event| event["trigger"] == "message:appUser").unwrap();
    assert_eq!(reply["recentNotifications"].as_array().unwrap().len(), 1);
    assert_eq!(reply["recentNotifications"][0]["text"], "from the first");
    assert!(second.iter().all(|event| event["app"]["_id"] == other.id()));
    world.end().await;
}
