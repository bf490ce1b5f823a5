//! Two people who turn out to be one, and what happens beside it.

use aws_sdk_dynamodb::types::AttributeValue;
use reqwest::Method;
use serde_json::{Value, json};

use crate::table::{key, put, scan};
use crate::users::{create, notified};
use crate::world::{ANYBODY, World};

fn merge(surviving: &str, discarded: &str) -> Value {
    json!({ "surviving": { "_id": surviving }, "discarded": { "_id": discarded } })
}

#[tokio::test]
async fn the_merged_are_one_person_with_all_that_was_theirs() {
    let world = World::new().await;
    let (lea, phone) = ("+15550100111", "+15550100222");
    let discarded = notified(&world, lea).await;
    let survivor = notified(&world, phone).await;
    world.reply("twilio", lea, "from the first").await;
    world.settle().await;
    world.change(&world.app, &format!("appusers/{discarded}"), json!({ "givenName": "Lea" })).await;
    let answer = world.manage(&world.app, Method::POST, "appusers/merge", Some(merge(&survivor, &discarded))).await;
    assert_eq!((answer.status, &answer.body), (200, &json!({})));
    let (one, other) = (
        world.read(&world.app, &format!("appusers/{survivor}")).await,
        world.read(&world.app, &format!("appusers/{discarded}")).await,
    );
    assert_eq!(one, other, "the old id answers as the survivor's");
    assert_eq!(one["appUser"]["_id"], survivor.as_str());
    assert_eq!(one["appUser"]["givenName"], "Lea");
    let addresses = one["appUser"]["clients"].as_array().unwrap().iter().map(|client| &client["externalId"]);
    let mut addresses: Vec<_> = addresses.filter_map(Value::as_str).collect();
    addresses.sort_unstable();
    assert_eq!(addresses, [lea, phone]);
    let history = world.read(&world.app, &format!("appusers/{survivor}/messages")).await;
    assert_eq!(history["messages"].as_array().unwrap().len(), 3);
    world.reply("twilio", lea, "after the merge").await;
    world.settle().await;
    let replies = world.events_named("message:appUser").await;
    assert!(replies.iter().any(|reply| reply["appUser"]["_id"] == survivor.as_str()));
    let history = world.read(&world.app, &format!("appusers/{survivor}/messages")).await;
    assert_eq!(history["messages"].as_array().unwrap().len(), 4);
    let merged = &world.event("merge:appUser").await;
    assert_eq!(merged["surviving"]["_id"], survivor.as_str());
    assert_eq!(merged["discarded"][0]["_id"], discarded.as_str());
    assert!(merged.get("appUser").is_none());
    world.end().await;
}

#[tokio::test]
async fn a_merge_needs_two_people() {
    let world = World::new().await;
    let id = create(&world, json!({ "userId": "one" })).await;
    let unknown = "64c0ffee0123456789abcdef";
    for (body, words) in [
        (json!({}), "bad_request: surviving is required"),
        (json!({ "surviving": { "_id": id } }), "bad_request: discarded is required"),
        (json!({ "surviving": { "_id": "x" }, "discarded": { "_id": id } }), "bad_request: surviving._id"),
        (json!({ "surviving": { "_id": id }, "discarded": { "_id": id } }), "bad_request: discarded._id"),
        (json!({ "surviving": { "_id": id }, "discarded": { "_id": unknown } }), "user_not_found"),
    ] {
        world.refused(&world.app, Method::POST, "appusers/merge", Some(body), words).await;
    }
    world.end().await;
}

#[tokio::test]
async fn what_happens_beside_a_merge_is_merged_too() {
    let world = World::new().await;
    let survivor = create(&world, json!({ "userId": "bob" })).await;
    let discarded = create(&world, json!({ "userId": "lea" })).await;
    let text = |number: usize| json!({ "role": "appMaker", "type": "text", "text": format!("{number}") });
    let post = |number: usize| world.make(&world.app, "appusers/lea/messages", text(number));
    let change = |number: usize| {
        let body = json!({ "properties": { format!("p{number}"): number } });
        world.change(&world.app, "appusers/lea", body)
    };
    let link = world.link("lea", "twilio", ANYBODY, json!({ "type": "immediate" }));
    let merging = world.manage(&world.app, Method::POST, "appusers/merge", Some(merge(&survivor, &discarded)));
    let posts = futures::future::join_all((0..8).map(post));
    let changes = futures::future::join_all((0..4).map(change));
    let (merged, _, _, _) = tokio::join!(merging, posts, changes, link);
    assert_eq!(merged.status, 200, "{}", merged.body);
    world.settle().await;
    let user = world.read(&world.app, "appusers/lea").await["appUser"].clone();
    assert_eq!(user["_id"], survivor.as_str());
    assert_eq!(user["properties"].as_object().unwrap().len(), 4, "{user:#}");
    assert_eq!(user["clients"][0]["externalId"], ANYBODY, "{user:#}");
    let history = world.read(&world.app, "appusers/bob/messages").await;
    assert_eq!(history["messages"].as_array().unwrap().len(), 8);
    assert_eq!(history["conversation"]["unreadCount"], 8);
    world.end().await;
}

#[tokio::test]
async fn of_two_merges_in_opposite_directions_one_is_made() {
    let world = World::new().await;
    let bob = create(&world, json!({ "userId": "bob" })).await;
    let lea = create(&world, json!({ "userId": "lea" })).await;
    let merging = |one: &str, other: &str| {
        let body = merge(one, other);
        world.manage(&world.app, Method::POST, "appusers/merge", Some(body))
    };
    let (one, other) = tokio::join!(merging(&bob, &lea), merging(&lea, &bob));
    assert_eq!((one.status, other.status), (200, 200), "{} {}", one.body, other.body);
    let found = world.read(&world.app, "appusers/bob").await;
    assert_eq!(found, world.read(&world.app, "appusers/lea").await);
    world.end().await;
}

#[tokio::test]
async fn a_long_chain_of_merges_loses_nobody() {
    let world = World::new().await;
    let first = create(&world, json!({ "userId": "person-0" })).await;
    let mut last = first.clone();
    for number in 1..=70 {
        let next = create(&world, json!({ "userId": format!("person-{number}") })).await;
        let merged = world.manage(&world.app, Method::POST, "appusers/merge", Some(merge(&next, &last))).await;
        assert_eq!(merged.status, 200, "{}", merged.body);
        last = next;
    }
    for name in [&first, "person-0", &first, "person-35"] {
        let found = world.read(&world.app, &format!("appusers/{name}")).await;
        assert_eq!(found["appUser"]["_id"], last.as_str(), "{name}");
    }
    world.end().await;
}

#[tokio::test]
async fn nobody_is_reached_by_more_channels_than_a_reply_can_read() {
    let world = World::new().await;
    let id = create(&world, json!({ "userId": "bob" })).await;
    let lea = create(&world, json!({ "userId": "lea" })).await;
    world.link("lea", "twilio", "+15550100222", json!({ "type": "immediate" })).await;
    world.link(&id, "twilio", ANYBODY, json!({ "type": "prompt" })).await;
    world.settle().await;
    let mut pending = scan(&world).await.into_iter().find(|item| key(item).contains("#PENDING#")).unwrap();
    let sk = pending["sk"].as_s().unwrap().trim_end_matches(ANYBODY).to_owned();
    for number in 0..199 {
        pending.insert("sk".into(), AttributeValue::S(format!("{sk}+1555020{number:04}")));
        put(&world, pending.clone()).await;
    }
    let body = json!({ "type": "twilio", "phoneNumber": "+15550100143", "confirmation": { "type": "immediate" } });
    let path = format!("appusers/{id}/channels");
    world.refused(&world.app, Method::POST, &path, Some(body), "bad_request: A user is reached by at most 200").await;
    let merging = Some(merge(&lea, &id));
    world.refused(&world.app, Method::POST, "appusers/merge", merging, "conflict: The two have too many").await;
    world.end().await;
}

#[tokio::test]
async fn a_name_that_comes_by_a_merge_is_told_with_every_client() {
    let world = World::new().await;
    let survivor = notified(&world, ANYBODY).await;
    let discarded = create(&world, json!({ "userId": "lea" })).await;
    let answer = world.manage(&world.app, Method::POST, "appusers/merge", Some(merge(&survivor, &discarded))).await;
    assert_eq!(answer.status, 200, "{}", answer.body);
    world.reply("twilio", ANYBODY, "It is me").await;
    world.settle().await;
    let merged = &world.event("merge:appUser").await;
    assert_eq!(merged["surviving"]["userId"], "lea");
    let reply = &world.event("message:appUser").await;
    assert_eq!((&reply["appUser"]["_id"], &reply["appUser"]["userId"]), (&json!(survivor), &json!("lea")));
    world.end().await;
}
