//! What carriers call: believed only with the right signature, and said once however often they say it.

use reqwest::Method;
use serde_json::{Value, json};

use crate::integration_health::{fresh, notify_at};
use crate::table::items_with;
use crate::world::{ANYBODY, NEVER_CONFIRMED, World};

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

/// Twilio gives up within fifteen seconds, MessageBird's simulation within seven: what the queue refuses for longer is
/// taken all the same.
#[tokio::test]
async fn receipts_and_replies_survive_two_minutes_without_the_queue() {
    let world = World::new().await;
    let mut ids = Vec::new();
    for channel in crate::world::CHANNELS {
        ids.push(world.notify(channel, NEVER_CONFIRMED, "Hello").await);
    }
    world.settle().await;
    let sent = world.outbox().await;
    for operation in ["SendMessage", "SendMessageBatch"] {
        world.fault(json!({ "target": "sqs", "fault": "status:503", "operation": operation })).await;
    }
    for message in &sent {
        world.receipt(json!({ "externalId": message["externalId"], "status": "delivered" })).await;
    }
    for channel in crate::world::CHANNELS {
        world.reply(channel, NEVER_CONFIRMED, "Are you there?").await;
    }
    let brought = async |world: &World| {
        let invocations = world.calls().await["functions"]["receive"]["invocations"].as_u64();
        invocations.filter(|invocations| *invocations >= 3)
    };
    world.until("the stream to bring it in vain", brought).await;
    assert_eq!(items_with(&world, "PARKED#").await.len(), 4);
    assert!(world.events_named("message:appUser").await.is_empty());
    world.heal().await;
    world.settle().await;
    for id in ids {
        assert_eq!(world.story(&id).await, ["channel", "user"]);
    }
    assert_eq!(world.events_named("message:appUser").await.len(), 2);
    assert_eq!(items_with(&world, "PARKED#").await, [""; 0]);
    world.end().await;
}

#[tokio::test]
async fn a_key_that_was_changed_counts_at_the_first_callback_that_is_signed_with_it() {
    let world = World::new().await;
    let (path, id) = fresh(&world, "messagebird").await;
    notify_at(&world, &id, ANYBODY).await;
    world.settle().await;
    world.change(&world.app, &path, json!({ "signingKey": "another signing key" })).await;
    let before = refused(&world).await;
    let reply = json!({ "integrationId": id, "appId": world.app.id(), "from": ANYBODY, "text": "Hi" });
    world.reply_with(reply).await;
    world.settle().await;
    assert_eq!(world.events_named("message:appUser").await.len(), 1);
    assert_eq!(refused(&world).await, before);
    world.end().await;
}

async fn refused(world: &World) -> usize {
    world.logs().await.iter().filter(|line| line["line"].get("CallbackRefused").is_some()).count()
}

/// Whoever signs wrongly all the time has the settings read once a second, by each instance.
#[tokio::test]
async fn wrong_signatures_cause_few_reads() {
    let world = World::new().await;
    let path = format!("/callbacks/twilio/{}/{}", world.app.id(), world.app.integration("twilio"));
    let began = std::time::Instant::now();
    for _ in 0..40 {
        let forged = world.http(Method::POST, &path).form(&[("Body", "hi")]);
        let forged = forged.header("X-Twilio-Signature", "AAAAAAAAAAAAAAAAAAAAAAAAAAA=");
        assert_eq!(world.request(forged).await.status, 403);
    }
    let seconds = began.elapsed().as_secs() + 1;
    let reads = world.calls().await["functions"]["callbacks"]["calls"]["dynamodb:GetItem"].as_u64().unwrap();
    assert!(reads <= 3 + seconds, "{reads} reads in {seconds} seconds");
    world.end().await;
}

#[tokio::test]
async fn a_callback_that_is_larger_than_any_is_refused_unread() {
    let world = World::new().await;
    let path = format!("/callbacks/twilio/{}/{}", world.app.id(), world.app.integration("twilio"));
    let large = world.http(Method::POST, &path).header("X-Twilio-Signature", "AAAA").body("a&".repeat(300_000));
    assert_eq!(world.request(large).await.status, 413);
    world.end().await;
}

/// As it came before the send's record: looked at again without using up the queue's tries.
#[tokio::test]
async fn an_early_receipt_waits_and_is_no_failure() {
    let world = World::new().await;
    let kill = json!({ "target": "function:send_twilio", "fault": "kill", "count": 1,
        "when": { "afterCall": "dynamodb:PutItem", "n": 1 } });
    world.fault(kill).await;
    let id = world.notify("twilio", ANYBODY, "Hello").await;
    let accepted = accepted(&world).await;
    let task = receipt_of(&world, &id, accepted, json!({}));
    let record = json!({ "messageId": "1", "receiptHandle": "h", "body": task.to_string(),
        "attributes": { "ApproximateReceiveCount": "9" }, "eventSource": "aws:sqs" });
    let answer = world.local(Method::POST, "invoke/receive", Some(json!({ "Records": [record] }))).await;
    assert_eq!(answer.body["batchItemFailures"], json!([]), "{}", answer.body);
    let pending = world.local(Method::GET, "idle?timeout=0", None).await.body;
    assert_eq!(pending["queues"]["local-receive"]["delayed"], 1, "{pending:#}");
    world.interrupt().await;
}

/// In seconds, of the only notification there is, once it is claimed.
async fn accepted(world: &World) -> f64 {
    let claimed = async |world: &World| items_with(world, "|NOTIFICATION#").await.pop();
    let key = world.until("a claim", claimed).await;
    let millis: f64 = key.split("|NOTIFICATION#").nth(1).unwrap().split('#').next().unwrap().parse().unwrap();
    millis / 1000.0
}

/// A task of `receive`: what went to [`ANYBODY`] was delivered.
fn receipt_of(world: &World, id: &str, accepted: f64, more: Value) -> Value {
    let mut task = json!({
        "version": "1", "app_id": world.app.id(), "integration_id": world.app.integration("twilio"),
        "channel": "twilio", "received": accepted,
        "what": { "receipt": {
            "context": { "subject": { "notification": id }, "accepted": accepted, "address": ANYBODY, "parts": 2 },
            "receipt": { "external_id": "SM00000000000000000000000000000001", "status": "delivered" },
        } },
    });
    task.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    task
}

#[tokio::test]
async fn a_receipt_that_waited_for_its_send_is_no_repeat() {
    let world = World::new().await;
    let id = world.notify("twilio", ANYBODY, "Hello").await;
    world.settle().await;
    let accepted = accepted(&world).await;
    let later = accepted + 60.0;
    let sent = format!("{}", (later * 1000.0) as i64);
    for (more, told) in [(json!({ "put_back": later }), 2), (json!({}), 3)] {
        let task = receipt_of(&world, &id, accepted, more);
        let record = json!({ "messageId": "1", "receiptHandle": "h", "body": task.to_string(),
            "attributes": { "ApproximateReceiveCount": "1", "SentTimestamp": sent }, "eventSource": "aws:sqs" });
        world.local(Method::POST, "invoke/receive", Some(json!({ "Records": [record] }))).await;
        world.settle().await;
        assert_eq!(world.events().await.len(), told, "{task}");
    }
    world.end().await;
}
