//! What carriers call: believed only with the right signature, and said once however often they say it.

use reqwest::Method;
use serde_json::json;

use crate::world::{ANYBODY, World};

#[tokio::test]
async fn a_callback_without_or_with_a_wrong_signature_stores_nothing() {
    let world = World::new().await;
    let (app, integration) = (world.app.id().to_owned(), world.app.integration("twilio").to_owned());
    let path = format!("/callbacks/twilio/{app}/{integration}");
    let form =
        [("MessageSid", "SM1"), ("From", "+15550100142"), ("To", "+15550100001"), ("Body", "hi"), ("NumMedia", "0")];
    let bare = world.request(world.http(Method::POST, &path).form(&form)).await;
    assert_eq!(bare.status, 401, "{}", bare.body);
    let forged =
        world.http(Method::POST, &path).form(&form).header("X-Twilio-Signature", "AAAAAAAAAAAAAAAAAAAAAAAAAAA=");
    let forged = world.request(forged).await;
    assert_eq!(forged.status, 403, "{}", forged.body);
    let integration = world.app.integration("messagebird");
    let path = format!("/callbacks/messagebird/{app}/{integration}?id=1&status=delivered&recipient=1");
    assert_eq!(world.request(world.http(Method::GET, &path)).await.status, 401);
    let forged = world.http(Method::GET, &path).header("MessageBird-Signature-JWT", "a.b.c");
    assert_eq!(world.request(forged).await.status, 403);
    world.settle().await;
    assert!(world.events().await.is_empty());
    world.end().await;
}

#[tokio::test]
async fn a_callback_for_another_integration_app_or_channel_is_not_found() {
    let world = World::new().await;
    let other = world.another_app(json!({})).await;
    let (app, twilio, messagebird) =
        (world.app.id(), world.app.integration("twilio"), world.app.integration("messagebird"));
    for path in [
        format!("/callbacks/twilio/{app}/{}", other.integration("twilio")),
        format!("/callbacks/twilio/{app}/{messagebird}"),
        format!("/callbacks/messagebird/{app}/{twilio}"),
        format!("/callbacks/line/{app}/{twilio}"),
        format!("/callbacks/twilio/{app}/xyz"),
        "/callbacks/twilio".to_owned(),
        "/callbacks/".to_owned(),
        format!("/callbacks/twilio/{app}/{twilio}/token/more"),
        "/callbacks/%00/a b/<>".to_owned(),
    ] {
        let answer = world.request(world.http(Method::POST, &path).body("x")).await;
        assert_eq!(answer.status, 404, "{path}: {}", answer.body);
    }
    world.end().await;
}

#[tokio::test]
async fn the_same_reply_twice_is_one_message() {
    let world = World::new().await;
    for channel in crate::world::CHANNELS {
        let body = json!({
            "integrationId": world.app.integration(channel), "from": ANYBODY, "text": "Once", "externalId":
            if channel == "twilio" { "SM00000000000000000000000000000042" } else { "8a1f0e2d3c4b5a69788796a5b4c3d2e1" },
        });
        for _ in 0..3 {
            world.reply_with(body.clone()).await;
            world.settle().await;
        }
        let replies = world.events_named("message:appUser").await;
        let of_channel: Vec<_> =
            replies.iter().filter(|reply| reply["messages"][0]["source"]["type"] == channel).collect();
        assert_eq!(of_channel.len(), 1, "{channel}");
    }
    world.end().await;
}

#[tokio::test]
async fn the_same_receipt_again_says_nothing_new() {
    let world = World::new().await;
    for channel in crate::world::CHANNELS {
        let id = world.notify(channel, ANYBODY, "Hello").await;
        world.settle().await;
        let sent = world.outbox().await.into_iter().find(|entry| entry["channel"] == channel).unwrap();
        let before = world.events().await.len();
        for status in ["sent", "delivered", "delivered"] {
            let body = json!({ "externalId": sent["externalId"], "status": status });
            world.receipt(body).await;
        }
        world.settle().await;
        assert_eq!(world.events().await.len(), before, "{channel}");
        assert_eq!(world.story(&id).await, ["channel", "user"]);
    }
    world.end().await;
}

#[tokio::test]
async fn a_late_failure_never_unmakes_a_delivery() {
    let world = World::new().await;
    let id = world.notify("twilio", ANYBODY, "Hello").await;
    world.settle().await;
    let sent = world.outbox().await.remove(0);
    let body = json!({ "externalId": sent["externalId"], "status": "undelivered", "errorCode": 30005 });
    world.receipt(body).await;
    world.settle().await;
    assert_eq!(world.story(&id).await, ["channel", "user"]);
    world.end().await;
}

#[tokio::test]
async fn every_message_of_every_queue_delivered_twice_tells_the_same_story() {
    let world = World::new().await;
    world.fault(json!({ "target": "sqs", "fault": "duplicate" })).await;
    let mut ids = Vec::new();
    for channel in crate::world::CHANNELS {
        ids.push(world.notify(channel, ANYBODY, "Twice?").await);
        world.settle().await;
        world.reply(channel, ANYBODY, "Only once").await;
        world.settle().await;
    }
    assert_eq!(world.outbox_to(ANYBODY).await.len(), 2, "nothing is sent twice");
    for id in &ids {
        assert_eq!(world.story(id).await, ["channel", "user"]);
    }
    let mut replies: Vec<_> = world.events_named("message:appUser").await;
    replies.sort_by_key(|reply| reply["eventId"].to_string());
    replies.dedup_by_key(|reply| reply["eventId"].to_string());
    assert_eq!(replies.len(), 2, "repeats carry the same event id");
    for reply in replies {
        assert_eq!(reply["recentNotifications"].as_array().unwrap().len(), 1);
    }
    world.heal().await;
    world.end().await;
}
