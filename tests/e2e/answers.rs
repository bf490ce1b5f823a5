//! What a carrier's odd answer means: one that breaks off, one that never comes, one that does not say what became of the
//! message. At most twice, and where the integration wants no doubles, once.

use serde_json::json;

use crate::world::{ANYBODY, CHANNELS, NEVER_CONFIRMED, World};

#[tokio::test]
async fn an_acceptance_that_breaks_off_after_its_id_is_one() {
    let world = World::new().await;
    for channel in CHANNELS {
        world.fault(json!({ "target": format!("carrier:{channel}"), "fault": "cut:20", "count": 1 })).await;
        let id = world.notify(channel, ANYBODY, "Half a word").await;
        world.settle().await;
        assert_eq!(world.story(&id).await, ["channel", "user"], "{channel}");
    }
    assert_eq!(world.outbox_to(ANYBODY).await.len(), 2, "one for each channel");
    world.end().await;
}

#[tokio::test]
async fn what_stays_undecided_goes_out_twice_at_most_and_once_where_no_doubles_are_wanted() {
    let world = World::new().await;
    let careful = world.another_app(json!({ "expiredClaim": "fail" })).await;
    for (channel, fault) in [("twilio", "cut:5000"), ("messagebird", "lost")] {
        let before = world.outbox_to(NEVER_CONFIRMED).await.len();
        world.fault(json!({ "target": format!("carrier:{channel}"), "fault": fault })).await;
        let id = world.notify(channel, NEVER_CONFIRMED, "Did it go?").await;
        world.settle().await;
        assert_eq!(world.story(&id).await, ["failure"], "{channel}");
        let failure = &world.events_about(&id).await[0]["error"];
        assert_eq!(failure["code"], "service_unavailable");
        assert!(failure["message"].as_str().unwrap().contains("may have gone out"), "{failure}");
        assert_eq!(world.outbox_to(NEVER_CONFIRMED).await.len() - before, 2, "{channel}");

        let once = "+15550200904";
        let before = world.outbox_to(once).await.len();
        world.notify_as(&careful, channel, once, json!({ "type": "text", "text": "Once at most" })).await;
        world.settle().await;
        assert_eq!(world.outbox_to(once).await.len() - before, 1, "{channel}");
        world.heal().await;
    }
    let ends = world.events_of(&careful).await;
    assert_eq!(ends.len(), 2, "{ends:#?}");
    assert!(ends.iter().all(|event| event["trigger"] == "notification:delivery:failure"));
    world.end().await;
}

#[tokio::test]
async fn a_carrier_that_broke_down_may_have_taken_it_and_one_that_says_no_for_now_has_not() {
    let world = World::new().await;
    let careful = world.another_app(json!({ "expiredClaim": "fail" })).await;
    for (fault, last) in [
        ("status:500", "notification:delivery:failure"),
        ("status:502", "notification:delivery:failure"),
        ("status:408", "notification:delivery:failure"),
        ("status:307", "notification:delivery:failure"),
        ("status:503", "notification:delivery:user"),
        ("status:429", "notification:delivery:user"),
        ("status:409", "notification:delivery:user"),
        ("status:425", "notification:delivery:user"),
    ] {
        world.fault(json!({ "target": "carrier:twilio", "fault": fault, "count": 1 })).await;
        let text = json!({ "type": "text", "text": fault });
        let id = world.notify_as(&careful, "twilio", ANYBODY, text).await;
        world.settle().await;
        let events = world.events_of(&careful).await;
        let mut of_it = events.iter().filter(|event| event["notification"]["_id"] == id.as_str());
        let end = of_it.find(|event| event["isFinalEvent"] == true).unwrap();
        assert_eq!(end["trigger"], last, "{fault}");
    }
    assert_eq!(world.outbox_to(ANYBODY).await.len(), 4);
    world.end().await;
}

#[tokio::test]
async fn many_slow_parts_outlive_their_invocation_and_keep_nobody_waiting() {
    let slow = "+15550100906";
    let world = World::new().await;
    let careful = world.another_app(json!({ "expiredClaim": "fail" })).await;
    world.local(reqwest::Method::POST, "pollers", Some(json!({ "paused": true }))).await;
    let long = json!({ "type": "text", "text": "Tea and cake. ".repeat(285) });
    world.notify_as(&careful, "twilio", slow, long).await;
    let quick = world.notify("twilio", ANYBODY, "Quick").await;
    world.local(reqwest::Method::POST, "pollers", Some(json!({ "paused": false }))).await;
    world.until("the quick one to be told", async |world| (!world.story(&quick).await.is_empty()).then_some(())).await;
    assert!(world.outbox_to(slow).await.len() < 3, "told before the slow one is done");
    world.settle().await;
    let texts: Vec<_> = world.outbox_to(slow).await.iter().map(|sent| sent["text"].clone()).collect();
    assert_eq!(texts.len(), 3, "each part once");
    let triggers: Vec<_> = world.events_of(&careful).await.iter().map(|event| event["trigger"].clone()).collect();
    assert!(triggers.contains(&json!("notification:delivery:user")), "{triggers:?}");
    let tries = world.logs().await.into_iter().filter(|line| line.to_string().contains("SendRetried")).count();
    assert_eq!(tries, 0, "our own time costs no try");
    world.end().await;
}

#[tokio::test]
async fn a_message_of_too_many_parts_fails_whole() {
    let world = World::new().await;
    let action =
        json!({ "type": "link", "text": "Order", "uri": format!("https://shop.example/{}", "x".repeat(1_900)) });
    let item = json!({ "title": "Tea", "actions": [action.clone(), action.clone(), action] });
    let menu = json!({ "type": "carousel", "items": vec![item; 10] });
    for channel in CHANNELS {
        let id = world.notify_as(&world.app, channel, ANYBODY, menu.clone()).await;
        world.settle().await;
        assert_eq!(world.story(&id).await, ["failure"], "{channel}");
        let error = &world.events_about(&id).await[0]["error"];
        assert_eq!(error["code"], "bad_request");
        assert!(error["message"].as_str().unwrap().starts_with("The message is too long"), "{error}");
    }
    assert!(world.outbox_to(ANYBODY).await.is_empty());
    world.end().await;
}
