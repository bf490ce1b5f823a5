//! The messages of a conversation keep their order on each channel, and notifications to one address theirs within a
//! batch.

use serde_json::{Value, json};

use crate::world::{ANYBODY, CHANNELS, World};

/// The person behind the address, who is known by then.
async fn person(world: &World, channel: &str) -> String {
    let id = world.notify(channel, ANYBODY, "Hello").await;
    world.settle().await;
    world.events_about(&id).await[0]["matchResult"]["appUser"]["_id"].as_str().unwrap().to_owned()
}

/// Posts numbers, each after the other's answer.
async fn post(world: &World, user: &str, numbers: std::ops::RangeInclusive<usize>) {
    for number in numbers {
        let body = json!({ "role": "appMaker", "type": "text", "text": format!("Number {number}") });
        world.make(&world.app, &format!("appusers/{user}/messages"), body).await;
    }
}

/// The numbers that went out by a channel, in order.
async fn sent(world: &World, channel: &str) -> Vec<usize> {
    let outbox = world.outbox_to(ANYBODY).await;
    let of_channel = outbox.iter().filter(|sent| sent["channel"] == channel);
    let number = |sent: &Value| sent["text"].as_str()?.strip_prefix("Number ")?.parse().ok();
    of_channel.filter_map(number).collect()
}

#[tokio::test]
async fn messages_posted_one_after_another_leave_in_order_on_every_channel() {
    let world = World::new().await;
    for channel in CHANNELS {
        let user = person(&world, channel).await;
        post(&world, &user, 1..=10).await;
        world.settle().await;
        assert_eq!(sent(&world, channel).await, (1..=10).collect::<Vec<_>>(), "{channel}");
    }
    world.end().await;
}

#[tokio::test]
async fn a_message_that_must_wait_holds_back_those_after_it() {
    let world = World::new().await;
    for (channel, fault) in [("twilio", "throttle"), ("messagebird", "status:503")] {
        let user = person(&world, channel).await;
        post(&world, &user, 1..=2).await;
        world.settle().await;
        world
            .fault(json!({ "target": format!("carrier:{channel}"), "fault": fault, "count": 1, "retryAfter": 60 }))
            .await;
        post(&world, &user, 3..=7).await;
        world.settle().await;
        assert_eq!(sent(&world, channel).await, (1..=7).collect::<Vec<_>>(), "{channel}");
    }
    world.end().await;
}

#[tokio::test]
async fn a_message_that_fails_holds_back_nobody() {
    let world = World::new().await;
    let user = person(&world, "twilio").await;
    world.fault(json!({ "target": "carrier:twilio", "fault": "status:400", "count": 1 })).await;
    post(&world, &user, 1..=3).await;
    world.settle().await;
    assert_eq!(sent(&world, "twilio").await, [2, 3]);
    world.end().await;
}

#[tokio::test]
async fn notifications_to_one_address_leave_by_acceptance_within_a_batch() {
    let world = World::new().await;
    world.local(reqwest::Method::POST, "pollers", Some(json!({ "paused": true }))).await;
    for number in 1..=8 {
        world.notify("twilio", ANYBODY, &format!("Number {number}")).await;
    }
    world.local(reqwest::Method::POST, "pollers", Some(json!({ "paused": false }))).await;
    world.settle().await;
    assert_eq!(sent(&world, "twilio").await, (1..=8).collect::<Vec<_>>());
    world.end().await;
}
