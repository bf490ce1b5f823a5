//! Logs tell what happened by ids, and hold nothing secret and nothing personal.

use serde_json::json;

use crate::world::{ANYBODY, FAILS_LATER, REFUSED, World};

#[tokio::test]
async fn no_log_line_holds_a_secret_a_text_or_an_address() {
    let world = World::talkative().await;
    let secret_text = "The-eagle-lands-at-midnight";
    for channel in crate::world::CHANNELS {
        for to in [ANYBODY, REFUSED, FAILS_LATER] {
            world.notify(channel, to, secret_text).await;
        }
        world.settle().await;
        world.reply(channel, ANYBODY, "Understood-bring-the-cheese").await;
    }
    let bad = json!({ "destination": { "integrationId": "x", "destinationId": ANYBODY }, "message": secret_text });
    world.post(&world.app, &bad).await;
    world.fault(json!({ "target": "carrier:twilio", "fault": "reset", "count": 1 })).await;
    world.notify("twilio", ANYBODY, secret_text).await;
    world.settle().await;
    let ready = &world.app.ready;
    let mut forbidden = vec![secret_text.to_owned(), "bring-the-cheese".to_owned()];
    for number in [ANYBODY, REFUSED, FAILS_LATER] {
        forbidden.push(number.trim_start_matches('+').to_owned());
    }
    for secret in [&ready["secret"], &ready["accountSecret"], &ready["webhooks"][0]["secret"]] {
        forbidden.push(secret.as_str().unwrap().to_owned());
    }
    let logs = world.logs().await;
    assert!(logs.len() > 20, "there are logs to look at: {}", logs.len());
    for line in &logs {
        let line = line.to_string();
        for word in &forbidden {
            assert!(!line.contains(word.as_str()), "{word} in {line}");
        }
    }
    world.end().await;
}

#[tokio::test]
async fn a_notification_can_be_followed_by_its_id_through_the_logs() {
    let world = World::new().await;
    let id = world.notify("twilio", ANYBODY, "Hello").await;
    world.settle().await;
    let logs = world.logs().await;
    let about: Vec<String> = logs.iter().map(|line| line.to_string()).filter(|line| line.contains(&id)).collect();
    for outcome in ["NotificationAccepted", "NotificationSent", "NotificationDelivered"] {
        assert_eq!(about.iter().filter(|line| line.contains(outcome)).count(), 1, "{outcome}: {about:#?}");
    }
    world.end().await;
}

#[tokio::test]
async fn the_whole_api_logs_no_secret_no_text_and_no_address() {
    let world = World::talkative().await;
    let mut forbidden: Vec<String> =
        ["hush-hush-token", "Rosalind", "lea-the-secret-name", "rosa@private.example", "Meet-me-at-noon", "tea-party"]
            .map(str::to_owned)
            .into();
    let app = &world.app;
    let twilio = json!({ "type": "messagebird", "accessKey": "hush-hush-token", "originator": "31970000009",
        "signingKey": "hush-hush-token" });
    world.make(app, "integrations", twilio).await;
    let hook = world.make(app, "webhooks", json!({ "target": "http://127.0.0.1:1/tea-party" })).await;
    let user = json!({ "userId": "lea-the-secret-name", "givenName": "Rosalind", "email": "rosa@private.example" });
    world.make(app, "appusers", user).await;
    let link = json!({ "type": "twilio", "phoneNumber": ANYBODY,
        "confirmation": { "type": "immediate", "message": { "type": "text", "text": "Meet-me-at-noon" } } });
    world.manage(app, reqwest::Method::POST, "appusers/lea-the-secret-name/channels", Some(link)).await;
    world.settle().await;
    let text = json!({ "role": "appMaker", "type": "text", "text": "Meet-me-at-noon" });
    world.make(app, "appusers/lea-the-secret-name/messages", text.clone()).await;
    world.make(app, "templates", json!({ "name": "tea-party", "message": text })).await;
    world.manage(app, reqwest::Method::PUT, "appusers/lea-the-secret-name", Some(json!({ "email": 7 }))).await;
    world.manage(app, reqwest::Method::GET, "appusers/lea-the-secret-name-of-nobody", None).await;
    world.settle().await;
    world.remove(app, "appusers/lea-the-secret-name").await;
    world.settle().await;
    forbidden.push(ANYBODY.trim_start_matches('+').to_owned());
    forbidden.push(hook["webhook"]["secret"].as_str().unwrap().to_owned());
    forbidden.push(app.ready["secret"].as_str().unwrap().to_owned());
    let logs = world.logs().await;
    for function in ["api", "upkeep", "send_twilio", "deliver"] {
        assert!(logs.iter().any(|line| line.to_string().contains(function)), "{function} logged something");
    }
    for line in logs.iter().map(ToString::to_string) {
        for word in &forbidden {
            assert!(!line.contains(word.as_str()), "{word} in {line}");
        }
    }
    // The webhook's address answers nobody.
    world.end_with_dead_letters().await;
}
