//! SIGKILL at every point that matters, and the whole engine stopped in mid-flow: a 201 stays a promise.

use serde_json::{Value, json};

use crate::world::{ANYBODY, NEVER_CONFIRMED, World};

/// Kills `function` once at `when`, sends and answers, and expects the whole story, each message once.
async fn killed(function: &str, channel: &str, when: Value) {
    killed_until(World::outlive, function, channel, when).await;
}

/// `recover`: until what the dead one held has come back.
async fn killed_until(recover: impl AsyncFn(&World), function: &str, channel: &str, when: Value) {
    let world = World::new().await;
    world.fault(json!({ "target": format!("function:{function}"), "fault": "kill", "count": 1, "when": when })).await;
    let id = world.notify(channel, ANYBODY, "Through thick and thin").await;
    recover(&world).await;
    world.reply(channel, ANYBODY, "Still here").await;
    world.outlive().await;
    let calls = world.calls().await;
    assert_eq!(calls["functions"][function]["errors"], 1, "{function} was killed {when}");
    let mut story = world.story(&id).await;
    story.sort();
    assert_eq!(story, ["channel", "user"], "{function} killed {when}");
    let mut replies = world.events_named("message:appUser").await;
    replies.dedup_by_key(|reply| reply["eventId"].to_string());
    assert_eq!(replies.len(), 1, "{function} killed {when}");
    assert_eq!(replies[0]["recentNotifications"].as_array().unwrap().len(), 1);
    world.end().await;
}

#[tokio::test]
async fn a_sender_killed_before_it_begins_sends_once() {
    tokio::join!(
        killed("send_twilio", "twilio", json!("start")),
        killed("send_messagebird", "messagebird", json!("start"))
    );
}

#[tokio::test]
async fn a_sender_killed_after_its_claim_sends_once_when_the_claim_runs_out() {
    let when = json!({ "afterCall": "dynamodb:PutItem", "n": 1 });
    tokio::join!(
        killed_until(World::wait_out, "send_twilio", "twilio", when.clone()),
        killed_until(World::wait_out, "send_messagebird", "messagebird", when),
    );
}

#[tokio::test]
async fn a_sender_killed_after_its_record_says_so_again_and_sends_nothing_twice() {
    let when = json!({ "afterCall": "dynamodb:UpdateItem", "n": 1 });
    tokio::join!(killed("send_twilio", "twilio", when.clone()), killed("send_messagebird", "messagebird", when));
}

#[tokio::test]
async fn a_sender_killed_after_publishing_repeats_the_same_event() {
    killed("send_twilio", "twilio", json!("before-response")).await;
}

#[tokio::test]
async fn receive_killed_anywhere_tells_the_whole_story() {
    for when in [json!("start"), json!({ "afterCall": "dynamodb:UpdateItem", "n": 1 }), json!("before-response")] {
        killed("receive", "twilio", when).await;
    }
}

#[tokio::test]
async fn receive_killed_after_keeping_a_reply_tells_it_once_with_its_context() {
    let world = World::new().await;
    world.notify("twilio", ANYBODY, "Context").await;
    world.settle().await;
    let when = json!({ "afterCall": "dynamodb:TransactWriteItems", "n": 1 });
    world.fault(json!({ "target": "function:receive", "fault": "kill", "count": 1, "when": when })).await;
    world.reply("twilio", ANYBODY, "Still here").await;
    world.outlive().await;
    assert_eq!(world.calls().await["functions"]["receive"]["errors"], 1);
    let replies = world.events_named("message:appUser").await;
    assert_eq!(replies.len(), 1, "{replies:#?}");
    assert_eq!(replies[0]["recentNotifications"].as_array().unwrap().len(), 1);
    world.end().await;
}

#[tokio::test]
async fn a_redriven_task_publishes_what_its_first_life_could_not() {
    let world = World::new().await;
    world.local(reqwest::Method::POST, "pollers", Some(json!({ "paused": true }))).await;
    let id = world.notify("twilio", NEVER_CONFIRMED, "Recorded, but unsaid").await;
    world.fault(json!({ "target": "sqs", "fault": "status:500", "operation": "SendMessage" })).await;
    world.local(reqwest::Method::POST, "pollers", Some(json!({ "paused": false }))).await;
    world.settle().await;
    assert_eq!(world.dead_letters().await.len(), 1);
    assert!(world.story(&id).await.is_empty());
    world.heal().await;
    world.redrive_all().await;
    world.settle().await;
    assert_eq!(world.story(&id).await, ["channel"]);
    assert_eq!(world.outbox_to(NEVER_CONFIRMED).await.len(), 1);
    world.end().await;
}

#[tokio::test]
async fn deliver_killed_anywhere_still_delivers() {
    for when in [json!("start"), json!("before-response")] {
        killed("deliver", "twilio", when).await;
    }
}

#[tokio::test]
async fn callbacks_killed_is_called_again_by_the_carrier() {
    killed("callbacks", "messagebird", json!("start")).await;
}

#[tokio::test]
async fn intake_killed_answers_no_201_and_sends_nothing() {
    let world = World::new().await;
    world.fault(json!({ "target": "function:notifications", "fault": "kill", "count": 1, "when": "start" })).await;
    let body = World::body(&world.app, "twilio", ANYBODY, json!({ "type": "text", "text": "Lost?" }));
    let answer = world.post(&world.app, &body).await;
    assert!(answer.status >= 500, "{}", answer.body);
    world.settle().await;
    assert!(world.outbox().await.is_empty());
    assert_eq!(world.post(&world.app, &body).await.status, 201);
    world.end().await;
}

#[tokio::test]
async fn between_the_carriers_answer_and_our_record_the_integration_decides() {
    let kill = json!({ "target": "function:send_twilio", "fault": "kill", "count": 1, "when": { "afterCall": "carrier:twilio", "n": 1 } });
    let world = World::new().await;
    world.fault(kill.clone()).await;
    let id = world.notify("twilio", ANYBODY, "Again, if need be").await;
    world.outlive().await;
    assert_eq!(world.story(&id).await.len(), 2);
    assert_eq!(world.outbox_to(ANYBODY).await.len(), 2, "resend: the person may get it twice");

    let app = world.another_app(json!({ "expiredClaim": "fail" })).await;
    world.fault(kill).await;
    world.notify_as(&app, "twilio", "+15550100777", json!({ "type": "text", "text": "Once at most" })).await;
    world.outlive().await;
    assert_eq!(world.outbox_to("+15550100777").await.len(), 1);
    let events = world.events_of(&app).await;
    assert_eq!(events.iter().filter(|event| event["isFinalEvent"] == true).count(), 1, "{events:#?}");
    world.end().await;
}

#[tokio::test]
async fn a_restart_in_mid_flow_loses_nothing() {
    let data = tempfile::tempdir().unwrap();
    let world = World::with_data(data.path().to_owned()).await;
    let app = world.app.id().to_owned();
    world.local(reqwest::Method::POST, "pollers", Some(json!({ "paused": true }))).await;
    let mut ids = Vec::new();
    for number in 0..5 {
        ids.push(world.notify("twilio", ANYBODY, &format!("Number {number}")).await);
    }
    world.interrupt().await;

    let world = World::with_data(data.path().to_owned()).await;
    assert_eq!(world.app.id(), app, "the demo app is the same");
    world.settle().await;
    for id in &ids {
        assert_eq!(world.story(id).await, ["channel", "user"]);
    }
    world.end().await;
}
