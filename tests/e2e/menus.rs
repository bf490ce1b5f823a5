//! Menus of the app and of integrations.

use reqwest::Method;
use serde_json::{Value, json};

use crate::world::World;

fn menu() -> Value {
    json!({ "items": [
        { "type": "link", "text": "Shop", "uri": "https://shop.example/" },
        { "type": "submenu", "text": "More", "items": [
            { "type": "submenu", "text": "Still more", "items": [
                { "type": "postback", "text": "Help", "payload": "HELP" } ] } ] } ] })
}

/// Without the ids, each of which must be there.
fn stripped(mut value: Value) -> Value {
    if let Some(items) = value["items"].as_array_mut() {
        for item in items {
            let id = item.as_object_mut().unwrap().remove("_id").expect("an id");
            assert_eq!(id.as_str().unwrap().len(), 24);
            if item["type"] == "submenu" {
                *item = stripped(item.take());
            }
        }
    }
    value
}

#[tokio::test]
async fn the_apps_menu_is_set_read_and_deleted() {
    let world = World::new().await;
    world.refused(&world.app, Method::GET, "menu", None, "menu_not_found: Menu not found").await;
    world.refused(&world.app, Method::DELETE, "menu", None, "menu_not_found").await;
    let set = world.change(&world.app, "menu", menu()).await;
    assert_eq!(stripped(set["menu"].clone()), menu());
    assert_eq!(world.read(&world.app, "menu").await, set);
    world.remove(&world.app, "menu").await;
    world.refused(&world.app, Method::GET, "menu", None, "menu_not_found").await;
    world.end().await;
}

#[tokio::test]
async fn an_integrations_menu_is_its_own_and_goes_with_it() {
    let world = World::new().await;
    let path = format!("integrations/{}/menu", world.app.integration("twilio"));
    world.refused(&world.app, Method::GET, &path, None, "menu_not_found").await;
    let made = world.make(&world.app, &path, menu()).await;
    assert_eq!(stripped(made["menu"].clone()), menu());
    world.refused(&world.app, Method::POST, &path, Some(menu()), "conflict: The integration has a menu").await;
    let one = json!({ "items": [{ "type": "postback", "text": "Help", "payload": "HELP" }] });
    assert_eq!(stripped(world.change(&world.app, &path, one.clone()).await["menu"].clone()), one);
    world.refused(&world.app, Method::GET, "menu", None, "menu_not_found").await;
    world.remove(&world.app, &path).await;
    world.change(&world.app, &path, one).await;
    world.remove(&world.app, path.trim_end_matches("/menu")).await;
    for (method, body) in [(Method::GET, None), (Method::POST, Some(menu())), (Method::PUT, Some(menu()))] {
        world.refused(&world.app, method, &path, body, "integration_not_found").await;
    }
    world.end().await;
}

#[tokio::test]
async fn what_makes_no_menu_is_refused_by_name() {
    let world = World::new().await;
    let link = json!({ "type": "link", "text": "Shop", "uri": "https://shop.example/" });
    let sub = |items: Value| json!({ "type": "submenu", "text": "More", "items": items });
    let cases = [
        (json!({}), "bad_request: items is required"),
        (json!({ "items": [] }), "bad_request: items must hold 1 to 5 items"),
        (json!({ "items": vec![link.clone(); 6] }), "bad_request: items must hold 1 to 5 items"),
        (json!({ "items": ["x"] }), "bad_request: items[0] must be an object"),
        (json!({ "items": [{}] }), "bad_request: items[0].type is required"),
        (json!({ "items": [{ "type": "reply", "text": "x" }] }), "bad_request: items[0].type must be one of"),
        (
            json!({ "items": [{ "type": "link", "uri": "https://a.example" }] }),
            "bad_request: items[0].text is required",
        ),
        (json!({ "items": [{ "type": "link", "text": "x" }] }), "bad_request: items[0].uri is required"),
        (json!({ "items": [{ "type": "postback", "text": "x" }] }), "bad_request: items[0].payload is required"),
        (json!({ "items": [sub(json!([]))] }), "bad_request: items[0].items must hold"),
        (
            json!({ "items": [sub(json!([sub(json!([sub(json!([link]))]))]))] }),
            "bad_request: items[0].items[0].items[0].items lies too deep",
        ),
    ];
    for (body, words) in cases {
        world.refused(&world.app, Method::PUT, "menu", Some(body), words).await;
    }
    world.end().await;
}
