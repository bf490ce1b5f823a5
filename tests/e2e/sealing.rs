//! The sealing key is rotated while messages are under way: nothing that was sealed before is lost, what is made after
//! bears the new version, and once all is sealed anew the old key can go.

use std::collections::BTreeSet;
use std::time::Duration;

use aws_sdk_dynamodb::types::AttributeValue;
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use operator::create_account::create_account;
use operator::{drop_sealing_keys, reseal, rotate_sealing_key};
use serde_json::json;

use crate::operator_commands::stack;
use crate::table;
use crate::world::{ANYBODY, CHANNELS, NEVER_CONFIRMED, World};

/// The versions that the table's sealed values bear.
async fn versions(world: &World) -> BTreeSet<u8> {
    fn collect(name: &str, value: &AttributeValue, into: &mut BTreeSet<u8>) {
        match value {
            AttributeValue::S(text) if name.starts_with("sealed") => {
                into.insert(URL_SAFE_NO_PAD.decode(text).unwrap()[0]);
            }
            AttributeValue::M(members) => members.iter().for_each(|(name, value)| collect(name, value, into)),
            AttributeValue::L(items) => items.iter().for_each(|value| collect(name, value, into)),
            _ => {}
        }
    }
    let mut found = BTreeSet::new();
    for item in table::scan(world).await {
        item.iter().for_each(|(name, value)| collect(name, value, &mut found));
    }
    found
}

/// The carrier says that a message which it never confirmed by itself has arrived.
async fn delivered(world: &World, channel: &str) {
    let sent = world.outbox_to(NEVER_CONFIRMED).await;
    let message = sent.iter().find(|message| message["channel"] == channel).unwrap();
    world.receipt(json!({ "externalId": message["externalId"], "status": "delivered" })).await;
    world.settle().await;
}

#[tokio::test]
async fn a_key_is_rotated_under_messages_that_are_on_their_way() {
    let world = World::new().await;
    let operator = stack(&world).await;
    let twilio = world.notify("twilio", NEVER_CONFIRMED, "Sent under the first key").await;
    let messagebird = world.notify("messagebird", NEVER_CONFIRMED, "Sent under the first key").await;
    world.settle().await;
    assert_eq!(versions(&world).await, BTreeSet::from([1]));

    assert_eq!(rotate_sealing_key::rotate(&operator).await.unwrap(), json!({ "seals": "2", "open": ["1"] }));
    // Made by who knows of both keys, read by functions that are warm and know of one.
    let key = create_account(&stack(&world).await, None).await.unwrap();
    assert_eq!(versions(&world).await, BTreeSet::from([1, 2]));
    let request = world.http(reqwest::Method::GET, "/v1.1/apps");
    let answer = world.request(request.basic_auth(key.id.to_string(), Some(key.secret.expose()))).await;
    assert_eq!(answer.status, 200, "{}", answer.body);
    delivered(&world, "twilio").await;
    assert_eq!(world.story(&twilio).await, ["channel", "user"], "a receipt of before is believed");

    let too_early = drop_sealing_keys::drop_keys(&operator, false, Duration::ZERO).await.unwrap_err();
    assert!(too_early.to_string().contains("before the rotation may come until"), "{too_early}");
    reseal::reseal(&operator, Duration::ZERO).await.unwrap();
    assert_eq!(versions(&world).await, BTreeSet::from([2]));
    delivered(&world, "messagebird").await;
    assert_eq!(world.story(&messagebird).await, ["channel", "user"], "and so is one after the table was sealed anew");

    let dropped = drop_sealing_keys::drop_keys(&operator, true, Duration::ZERO).await.unwrap();
    assert_eq!(dropped, json!({ "seals": "2", "dropped": ["1"] }));
    world.end().await;
}

/// Functions that start after it know the new key alone.
#[tokio::test]
async fn once_the_old_key_is_gone_everything_works_from_a_cold_start() {
    let data = tempfile::tempdir().unwrap();
    let world = World::with_data(data.path().to_owned()).await;
    let operator = stack(&world).await;
    rotate_sealing_key::rotate(&operator).await.unwrap();
    drop_sealing_keys::drop_keys(&operator, true, Duration::ZERO).await.unwrap();
    world.interrupt().await;

    let world = World::with_data(data.path().to_owned()).await;
    for channel in CHANNELS {
        let id = world.notify(channel, ANYBODY, "Sent under the second key").await;
        world.settle().await;
        assert_eq!(world.story(&id).await, ["channel", "user"], "{channel}");
        world.reply(channel, ANYBODY, "Heard").await;
        world.settle().await;
    }
    assert_eq!(world.events_named("message:appUser").await.len(), 2);
    world.end().await;
}

/// Who rotates does not undo what a business changes in that moment.
#[tokio::test]
async fn a_change_by_the_api_while_the_table_is_sealed_anew_stays() {
    let world = World::new().await;
    let operator = stack(&world).await;
    rotate_sealing_key::rotate(&operator).await.unwrap();
    let (key, secret) = world.app.key();
    let path = format!("/v1.1/apps/{}/integrations/{}", world.app.id(), world.app.integration("messagebird"));
    let change = |number: usize| {
        let body = json!({ "displayName": format!("Number {number}"), "signingKey": format!("key-{number:032}") });
        world.request(world.http(reqwest::Method::PUT, &path).basic_auth(key, Some(secret)).json(&body))
    };
    let changing = async {
        for number in 0..10 {
            let answer = change(number).await;
            assert_eq!(answer.status, 200, "{}", answer.body);
        }
    };
    let resealing = async {
        for _ in 0..10 {
            let _ = reseal::reseal(&operator, Duration::ZERO).await;
        }
    };
    tokio::join!(changing, resealing);
    let shown = world.request(world.http(reqwest::Method::GET, &path).basic_auth(key, Some(secret))).await;
    assert_eq!(shown.body["integration"]["displayName"], "Number 9", "{}", shown.body);
    world.end().await;
}
