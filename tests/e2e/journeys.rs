//! The main job: a notification goes out, the business hears what became of it, the reply comes back with its context.

use serde_json::json;

use crate::world::{ANYBODY, CHANNELS, DISORDERLY, NEVER_CONFIRMED, RECEIPT_FIRST, World};

#[tokio::test]
async fn a_notification_is_sent_delivered_and_answered_on_both_channels() {
    let world = World::new().await;
    for channel in CHANNELS {
        let id = world.notify(channel, ANYBODY, "Your parcel leaves today.").await;
        world.settle().await;

        let events = world.events_about(&id).await;
        let triggers: Vec<_> = events.iter().map(|event| event["trigger"].as_str().unwrap()).collect();
        assert_eq!(triggers, ["notification:delivery:channel", "notification:delivery:user"], "{channel}");
        assert_eq!(events[0]["isFinalEvent"], false);
        assert_eq!(events[1]["isFinalEvent"], true);
        assert_eq!(events[0]["destination"]["type"], channel);
        assert_eq!(events[0]["destination"]["integrationId"], world.app.integration(channel));
        assert_eq!(events[0]["destination"]["destinationId"], ANYBODY);
        let sent = world.outbox().await.into_iter().find(|entry| entry["channel"] == channel).unwrap();
        assert_eq!(sent["text"], "Your parcel leaves today.");
        assert_eq!(events[0]["externalMessages"], json!([{ "id": sent["externalId"] }]));
        assert_eq!(events[1]["externalMessages"], events[0]["externalMessages"]);
        let user = &events[0]["matchResult"]["appUser"]["_id"];
        assert!(user.is_string());
        assert_eq!(&events[1]["matchResult"]["appUser"]["_id"], user);

        world.reply(channel, ANYBODY, "Thanks!").await;
        world.settle().await;
        let replies = world.events_named("message:appUser").await;
        let reply = replies.last().unwrap();
        assert_eq!(reply["messages"][0]["text"], "Thanks!");
        assert_eq!(reply["messages"][0]["role"], "appUser");
        assert_eq!(reply["messages"][0]["source"]["type"], channel);
        assert_eq!(&reply["appUser"]["_id"], user);
        assert_eq!(reply["recentNotifications"].as_array().unwrap().len(), 1);
        assert_eq!(reply["recentNotifications"][0]["text"], "Your parcel leaves today.");
        assert_eq!(reply["recentNotifications"][0]["source"]["type"], "notification");
        assert_eq!(reply["recentNotifications"][0]["name"], "Nadia");
    }
    world.end().await;
}

#[tokio::test]
async fn every_form_of_the_path_and_of_the_credentials_is_served() {
    let world = World::new().await;
    let app = &world.app;
    let body = World::body(app, "twilio", ANYBODY, json!({ "type": "text", "text": "Hi" }));
    let id = app.id();
    let paths = [
        format!("/v1.1/apps/{id}/notifications"),
        format!("/v1/apps/{id}/notifications"),
        format!("/V1.1/Apps/{id}/Notifications/"),
        "/v1.1/notifications".to_owned(),
    ];
    for path in &paths {
        let (key, secret) = app.key();
        let request = world.http(reqwest::Method::POST, path).basic_auth(key, Some(secret)).json(&body);
        let answer = world.request(request).await;
        assert_eq!(answer.status, 201, "{path}: {}", answer.body);
        assert!(answer.headers["content-type"].to_str().unwrap().starts_with("application/json"));
    }
    for ((key, secret), scope) in [(app.key(), "app"), (app.account_key(), "account")] {
        let mut header = jsonwebtoken::Header::new(jsonwebtoken::Algorithm::HS256);
        header.kid = Some(key.to_owned());
        let signing = jsonwebtoken::EncodingKey::from_secret(secret.as_bytes());
        let token = jsonwebtoken::encode(&header, &json!({ "scope": scope }), &signing).unwrap();
        let answer = world.request(world.http(reqwest::Method::POST, &paths[0]).bearer_auth(token).json(&body)).await;
        assert_eq!(answer.status, 201, "{scope}: {}", answer.body);
    }
    let (key, secret) = app.account_key();
    let request = world.http(reqwest::Method::POST, &paths[0]).basic_auth(key, Some(secret)).json(&body);
    assert_eq!(world.request(request).await.status, 201);
    world.settle().await;
    assert_eq!(world.outbox().await.len(), 7);
    world.end().await;
}

#[tokio::test]
async fn a_person_is_one_person_however_many_notifications_reach_them_at_once() {
    let world = World::new().await;
    let body = World::body(&world.app, "twilio", ANYBODY, json!({ "type": "text", "text": "Hi" }));
    let posts = (0..10).map(|_| world.post(&world.app, &body));
    for answer in futures::future::join_all(posts).await {
        assert_eq!(answer.status, 201);
    }
    world.settle().await;
    let events = world.events().await;
    let mut people: Vec<_> = events.iter().map(|event| event["matchResult"]["appUser"]["_id"].to_string()).collect();
    people.sort();
    people.dedup();
    assert_eq!(people.len(), 1, "{people:?}");
    assert_eq!(world.outbox_to(ANYBODY).await.len(), 10);
    world.reply("twilio", ANYBODY, "Enough!").await;
    world.settle().await;
    let replies = world.events_named("message:appUser").await;
    assert_eq!(replies[0]["recentNotifications"].as_array().unwrap().len(), 10);
    assert!(world.events_named("conversation:start").await.is_empty());
    world.end().await;
}

#[tokio::test]
async fn where_the_carrier_never_confirms_channel_stays_the_last_word() {
    let world = World::new().await;
    for channel in CHANNELS {
        let id = world.notify(channel, NEVER_CONFIRMED, "Anybody there?").await;
        world.settle().await;
        assert_eq!(world.story(&id).await, ["channel"], "{channel}");
    }
    world.end().await;
}

#[tokio::test]
async fn a_receipt_that_overtakes_our_record_is_tried_later_and_not_lost() {
    let world = World::new().await;
    for channel in CHANNELS {
        let id = world.notify(channel, RECEIPT_FIRST, "Quick").await;
        world.settle().await;
        let mut story = world.story(&id).await;
        story.sort();
        assert_eq!(story, ["channel", "user"], "{channel}");
        assert_eq!(world.outbox().await.iter().filter(|entry| entry["channel"] == channel).count(), 1);
    }
    world.end().await;
}

#[tokio::test]
async fn receipts_out_of_order_and_repeated_tell_one_story() {
    let world = World::new().await;
    for channel in CHANNELS {
        let id = world.notify(channel, DISORDERLY, "Shuffle").await;
        world.settle().await;
        let events = world.events().await;
        let about: Vec<_> = events.iter().filter(|event| event["notification"]["_id"] == id.as_str()).collect();
        assert_eq!(about.len(), 2, "{channel}: each event once, though receipts came twice: {about:#?}");
        assert_eq!(about.iter().filter(|event| event["isFinalEvent"] == true).count(), 1);
    }
    world.end().await;
}
