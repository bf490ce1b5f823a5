//! Nobody's trouble is another's: whose each message is, texts that a queue refuses, a webhook that hangs.
//!
//! The queue's own rule is tested in virtual time, in `local/src/aws/queues/tenants_tests.rs`.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use reqwest::Method;
use serde_json::{Value, json};

use crate::world::{ANYBODY, App, NEVER_CONFIRMED, World};

/// Legal in JSON, refused by SQS.
const ODD: &str = "\u{FFFE} and \u{FFFF}";

async fn pause(world: &World, paused: bool) {
    let answer = world.local(Method::POST, "pollers", Some(json!({ "paused": paused }))).await;
    assert_eq!(answer.status, 200, "{}", answer.body);
}

async fn app_told_at(world: &World, sink: &str) -> App {
    let target = format!("{}/_local/sink/{sink}", world.url());
    let webhook = json!({ "target": target, "triggers": ["*"], "includeClient": true, "includeFullAppUser": true });
    world.another_app(json!({ "webhooks": [webhook] })).await
}

/// The group ids of all messages of a queue. They are hidden by that.
async fn groups(world: &World, queue: &str) -> Vec<Value> {
    let receive = json!({ "QueueUrl": queue, "MaxNumberOfMessages": 10, "MessageSystemAttributeNames": ["All"] });
    let request = world.http(Method::POST, "/_aws/test/").header("x-amz-target", "AmazonSQS.ReceiveMessage");
    let answer = request.header("content-type", "application/x-amz-json-1.0").body(receive.to_string()).send();
    let answer: Value = serde_json::from_slice(&answer.await.unwrap().bytes().await.unwrap()).unwrap();
    let messages = answer["Messages"].as_array().cloned().unwrap_or_default();
    messages.iter().map(|message| message["Attributes"]["MessageGroupId"].clone()).collect()
}

#[tokio::test]
async fn every_message_of_every_queue_says_whose_it_is() {
    let world = World::new().await;
    let app = world.app.id();
    world.make(&world.app, "appusers", json!({ "userId": "bob" })).await;
    pause(&world, true).await;
    world.notify("twilio", ANYBODY, "Hello").await;
    world.reply("twilio", ANYBODY, "Hi").await;
    world.make(&world.app, "appusers/bob/messages", json!({ "role": "appMaker", "type": "text", "text": "1" })).await;
    let typing = json!({ "role": "appUser", "type": "typing:start" });
    world.manage(&world.app, Method::POST, "appusers/bob/conversation/activity", Some(typing)).await;
    world.remove(&world.app, "appusers/bob").await;
    assert_eq!(groups(&world, "local-send-twilio").await, [app]);
    assert_eq!(groups(&world, "local-receive").await, [app, app]);
    assert_eq!(groups(&world, "local-upkeep").await, [app]);
    assert_eq!(groups(&world, "local-deliver").await, [world.app.ready["webhooks"][0]["id"].clone()]);
    pause(&world, false).await;
    world.end().await;
}

#[tokio::test]
async fn characters_that_a_queue_refuses_arrive_and_disturb_nobody() {
    let world = World::new().await;
    let odd = app_told_at(&world, "odd").await;
    let person = json!({ "userId": format!("lea{ODD}"), "surname": ODD });
    let user = world.make(&odd, "appusers", person).await["appUser"]["_id"].as_str().unwrap().to_owned();
    pause(&world, true).await;
    let message = json!({ "role": "appMaker", "type": "text", "text": ODD });
    world.make(&odd, &format!("appusers/{user}/messages"), message).await;
    let id = world.notify_as(&odd, "twilio", ANYBODY, json!({ "type": "text", "text": ODD })).await;
    let others = world.notify("twilio", ANYBODY, "Hello").await;
    pause(&world, false).await;
    world.settle().await;
    let reply = json!({ "integrationId": odd.integration("twilio"), "from": ANYBODY, "text": ODD });
    world.reply_with(reply).await;
    world.settle().await;
    world.remove(&odd, &format!("appusers/{user}")).await;
    world.settle().await;

    let mut told: BTreeMap<String, Vec<Value>> = BTreeMap::new();
    for request in world.requests_to("odd").await {
        let trigger = request["body"]["trigger"].as_str().unwrap().to_owned();
        told.entry(trigger).or_default().push(request["body"].clone());
    }
    let about = |trigger: &str| -> &Value {
        assert_eq!(told[trigger].len(), 1, "{trigger}: {told:#?}");
        &told[trigger][0]
    };
    let sent = world.outbox_to(ANYBODY).await;
    assert!(
        sent.iter().any(|sent| sent.to_string().contains(ODD) || sent.to_string().contains("%EF%BF%BE")),
        "{sent:#?}"
    );
    assert_eq!(about("notification:delivery:user")["notification"]["_id"], id);
    assert_eq!(about("message:appMaker")["messages"][0]["text"], ODD);
    assert_eq!(about("message:appMaker")["appUser"]["surname"], ODD);
    let reply = about("message:appUser");
    assert_eq!(reply["messages"][0]["text"], ODD);
    assert_eq!(reply["recentNotifications"][0]["text"], ODD);
    assert_eq!(about("appUser:delete")["appUser"]["userId"], format!("lea{ODD}"));
    assert_eq!(world.story(&others).await, ["channel", "user"]);
    assert_eq!(world.events().await.len(), 2, "another's events come once");
    world.end().await;
}

/// So many events that they would fill ten slots; the other's come while all of them still hang.
#[tokio::test]
async fn a_webhook_that_hangs_keeps_no_event_of_another_app_waiting() {
    let world = World::new().await;
    let hanging = app_told_at(&world, "hangs").await;
    let script = json!({ "status": 200, "delayMs": 25_000 });
    world.local(Method::PUT, "sink/hangs", Some(script)).await;
    let begun = Instant::now();
    for number in 0..30 {
        // One event each: all of them hold fewer slots than there are.
        let message = json!({ "type": "text", "text": format!("{number}") });
        world.notify_as(&hanging, "twilio", NEVER_CONFIRMED, message).await;
    }
    let is_hanging = async |world: &World| (world.requests_to("hangs").await.len() >= 30).then_some(());
    world.until("the webhook to hang", is_hanging).await;
    let id = world.notify("twilio", ANYBODY, "Hello").await;
    world
        .until("the other's events", async |world| (world.story(&id).await == ["channel", "user"]).then_some(()))
        .await;
    assert!(begun.elapsed() < Duration::from_secs(20), "somebody's time-out was waited for");
    world.interrupt().await;
}

/// Twice as many sends as there are slots for; the other's comes when the first of them have hung and the second could.
#[tokio::test]
async fn a_carrier_that_does_not_answer_keeps_no_send_of_another_app_waiting() {
    let world = World::new().await;
    let hanging = app_told_at(&world, "hangs").await;
    pause(&world, true).await;
    for number in 200..400 {
        let unanswered = format!("+1416{number}0910");
        world.notify_as(&hanging, "twilio", &unanswered, json!({ "type": "text", "text": "Hello?" })).await;
    }
    pause(&world, false).await;
    let have_hung = async |world: &World| {
        let logs = world.logs().await;
        let retried = logs.iter().filter(|line| line.to_string().contains("SendRetried")).count();
        (retried >= 50).then_some(())
    };
    world.until("the first to have hung", have_hung).await;
    let begun = Instant::now();
    let id = world.notify("twilio", ANYBODY, "Hello").await;
    world
        .until("the other's events", async |world| (world.story(&id).await == ["channel", "user"]).then_some(()))
        .await;
    assert!(begun.elapsed() < Duration::from_secs(5), "somebody's time-out was waited for: {:?}", begun.elapsed());
    world.interrupt().await;
}
