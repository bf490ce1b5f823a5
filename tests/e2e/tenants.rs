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

#[tokio::test]
async fn no_route_reaches_what_is_another_apps_by_its_ids() {
    let world = World::new().await;
    let other = world.another_app(json!({})).await;
    let made = |path: &'static str, body: serde_json::Value| world.make(&other, path, body);
    let user = made("appusers", json!({ "userId": "theirs" })).await["appUser"]["_id"].clone();
    let message = json!({ "role": "appMaker", "type": "text", "text": "Theirs" });
    let message = made("appusers/theirs/messages", message.clone()).await["message"]["_id"].clone();
    let webhook = made("webhooks", json!({ "target": "https://a.example/" })).await["webhook"]["_id"].clone();
    let template = json!({ "name": "theirs", "message": { "type": "text", "text": "Hi", "role": "appMaker" } });
    let template = made("templates", template).await["template"]["_id"].clone();
    let text = |value: &serde_json::Value| value.as_str().unwrap().to_owned();
    let ids = [
        ("userId", text(&user)),
        ("messageId", text(&message)),
        ("webhookId", text(&webhook)),
        ("templateId", text(&template)),
        ("integrationId", other.integration("twilio").to_owned()),
        ("keyId", other.key().0.to_owned()),
        ("serviceAccountId", "64c0ffee0123456789abcdef".to_owned()),
        ("channel", "twilio".to_owned()),
    ];
    let mut walked = 0;
    for route in shared::api::routes::ROUTES.iter().filter(|route| route.path.matches('{').count() > 1) {
        let filled =
            ids.iter().fold(route.path.to_owned(), |path, (name, id)| path.replace(&format!("{{{name}}}"), id));
        let path = format!("/v1.1{}", filled.replace("{appId}", world.app.id()));
        let (key, secret) = world.app.account_key();
        let method = Method::from_bytes(route.method.as_bytes()).unwrap();
        let request = world.http(method, &path).basic_auth(key, Some(secret));
        let body = json!({ "role": "appUser", "type": "typing:start", "text": "x", "actionId": text(&message),
            "confirmation": { "type": "immediate" }, "phoneNumber": ANYBODY, "name": "x", "givenName": "x",
            "menu": { "items": [] }, "profile": {} });
        let request = if ["POST", "PUT"].contains(&route.method) { request.json(&body) } else { request };
        let answer = world.request(request).await;
        assert!(
            (400..500).contains(&answer.status),
            "{} {}: {} {}",
            route.method,
            route.path,
            answer.status,
            answer.body
        );
        walked += 1;
    }
    assert!(walked > 30, "{walked}");
    let theirs = world.read(&other, "appusers/theirs").await;
    assert_eq!(theirs["appUser"]["_id"], user);
    assert!(theirs["appUser"].get("givenName").is_none());
    assert_eq!(world.read(&other, "appusers/theirs/messages").await["messages"][0]["_id"], message);
    for path in [format!("webhooks/{}", text(&webhook)), format!("templates/{}", text(&template))] {
        world.read(&other, &path).await;
    }
    world.settle().await;
    world.end().await;
}
