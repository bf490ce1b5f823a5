//! A carrier that refuses, fails later, is slow, throttles, breaks or stays silent: every notification has one end.

use serde_json::json;

use crate::world::{ANYBODY, CHANNELS, ERROR_ONCE, FAILS_LATER, REFUSED, THROTTLED_TWICE, World};

#[tokio::test]
async fn refused_at_once_is_one_final_failure() {
    let world = World::new().await;
    for channel in CHANNELS {
        let id = world.notify(channel, REFUSED, "Hello?").await;
        world.settle().await;
        let events = world.events_about(&id).await;
        assert_eq!(events.len(), 1, "{channel}: {events:#?}");
        assert_eq!(events[0]["trigger"], "notification:delivery:failure");
        assert_eq!(events[0]["isFinalEvent"], true);
        assert_eq!(events[0]["error"]["code"], "bad_request");
        assert!(events[0]["error"]["underlyingError"].is_object());
        assert_eq!(events[0]["externalMessages"], json!([]));
    }
    assert!(world.outbox_to(REFUSED).await.is_empty());
    world.end().await;
}

#[tokio::test]
async fn failed_after_acceptance_is_channel_then_failure() {
    let world = World::new().await;
    for channel in CHANNELS {
        let id = world.notify(channel, FAILS_LATER, "Hello?").await;
        world.settle().await;
        assert_eq!(world.story(&id).await, ["channel", "failure"], "{channel}");
        let failure = &world.events_about(&id).await[1];
        assert_eq!(failure["isFinalEvent"], true);
        assert!(failure["matchResult"]["appUser"]["_id"].is_string());
        assert!(failure["error"]["underlyingError"].is_object());
    }
    world.end().await;
}

#[tokio::test]
async fn a_failed_notification_is_no_context() {
    let world = World::new().await;
    world.notify("twilio", FAILS_LATER, "Never arrived").await;
    world.settle().await;
    world.reply("twilio", FAILS_LATER, "Hello").await;
    world.settle().await;
    let replies = world.events_named("message:appUser").await;
    assert_eq!(replies.len(), 1);
    assert!(replies[0].get("recentNotifications").is_none());
    world.end().await;
}

#[tokio::test]
async fn throttling_and_errors_are_waited_out_and_sent_once() {
    let world = World::new().await;
    for channel in CHANNELS {
        for address in [THROTTLED_TWICE, ERROR_ONCE] {
            let id = world.notify(channel, address, "Patience").await;
            world.settle().await;
            assert_eq!(world.story(&id).await, ["channel", "user"], "{channel} {address}");
        }
    }
    assert_eq!(world.outbox_to(THROTTLED_TWICE).await.len(), 2);
    assert_eq!(world.outbox_to(ERROR_ONCE).await.len(), 2);
    world.end().await;
}

#[tokio::test]
async fn a_carriers_retry_after_is_kept() {
    let world = World::new().await;
    world.fault(json!({ "target": "carrier:twilio", "fault": "throttle", "count": 1, "retryAfter": 600 })).await;
    world.notify("twilio", ANYBODY, "Later").await;
    let retried = world
        .until("the retry to be scheduled", async |world| {
            world.logs().await.into_iter().find(|line| line.to_string().contains("SendRetried"))
        })
        .await;
    assert!(retried.to_string().contains("600"), "{retried}");
    world.settle().await;
    assert_eq!(world.outbox_to(ANYBODY).await.len(), 1);
    world.end().await;
}

#[tokio::test]
async fn a_cut_connection_is_tried_again_when_the_integration_wants_so() {
    let world = World::new().await;
    for fault in ["reset", "status:500", "status:503"] {
        world.fault(json!({ "target": "carrier:twilio", "fault": fault, "count": 1 })).await;
        let id = world.notify("twilio", ANYBODY, "Again").await;
        world.settle().await;
        assert_eq!(world.story(&id).await, ["channel", "user"], "{fault}");
    }
    assert_eq!(world.outbox_to(ANYBODY).await.len(), 3);
    world.end().await;
}

#[tokio::test]
async fn an_undecided_send_fails_when_the_integration_wants_no_doubles() {
    let world = World::new().await;
    let app = world.another_app(json!({ "expiredClaim": "fail" })).await;
    world.fault(json!({ "target": "carrier:twilio", "fault": "reset", "count": 1 })).await;
    world.notify_as(&app, "twilio", ANYBODY, json!({ "type": "text", "text": "Once at most" })).await;
    world.settle().await;
    let events = world.events_of(&app).await;
    assert_eq!(events.len(), 1, "{events:#?}");
    assert_eq!(events[0]["trigger"], "notification:delivery:failure");
    assert_eq!(events[0]["error"]["code"], "service_unavailable");
    assert!(world.outbox().await.is_empty());
    world.end().await;
}

#[tokio::test]
async fn a_silent_carrier_is_given_up_after_ten_seconds_and_tried_again() {
    let world = World::new().await;
    world.fault(json!({ "target": "carrier:twilio", "fault": "timeout", "count": 1 })).await;
    let id = world.notify("twilio", ANYBODY, "Hello").await;
    world
        .until("the time-out", async |world| {
            world.logs().await.iter().any(|line| line.to_string().contains("did not answer")).then_some(())
        })
        .await;
    world.settle().await;
    assert_eq!(world.story(&id).await, ["channel", "user"]);
    world.end().await;
}

#[tokio::test]
async fn a_carrier_that_stays_down_ends_in_a_failure_at_the_last_try() {
    let world = World::new().await;
    world.fault(json!({ "target": "carrier:messagebird", "fault": "status:503" })).await;
    let id = world.notify("messagebird", ANYBODY, "Hello").await;
    world.settle().await;
    assert_eq!(world.story(&id).await, ["failure"]);
    let failure = &world.events_about(&id).await[0];
    assert_eq!(failure["error"]["code"], "service_unavailable");
    world.heal().await;
    world.end().await;
}

#[tokio::test]
async fn the_table_or_the_queue_throttling_loses_nothing() {
    let world = World::new().await;
    world.notify("twilio", ANYBODY, "Warm up").await;
    world.settle().await;
    world.fault(json!({ "target": "dynamodb", "fault": "status:500", "rate": 0.3, "count": 20 })).await;
    world.fault(json!({ "target": "sqs", "fault": "status:500", "rate": 0.2, "count": 10, "operation": "SendMessageBatch" })).await;
    let mut ids = Vec::new();
    for number in 0..10 {
        ids.push(world.notify("twilio", ANYBODY, &format!("Number {number}")).await);
    }
    // Waking the tasks of claims that could not be settled would only use up their tries.
    world.outlive().await;
    for id in ids {
        assert_eq!(world.story(&id).await, ["channel", "user"]);
    }
    assert_eq!(world.outbox_to(ANYBODY).await.len(), 11);
    world.heal().await;
    world.end().await;
}
