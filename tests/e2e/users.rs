//! App users: made, found by either id, changed, cleared, merged, deleted; and the channels they are reached by.

use reqwest::Method;
use serde_json::{Value, json};

use crate::world::{ANYBODY, World};

/// A person of the business's own naming; their `_id`.
pub async fn create(world: &World, body: Value) -> String {
    let made = world.make(&world.app, "appusers", body).await;
    made["appUser"]["_id"].as_str().unwrap().to_owned()
}

/// The person behind an address, who was notified.
pub async fn notified(world: &World, to: &str) -> String {
    let id = world.notify("twilio", to, "Hello").await;
    world.settle().await;
    world.events_about(&id).await[0]["matchResult"]["appUser"]["_id"].as_str().unwrap().to_owned()
}

#[tokio::test]
async fn a_person_is_made_shown_and_changed_by_either_id() {
    let world = World::new().await;
    let made = world
        .make(
            &world.app,
            "appusers",
            json!({ "userId": "bob@shop.example", "givenName": "Bob", "surname": "Lee", "email": "bob@shop.example",
                    "signedUpAt": "2020-01-02T03:04:05.678Z", "properties": { "vip": true, "visits": 3 },
                    "credentialRequired": true, "_id": "ffffffffffffffffffffffff", "conversationStarted": true }),
        )
        .await;
    let user = &made["appUser"];
    let id = user["_id"].as_str().unwrap();
    assert_ne!(id, "ffffffffffffffffffffffff", "an id is ours to give");
    assert_eq!(user["conversationStarted"], false);
    assert_eq!((&user["userId"], &user["givenName"]), (&json!("bob@shop.example"), &json!("Bob")));
    assert_eq!((&user["signedUpAt"], &user["credentialRequired"]), (&json!("2020-01-02T03:04:05.678Z"), &json!(true)));
    assert_eq!((&user["clients"], &user["pendingClients"]), (&json!([]), &json!([])));
    for path in [format!("appusers/{id}"), "appusers/bob@shop.example".into(), "appusers/bob%40shop.example".into()] {
        assert_eq!(world.read(&world.app, &path).await["appUser"], *user, "{path}");
    }
    let changed = world
        .change(
            &world.app,
            "appusers/bob@shop.example",
            json!({ "surname": null, "properties": { "visits": 4, "vip": null, "tea": "green" }, "userId": "eve" }),
        )
        .await;
    let changed = &changed["appUser"];
    assert_eq!(changed.get("surname"), None);
    assert_eq!(changed["givenName"], "Bob");
    assert_eq!(changed["properties"], json!({ "visits": 4, "tea": "green" }));
    assert_eq!(changed["userId"], "bob@shop.example", "a name is for ever");
    let again = json!({ "userId": "bob@shop.example" });
    world.refused(&world.app, Method::POST, "appusers", Some(again), "conflict: User already exists").await;
    world.end().await;
}

#[tokio::test]
async fn any_text_names_a_person_and_what_does_not_exist_is_not_found() {
    let world = World::new().await;
    let names = ["a/b/c", "100%", "50%off", "a b+c", "#?&=", "...", "ünïcode 🙂", "messages", "x#USER", "NAME"];
    let long = "x".repeat(1_024);
    for name in names.into_iter().chain([long.as_str()]) {
        let id = create(&world, json!({ "userId": name })).await;
        let encoded = percent_encode(name);
        let found = world.read(&world.app, &format!("appusers/{encoded}")).await;
        assert_eq!(found["appUser"]["_id"], id, "{name}");
        assert_eq!(found["appUser"]["userId"], name);
    }
    for name in ["nobody", "64c0ffee0123456789abcdef", "%00", "a%2Fb"] {
        world.refused(&world.app, Method::GET, &format!("appusers/{name}"), None, "user_not_found").await;
    }
    world.end().await;
}

fn percent_encode(text: &str) -> String {
    text.bytes().map(|byte| format!("%{byte:02X}")).collect()
}

#[tokio::test]
async fn two_who_create_the_same_name_at_once_make_one_person() {
    let world = World::new().await;
    let body = json!({ "userId": "twin" });
    let create = || world.manage(&world.app, Method::POST, "appusers", Some(body.clone()));
    let answers = futures::future::join_all((0..8).map(|_| create())).await;
    let mut statuses: Vec<u16> = answers.iter().map(|answer| answer.status).collect();
    statuses.sort_unstable();
    assert_eq!(statuses, [201, 409, 409, 409, 409, 409, 409, 409]);
    world.end().await;
}

#[tokio::test]
async fn changes_at_once_are_all_kept() {
    let world = World::new().await;
    let id = create(&world, json!({ "userId": "busy" })).await;
    let path = format!("appusers/{id}");
    let change = |number: usize| {
        let body = json!({ "properties": { format!("p{number}"): number } });
        world.change(&world.app, &path, body)
    };
    futures::future::join_all((0..12).map(change)).await;
    let user = world.read(&world.app, &path).await;
    assert_eq!(user["appUser"]["properties"].as_object().unwrap().len(), 12);
    world.end().await;
}

#[tokio::test]
async fn a_profile_is_cleared_and_messages_stay() {
    let world = World::new().await;
    let id = notified(&world, ANYBODY).await;
    world.reply("twilio", ANYBODY, "Hi").await;
    world.settle().await;
    let path = format!("appusers/{id}");
    world.change(&world.app, &path, json!({ "givenName": "Lea", "properties": { "vip": true } })).await;
    let before = world.read(&world.app, &path).await;
    assert_eq!(before["appUser"]["clients"][0]["displayName"], "+1 555-010-0142");
    let cleared = world.manage(&world.app, Method::DELETE, &format!("{path}/profile"), None).await.body;
    let user = &cleared["appUser"];
    assert_eq!((user.get("givenName"), &user["properties"]), (None, &json!({})));
    assert_eq!(user["clients"][0].get("displayName"), None);
    assert_eq!(user["clients"][0]["raw"], json!({}));
    assert_eq!(user["clients"][0]["externalId"], ANYBODY);
    let messages = world.read(&world.app, &format!("{path}/messages")).await;
    assert_eq!(messages["messages"].as_array().unwrap().len(), 2);
    world.end().await;
}

#[tokio::test]
async fn a_channel_is_listed_and_unlinked() {
    let world = World::new().await;
    let id = notified(&world, ANYBODY).await;
    let path = format!("appusers/{id}/channels");
    let channel = json!({ "type": "twilio", "integrationId": world.app.integration("twilio"), "phoneNumber": ANYBODY });
    assert_eq!(world.read(&world.app, &path).await, json!({ "channels": [channel] }));
    world.remove(&world.app, &format!("{path}/twilio")).await;
    assert_eq!(world.read(&world.app, &path).await, json!({ "channels": [] }));
    for channel in ["twilio", "messenger"] {
        world.refused(&world.app, Method::DELETE, &format!("{path}/{channel}"), None, "bad_request: channel").await;
    }
    world.settle().await;
    let removed = &world.event("client:remove").await;
    assert_eq!((&removed["reason"], &removed["client"]["externalId"]), (&json!("api"), &json!(ANYBODY)));
    assert_ne!(notified(&world, ANYBODY).await, id, "the address is somebody else's from now on");
    world.end().await;
}

#[tokio::test]
async fn codes_and_empty_lists_are_answered() {
    let world = World::new().await;
    let id = create(&world, json!({ "userId": "dee" })).await;
    let read = async |path: &str| world.read(&world.app, &format!("appusers/{id}/{path}")).await;
    assert!(read("authcode").await["authCode"].as_str().unwrap().starts_with("ac_"));
    assert_eq!(read("businesssystems").await, json!({ "businessSystems": [] }));
    assert_eq!(read("linkrequest?integrationIds=a%2Cb").await, json!({ "linkRequests": [] }));
    world.end().await;
}

#[tokio::test]
async fn the_deleted_are_gone_and_their_address_is_a_strangers() {
    let world = World::new().await;
    let id = notified(&world, ANYBODY).await;
    let path = format!("appusers/{id}");
    world.remove(&world.app, &path).await;
    for path in [path.clone(), format!("{path}/messages"), format!("{path}/channels")] {
        world.refused(&world.app, Method::GET, &path, None, "user_not_found").await;
    }
    world.settle().await;
    let deleted = &world.event("appUser:delete").await;
    assert_eq!(deleted["appUser"]["_id"], id.as_str());
    world.reply("twilio", ANYBODY, "Who is there?").await;
    world.settle().await;
    let reply = &world.event("message:appUser").await;
    assert_ne!(reply["appUser"]["_id"], id.as_str());
    assert!(reply.get("recentNotifications").is_none(), "{reply:#}");
    world.end().await;
}
