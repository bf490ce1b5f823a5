//! People by tokens of their own: themselves, by every name they have, and nobody else.

use std::collections::BTreeMap;

use futures::future::join_all;
use local::Paths;
use reqwest::Method;
use serde_json::{Value, json};
use shared::api::Access;
use shared::api::routes::{ROUTES, Route};

use crate::credentials::{Credential, own_token};
use crate::world::{Answer, World};

/// Made by the business: each one's `_id`, by name.
async fn people(world: &World, names: &[&'static str]) -> BTreeMap<&'static str, String> {
    let mut ids = BTreeMap::new();
    for name in names {
        let made = world.make(&world.app, "appusers", json!({ "userId": name })).await;
        ids.insert(*name, made["appUser"]["_id"].as_str().unwrap().to_owned());
    }
    ids
}

fn routes() -> impl Iterator<Item = &'static Route> {
    ROUTES.iter().filter(|route| route.access == Access::Person)
}

/// With a body that no operation takes.
async fn call(world: &World, route: &Route, person: &str, by: &Credential) -> Answer {
    let path = route.path.replace("{appId}", world.app.id()).replace("{userId}", person);
    let path = format!("/v1.1{}", path.replace("{channel}", "twilio"));
    let method = Method::from_bytes(route.method.as_bytes()).unwrap();
    let body = (route.method == "POST" || route.method == "PUT").then(|| json!([]));
    world.call(by, method, &path, body).await
}

async fn is_reached(world: &World, person: &str, by: &Credential) {
    for route in routes() {
        let answer = call(world, route, person, by).await;
        let about_credentials = [401, 403].contains(&answer.status);
        assert!(!about_credentials && answer.status < 500, "{} {person}: {}", route.path, answer.body);
    }
}

async fn is_not_reached(world: &World, person: &str, by: &Credential) {
    for route in routes() {
        let answer = call(world, route, person, by).await;
        let told = (answer.status, answer.body["error"]["code"].as_str());
        assert_eq!(told, (403, Some("forbidden")), "{} {person}: {}", route.path, answer.body);
    }
}

#[tokio::test]
async fn a_person_reaches_themselves_and_nobody_else() {
    let world = World::new().await;
    let ids = people(&world, &["bob", "eve"]).await;
    let bob = own_token(world.app.key(), "bob");
    for own in ["bob", &ids["bob"]] {
        is_reached(&world, own, &bob).await;
    }
    for other in ["eve", &ids["eve"], "unknown", "64c0ffee0123456789abcdef", "BOB", "bob%20", "eve%2Fbob"] {
        is_not_reached(&world, other, &bob).await;
    }
    world.end().await;
}

#[tokio::test]
async fn nobody_speaks_for_the_business_by_a_persons_token() {
    let world = World::new().await;
    people(&world, &["bob"]).await;
    world.make(&world.app, "appusers/bob/messages", json!({ "role": "appMaker", "type": "text", "text": "Hi" })).await;
    let bob = own_token(world.app.key(), "bob");
    for (path, body) in [
        ("messages", json!({ "role": "appMaker", "type": "text", "text": "Free tea!" })),
        ("conversation/activity", json!({ "role": "appMaker", "type": "typing:start" })),
    ] {
        let path = format!("/v1.1/apps/{}/appusers/bob/{path}", world.app.id());
        let answer = world.call(&bob, Method::POST, &path, Some(body)).await;
        assert_eq!((answer.status, &answer.body["error"]["code"]), (403, &json!("forbidden")), "{path}");
    }
    world.end().await;
}

#[tokio::test]
async fn the_merged_are_reached_by_every_name_they_had() {
    let world = World::new().await;
    let ids = people(&world, &["ann", "bob", "eve"]).await;
    let merge = json!({ "surviving": { "_id": ids["bob"] }, "discarded": { "_id": ids["ann"] } });
    assert_eq!(world.manage(&world.app, Method::POST, "appusers/merge", Some(merge)).await.status, 200);
    for name in ["ann", "bob"] {
        let own = own_token(world.app.key(), name);
        for named in ["ann", "bob", &ids["ann"], &ids["bob"]] {
            is_reached(&world, named, &own).await;
        }
        for other in ["eve", &ids["eve"]] {
            is_not_reached(&world, other, &own).await;
        }
    }
    for merged in ["ann", &ids["ann"]] {
        is_not_reached(&world, merged, &own_token(world.app.key(), "eve")).await;
    }
    world.end().await;
}

#[tokio::test]
async fn of_the_deleted_and_the_unknown_no_more_is_told_than_that() {
    let world = World::new().await;
    let ids = people(&world, &["bob", "gil"]).await;
    world.remove(&world.app, "appusers/gil").await;
    for name in ["gil", "nobody"] {
        let own = own_token(world.app.key(), name);
        for route in routes() {
            let answer = call(&world, route, name, &own).await;
            assert_eq!(
                (answer.status, &answer.body["error"]["code"]),
                (404, &json!("user_not_found")),
                "{}",
                route.path
            );
        }
        for other in ["bob", &ids["bob"], &ids["gil"]] {
            is_not_reached(&world, other, &own).await;
        }
    }
    for gone in ["gil", &ids["gil"]] {
        is_not_reached(&world, gone, &own_token(world.app.key(), "bob")).await;
    }
    world.end().await;
}

/// Of texts that paths may have trouble with.
const ODD: [&str; 9] =
    ["team/blue", "50%off", "a?b#c", "u@x.example", "über", "a b+c", "messages", "\u{1F375}", "https:/x.example/5"];
/// That would be another path, or another person's, to some gateway.
const UNNAMEABLE: [&str; 10] =
    ["dob/", "/dob", "a//b", "a/messages", "a/messages/b", ".", "a/..", "merge", "50%25off", "a/conversation/read"];

fn written(name: &str) -> String {
    percent_encoding::utf8_percent_encode(name, percent_encoding::NON_ALPHANUMERIC).to_string()
}

/// One person made, spoken to, read and deleted, by their name alone.
async fn lives_and_dies(world: &World, name: &str) {
    let at = |rest: &str| format!("appusers/{}{rest}", written(name));
    world.make(&world.app, "appusers", json!({ "userId": name })).await;
    assert_eq!(world.read(&world.app, &at("")).await["appUser"]["userId"], name);
    world.change(&world.app, &at(""), json!({ "givenName": "Odd" })).await;
    let text = json!({ "role": "appMaker", "type": "text", "text": "Hi" });
    let posted = world.make(&world.app, &at("/messages"), text.clone()).await;
    world.make(&world.app, &at("/messages"), text).await;
    world.remove(&world.app, &at(&format!("/messages/{}", posted["message"]["_id"].as_str().unwrap()))).await;
    assert_eq!(world.read(&world.app, &at("/messages")).await["messages"].as_array().unwrap().len(), 1, "{name}");
    assert_eq!(world.read(&world.app, &at("/channels")).await["channels"], json!([]));
    let read = world.manage(&world.app, Method::POST, &at("/conversation/read"), None).await;
    assert_eq!(read.status, 200, "{name}: {}", read.body);
    assert_eq!(world.read(&world.app, &at("/conversation")).await["conversation"]["unreadCount"], 0);
    let own = own_token(world.app.key(), name);
    let path = format!("/v1.1/{}", at("/messages"));
    assert_eq!(world.call(&own, Method::GET, &path, None).await.status, 200, "{name}");
    world.remove(&world.app, &at("/messages")).await;
    world.remove(&world.app, &at("")).await;
    world.refused(&world.app, Method::GET, &at(""), None, "user_not_found").await;
    world.refused(&world.app, Method::GET, &at("/messages"), None, "user_not_found").await;
}

#[tokio::test]
async fn every_name_that_is_taken_is_reached_however_a_gateway_reads_paths() {
    for paths in Paths::ALL {
        let world = World::reading(paths).await;
        join_all(ODD.map(|name| lives_and_dies(&world, name))).await;
        for name in UNNAMEABLE {
            let named = Some(json!({ "userId": name }));
            world.refused(&world.app, Method::POST, "appusers", named, "bad_request: userId").await;
        }
        world.end().await;
    }
}

#[tokio::test]
async fn what_is_nearly_a_name_is_nobodys() {
    for paths in Paths::ALL {
        let world = World::reading(paths).await;
        people(&world, &["dob", "a"]).await;
        let text = json!({ "role": "appMaker", "type": "text", "text": "Hi" });
        world.make(&world.app, "appusers/dob/messages", text.clone()).await;
        let removed: &[&str] =
            &["dob%2F", "dob%252F", "dob/", "dob%2F%2F", "dob%2F.", "%2Fdob", "DOB", "dob%20", "dob%00"];
        for name in removed {
            let answer = world.manage(&world.app, Method::DELETE, &format!("appusers/{name}"), None).await;
            assert_eq!(answer.status, 404, "{paths:?} {name}: {}", answer.body);
        }
        for (method, path, body) in [
            (Method::POST, "dob/conversation/messages", Some(text)),
            (Method::GET, "dob/conversation/messages", None),
            (Method::GET, "dob/nothing", None),
            (Method::GET, "dob/nothing/messages", None),
            (Method::POST, "dob/nothing", Some(json!({}))),
        ] {
            world.refused(&world.app, method, &format!("appusers/{path}"), body, "not_found").await;
        }
        assert_eq!(world.read(&world.app, "appusers/dob/messages").await["messages"].as_array().unwrap().len(), 1);
        let gone: Value = world.read(&world.app, "appusers/dob").await;
        assert_eq!(gone["appUser"]["userId"], "dob", "{paths:?}");
        world.end().await;
    }
}
