//! Answers of AWS that are lost, late or unkind: what was done counts as done, and nothing is done twice for it.

use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::world::{ANYBODY, NEVER_CONFIRMED, World};

const TEXT: &str = "Told once";

/// One fault of the table in what a function asks of it.
fn of_table(fault: &str, operation: &str, caller: &str, count: u32) -> Value {
    json!({ "target": "dynamodb", "fault": fault, "operation": operation, "caller": caller, "count": count })
}

/// All of the faults struck.
async fn all_struck(world: &World) {
    let answer = world.local(reqwest::Method::GET, "faults", None).await;
    assert_eq!(answer.body["faults"], json!([]));
}

#[tokio::test]
async fn an_end_whose_write_was_repeated_is_told() {
    let world = World::new().await;
    for fault in ["duplicate", "lost"] {
        for (status, end) in [("delivered", "user"), ("undelivered", "failure")] {
            let id = world.notify("twilio", NEVER_CONFIRMED, TEXT).await;
            world.settle().await;
            let sent = world.outbox_to(NEVER_CONFIRMED).await.pop().unwrap();
            world.fault(of_table(fault, "UpdateItem", "receive", 1)).await;
            world.receipt(json!({ "externalId": sent["externalId"], "status": status, "errorCode": 30005 })).await;
            world.settle().await;
            all_struck(&world).await;
            assert_eq!(world.story(&id).await, ["channel", end], "{fault}");
        }
    }
    world.end().await;
}

#[tokio::test]
async fn a_claim_whose_write_was_repeated_is_ours() {
    let world = World::new().await;
    let app = world.another_app(json!({ "expiredClaim": "fail" })).await;
    for (fault, operation) in
        [("duplicate", "PutItem"), ("lost", "PutItem"), ("duplicate", "UpdateItem"), ("lost", "UpdateItem")]
    {
        let (before, begun) = (world.events_of(&app).await.len(), Instant::now());
        world.fault(of_table(fault, operation, "send_twilio", 1)).await;
        world.notify_as(&app, "twilio", ANYBODY, json!({ "type": "text", "text": TEXT })).await;
        world.until("both events", async |world| (world.events_of(&app).await.len() == before + 2).then_some(())).await;
        all_struck(&world).await;
        let told = world.events_of(&app).await.split_off(before);
        assert!(told.iter().all(|event| event["trigger"] != "notification:delivery:failure"), "{told:#?}");
        assert!(begun.elapsed() < Duration::from_secs(10), "it did not wait for a claim of its own to run out");
    }
    assert_eq!(world.outbox_to(ANYBODY).await.len(), 4);
    world.end().await;
}

#[tokio::test]
async fn a_claim_that_may_not_have_been_made_is_given_back_and_sent() {
    let world = World::new().await;
    let app = world.another_app(json!({ "expiredClaim": "fail" })).await;
    // As often as the SDK asks.
    world.fault(of_table("lost", "PutItem", "send_twilio", 4)).await;
    world.notify_as(&app, "twilio", ANYBODY, json!({ "type": "text", "text": TEXT })).await;
    world.until("both events", async |world| (world.events_of(&app).await.len() == 2).then_some(())).await;
    all_struck(&world).await;
    assert_eq!(world.outbox_to(ANYBODY).await.len(), 1);
    world.end().await;
}

/// A text of two parts where the channel cuts texts.
fn long_text() -> String {
    "Dear customer, ".repeat(110)
}

#[tokio::test]
async fn what_a_carrier_took_is_recorded_however_often_the_table_refuses() {
    let world = World::new().await;
    for channel in ["twilio", "messagebird"] {
        for fault in ["status:500", "reset"] {
            let before = world.outbox_to(ANYBODY).await.len();
            // More often than the SDK asks, twice over.
            world.fault(of_table(fault, "UpdateItem", &format!("send_{channel}"), 9)).await;
            let id = world.notify(channel, ANYBODY, TEXT).await;
            world.settle().await;
            all_struck(&world).await;
            assert_eq!(world.story(&id).await, ["channel", "user"], "{channel} {fault}");
            assert_eq!(world.outbox_to(ANYBODY).await.len(), before + 1, "{channel} {fault}");
        }
    }
    world.end().await;
}

#[tokio::test]
async fn what_a_carrier_refused_for_now_is_given_back_however_often_the_table_refuses() {
    let world = World::new().await;
    let app = world.another_app(json!({ "expiredClaim": "fail" })).await;
    world.fault(json!({ "target": "carrier:twilio", "fault": "throttle", "retryAfter": 1, "count": 1 })).await;
    world.fault(of_table("status:500", "UpdateItem", "send_twilio", 9)).await;
    world.notify_as(&app, "twilio", ANYBODY, json!({ "type": "text", "text": TEXT })).await;
    world.until("an end", async |world| (!world.events_of(&app).await.is_empty()).then_some(())).await;
    world.settle().await;
    all_struck(&world).await;
    let told = world.events_of(&app).await;
    assert!(told.iter().all(|event| event["trigger"] != "notification:delivery:failure"), "{told:#?}");
    assert_eq!(world.outbox_to(ANYBODY).await.len(), 1);
    world.end().await;
}

#[tokio::test]
async fn parts_are_recorded_through_a_table_that_throttles() {
    let world = World::new().await;
    world.fault(of_table("throttle", "UpdateItem", "send_twilio", 5)).await;
    let id = world.notify("twilio", ANYBODY, &long_text()).await;
    world.until("the end", async |world| (world.story(&id).await.len() == 2).then_some(())).await;
    all_struck(&world).await;
    let outbox = world.outbox_to(ANYBODY).await;
    assert!(outbox.len() > 1);
    let texts: std::collections::BTreeSet<_> = outbox.iter().map(|sent| sent["raw"]["Body"].to_string()).collect();
    assert_eq!(texts.len(), outbox.len(), "each part once");
    world.end().await;
}

#[tokio::test]
async fn one_silent_answer_costs_a_moment() {
    let world = World::new().await;
    world.fault(of_table("timeout", "GetItem", "notifications", 1)).await;
    let begun = Instant::now();
    world.notify("twilio", ANYBODY, TEXT).await;
    all_struck(&world).await;
    assert!(begun.elapsed() < Duration::from_secs(5), "{:?}", begun.elapsed());
    world.settle().await;

    world.fault(of_table("timeout", "UpdateItem", "send_twilio", 1)).await;
    world.fault(json!({ "target": "sqs", "fault": "timeout", "caller": "callbacks", "count": 1 })).await;
    let begun = Instant::now();
    let id = world.notify("twilio", ANYBODY, TEXT).await;
    world.until("the end", async |world| (world.story(&id).await.len() == 2).then_some(())).await;
    all_struck(&world).await;
    assert!(begun.elapsed() < Duration::from_secs(10), "{:?}", begun.elapsed());
    assert_eq!(world.outbox_to(ANYBODY).await.len(), 2);
    world.end().await;
}
