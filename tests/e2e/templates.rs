//! Stored templates: their life, and names that are one of their kind.

use futures::future::join_all;
use reqwest::Method;
use serde_json::{Value, json};

use crate::world::World;

fn template(name: &str) -> Value {
    json!({ "name": name, "message": { "role": "appMaker", "type": "text", "text": "Welcome" } })
}

#[tokio::test]
async fn a_template_lives_from_its_creation_to_its_deletion() {
    let world = World::new().await;
    let made = world.make(&world.app, "templates", template("welcome")).await["template"].clone();
    assert_eq!((&made["name"], &made["message"]), (&json!("welcome"), &template("")["message"]));
    let path = format!("templates/{}", made["_id"].as_str().unwrap());
    assert_eq!(world.read(&world.app, &path).await["template"], made);
    let changed = world.change(&world.app, &path, json!({ "name": "hello" })).await["template"].clone();
    assert_eq!((&changed["name"], &changed["message"]), (&json!("hello"), &made["message"]));
    let message = json!({ "type": "image", "mediaUrl": "https://shop.example/a.jpg" });
    let changed = world.change(&world.app, &path, json!({ "message": message })).await["template"].clone();
    assert_eq!((&changed["name"], &changed["message"]["type"]), (&json!("hello"), &json!("image")));
    world.make(&world.app, "templates", template("welcome")).await;
    world.remove(&world.app, &path).await;
    for (method, body) in [(Method::GET, None), (Method::PUT, Some(json!({}))), (Method::DELETE, None)] {
        world.refused(&world.app, method, &path, body, "template_not_found: Template not found").await;
    }
    world.make(&world.app, "templates", template("hello")).await;
    world.end().await;
}

#[tokio::test]
async fn a_name_is_borne_by_one_template_however_many_want_it() {
    let world = World::new().await;
    let path = "templates";
    let wants = (0..6).map(|_| world.manage(&world.app, Method::POST, path, Some(template("wanted"))));
    let statuses: Vec<u16> = join_all(wants).await.iter().map(|answer| answer.status).collect();
    assert_eq!(statuses.iter().filter(|status| **status == 201).count(), 1, "{statuses:?}");
    assert!(statuses.iter().all(|status| matches!(status, 201 | 409)), "{statuses:?}");
    let mut others = Vec::new();
    for name in ["a", "b", "c"] {
        let made = world.make(&world.app, path, template(name)).await;
        others.push(format!("templates/{}", made["template"]["_id"].as_str().unwrap()));
    }
    let words = "conflict: name is borne by another template";
    world.refused(&world.app, Method::PUT, &others[0], Some(json!({ "name": "wanted" })), words).await;
    let renames = others.iter().map(|path| world.manage(&world.app, Method::PUT, path, Some(json!({ "name": "new" }))));
    let statuses: Vec<u16> = join_all(renames).await.iter().map(|answer| answer.status).collect();
    assert_eq!(statuses.iter().filter(|status| **status == 200).count(), 1, "{statuses:?}");
    world.end().await;
}

#[tokio::test]
async fn what_makes_no_template_is_refused_by_name() {
    let world = World::new().await;
    let with = |message: Value| json!({ "name": "x", "message": message });
    let cases = [
        (json!({ "message": { "type": "text", "text": "x" } }), "bad_request: name is required"),
        (json!({ "name": "x" }), "bad_request: message is required"),
        (json!({ "name": " ", "message": { "type": "text", "text": "x" } }), "bad_request: name must not be empty"),
        (template(&"x".repeat(101)), "bad_request: name must have at most 100 characters"),
        (with(json!([])), "bad_request: message must be an object"),
        (with(json!({ "role": "appUser", "type": "text", "text": "x" })), "bad_request: message.role must be appMaker"),
        (with(json!({ "type": "hologram" })), "bad_request: message.type must be one of"),
        (with(json!({ "type": "text" })), "bad_request: message.text is required"),
    ];
    for (body, words) in cases {
        world.refused(&world.app, Method::POST, "templates", Some(body), words).await;
    }
    assert_eq!(world.read(&world.app, "templates").await, json!({ "templates": [], "hasMore": false, "offset": 0 }));
    world.end().await;
}

#[tokio::test]
async fn templates_are_listed_by_page() {
    let world = World::new().await;
    for number in 0..3 {
        world.make(&world.app, "templates", template(&format!("t{number}"))).await;
    }
    let page = world.read(&world.app, "templates?limit=2&offset=1").await;
    assert_eq!((page["templates"].as_array().unwrap().len(), &page["hasMore"]), (2, &json!(false)));
    let page = world.read(&world.app, "templates?limit=2").await;
    assert_eq!((page["templates"].as_array().unwrap().len(), &page["hasMore"]), (2, &json!(true)));
    world.end().await;
}

#[tokio::test]
async fn a_list_ends_before_it_outgrows_an_answer() {
    let world = World::new().await;
    let large = |number: usize| {
        let action = json!({ "type": "postback", "text": "Tea", "payload": "\"".repeat(48_000) });
        json!({ "name": format!("{number}"), "message": { "type": "text", "text": "Tea?", "role": "appMaker", "actions": [action] } })
    };
    for chunk in (0..40).collect::<Vec<_>>().chunks(8) {
        futures::future::join_all(chunk.iter().map(|number| world.make(&world.app, "templates", large(*number)))).await;
    }
    let (mut seen, mut offset) = (std::collections::BTreeSet::new(), 0);
    loop {
        let page = world.read(&world.app, &format!("templates?limit=100&offset={offset}")).await;
        let templates = page["templates"].as_array().unwrap();
        assert!(!templates.is_empty() && templates.len() < 40);
        offset += templates.len();
        seen.extend(templates.iter().map(|template| template["_id"].as_str().unwrap().to_owned()));
        if page["hasMore"] == false {
            break;
        }
    }
    assert_eq!((offset, seen.len()), (40, 40));
    world.end().await;
}
