//! Why a send failed: what the carrier answered is in the log line and with the record, and nothing of the person or the
//! message is in it.

use serde_json::{Value, json};

use crate::table;
use crate::world::{ANYBODY, FAILS_LATER, REFUSED, World};

const TEXT: &str = "Your parcel leaves today with the red van";

/// What the log says that a carrier answered, oldest first, of one notification.
async fn told(world: &World, notification: &str) -> Vec<Value> {
    let about = |line: &Value| line["line"]["notificationId"] == notification && !line["line"]["carrier"].is_null();
    world.logs().await.iter().filter(|line| about(line)).map(|line| line["line"]["carrier"].clone()).collect()
}

/// What is kept with its record.
async fn kept(world: &World, notification: &str) -> Vec<Value> {
    let records = table::contents(world, notification).await;
    records.values().flat_map(|record| record["exchanges"].as_array().cloned().unwrap_or_default()).collect()
}

fn holds_nothing_of_ours(answers: &[Value], address: &str) {
    let text = json!(answers).to_string();
    for private in [address.trim_start_matches('+'), TEXT, "parcel leaves today"] {
        assert!(!text.contains(private), "{private}: {text}");
    }
}

#[tokio::test]
async fn a_refusal_is_told_in_the_carriers_words_without_ours() {
    let world = World::new().await;
    for (channel, code) in [("twilio", "21211"), ("messagebird", "9")] {
        let id = world.notify(channel, REFUSED, TEXT).await;
        world.settle().await;
        let told = told(&world, &id).await;
        assert_eq!(told.len(), 1, "{channel}: {told:#?}");
        let answer = &told[0]["answered"];
        assert!(answer["status"].as_u64().is_some_and(|status| (400..500).contains(&status)), "{channel}: {answer}");
        assert_eq!(answer["code"], code, "{channel}: {answer}");
        assert!(answer["sentence"].is_string(), "{channel}: {answer}");
        assert_eq!(answer["requestId"].is_string(), channel == "twilio", "{channel}: {answer}");
        let kept = kept(&world, &id).await;
        assert_eq!(kept.len(), 1);
        assert_eq!((&kept[0]["carrier"], &kept[0]["attempt"]), (&told[0], &json!(1)));
        assert!(kept[0]["at"].is_number() || kept[0]["at"].is_string(), "{kept:#?}");
        holds_nothing_of_ours(&[told, kept].concat(), REFUSED);
    }
    world.end().await;
}

#[tokio::test]
async fn a_receipt_of_failure_is_told_with_its_code() {
    let world = World::new().await;
    for (channel, code) in [("twilio", "30005"), ("messagebird", "1")] {
        let id = world.notify(channel, FAILS_LATER, TEXT).await;
        world.settle().await;
        let told = told(&world, &id).await;
        assert_eq!(told.len(), 1, "{channel}: {told:#?}");
        assert_eq!(told[0]["reported"]["code"], code, "{channel}: {told:#?}");
        let kept = kept(&world, &id).await;
        assert_eq!(kept.len(), 1);
        assert_eq!((&kept[0]["carrier"], kept[0].get("attempt")), (&told[0], None));
        holds_nothing_of_ours(&[told, kept].concat(), FAILS_LATER);
    }
    world.end().await;
}

#[tokio::test]
async fn a_carrier_that_cannot_be_reached_is_told_by_its_cause_at_every_try() {
    for (channel, parameter) in [("twilio", "TwilioApiUrl"), ("messagebird", "MessagebirdApiUrl")] {
        let world = World::with_parameter(parameter, "http://127.0.0.1:1").await;
        let id = world.notify(channel, ANYBODY, TEXT).await;
        world.settle().await;
        assert_eq!(world.story(&id).await, ["failure"], "{channel}");
        let told = told(&world, &id).await;
        let silence = json!({ "silent": { "cause": "it refused the connection" } });
        assert_eq!(told, vec![silence; 10], "{channel}");
        let attempts: Vec<Value> = kept(&world, &id).await.iter().map(|kept| kept["attempt"].clone()).collect();
        assert_eq!(json!(attempts), json!([1, 2, 3, 4, 5, 6, 7, 8, 9, 10]), "{channel}");
        world.end().await;
    }
}
