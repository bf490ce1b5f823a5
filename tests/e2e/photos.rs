//! The photo of a WhatsApp integration's profile: uploaded, shown, and gone when it is shown no more.

use reqwest::Method;
use reqwest::header::CONTENT_TYPE;
use serde_json::{Value, json};

use crate::forms::{FORM, form};
use crate::world::{Answer, World};

async fn whatsapp(world: &World) -> String {
    let body = json!({ "type": "whatsapp", "deploymentId": "64c0ffee0123456789abcdef" });
    world.make(&world.app, "integrations", body).await["integration"]["_id"].as_str().unwrap().to_owned()
}

async fn put(world: &World, integration: &str, body: Vec<u8>) -> Answer {
    let (key, secret) = world.app.key();
    let path = format!("/v1.1/apps/{}/integrations/{integration}/profile/photo", world.app.id());
    let request = world.http(Method::PUT, &path).basic_auth(key, Some(secret));
    world.request(request.header(CONTENT_TYPE, FORM).body(body)).await
}

/// Uploads a picture and expects the 200; gives the photo's address.
async fn upload(world: &World, integration: &str, content: &[u8]) -> String {
    let answer = put(world, integration, form(&[], "shop.png", "image/png", content)).await;
    assert_eq!(answer.status, 200, "{}", answer.body);
    answer.body["photoUrl"].as_str().unwrap().to_owned()
}

async fn profile(world: &World, integration: &str) -> Value {
    world.read(&world.app, &format!("integrations/{integration}/profile")).await["profile"].clone()
}

async fn change_profile(world: &World, integration: &str, change: Value) {
    world.change(&world.app, &format!("integrations/{integration}/profile"), change).await;
}

async fn status_of(url: &str) -> u16 {
    reqwest::get(url).await.unwrap().status().as_u16()
}

#[tokio::test]
async fn a_photo_is_shown_until_another_or_none_is() {
    let world = World::new().await;
    let id = whatsapp(&world).await;
    change_profile(&world, &id, json!({ "about": "Tea" })).await;
    let first = upload(&world, &id, b"first").await;
    assert!(first.starts_with(&format!("{}/media/{}/integration-{id}/", world.url(), world.app.id())), "{first}");
    assert_eq!(profile(&world, &id).await, json!({ "about": "Tea", "websites": [], "photoUrl": first }));
    assert_eq!(reqwest::get(&first).await.unwrap().text().await.unwrap(), "first");
    world.settle().await;
    assert_eq!(status_of(&first).await, 200, "what is shown stays");

    let second = upload(&world, &id, b"second").await;
    world.settle().await;
    assert_eq!((status_of(&first).await, status_of(&second).await), (404, 200));
    change_profile(&world, &id, json!({ "about": "Green tea", "photoUrl": second })).await;
    world.settle().await;
    assert_eq!(status_of(&second).await, 200, "the same photo is no other");
    change_profile(&world, &id, json!({ "photoUrl": null })).await;
    world.settle().await;
    assert_eq!(status_of(&second).await, 404);
    assert_eq!(profile(&world, &id).await, json!({ "about": "Green tea", "websites": [] }));
    assert_eq!(world.files().await, [""; 0]);
    world.end().await;
}

#[tokio::test]
async fn a_photo_ends_with_its_integration_and_with_its_app() {
    let world = World::new().await;
    let (gone, stays) = (whatsapp(&world).await, whatsapp(&world).await);
    let photos = (upload(&world, &gone, b"gone").await, upload(&world, &stays, b"stays").await);
    world.remove(&world.app, &format!("integrations/{gone}")).await;
    world.settle().await;
    assert_eq!((status_of(&photos.0).await, status_of(&photos.1).await), (404, 200));
    let (key, secret) = world.app.account_key();
    let delete = world.http(Method::DELETE, &format!("/v1.1/apps/{}", world.app.id()));
    assert_eq!(world.request(delete.basic_auth(key, Some(secret))).await.status, 200);
    world.settle().await;
    assert_eq!(world.files().await, [""; 0]);
    world.end().await;
}

#[tokio::test]
async fn of_photos_uploaded_at_once_one_stays() {
    let world = World::new().await;
    let id = whatsapp(&world).await;
    let contents: [&[u8]; 5] = [b"1", b"2", b"3", b"4", b"5"];
    futures::future::join_all(contents.map(|content| upload(&world, &id, content))).await;
    world.settle().await;
    let shown = profile(&world, &id).await["photoUrl"].as_str().unwrap().to_owned();
    assert_eq!(status_of(&shown).await, 200);
    assert_eq!(world.files().await.len(), 1);
    world.end().await;
}

#[tokio::test]
async fn an_apps_own_file_and_a_photo_elsewhere_are_not_the_profiles_to_end() {
    let world = World::new().await;
    let (one, other) = (whatsapp(&world).await, whatsapp(&world).await);
    let (key, secret) = world.app.key();
    let request = world.http(Method::POST, "/v1.1/attachments?access=public").basic_auth(key, Some(secret));
    let request = request.header(CONTENT_TYPE, FORM).body(form(&[], "shop.png", "image/png", b"the app's"));
    let attachment = world.request(request).await.body["mediaUrl"].as_str().unwrap().to_owned();
    let photo = upload(&world, &other, b"the other's").await;
    for url in [&attachment, &photo, &"https://elsewhere.example/media/shop.png".to_owned()] {
        change_profile(&world, &one, json!({ "photoUrl": url })).await;
        change_profile(&world, &one, json!({ "photoUrl": null })).await;
    }
    world.settle().await;
    assert_eq!((status_of(&attachment).await, status_of(&photo).await), (200, 200));
    world.end().await;
}

#[tokio::test]
async fn what_is_no_photo_is_refused_and_not_kept() {
    let world = World::new().await;
    let (id, twilio) = (whatsapp(&world).await, world.app.integration("twilio").to_owned());
    let good = form(&[], "shop.png", "image/png", b"x");
    let cases = [
        ("64c0ffee0123456789abcdef", good.clone(), 404, "integration_not_found", ""),
        (&twilio, good.clone(), 400, "bad_request", "integrationId must name an integration of type whatsapp"),
        (&id, form(&[], "shop.txt", "text/plain", b"x"), 400, "bad_request", "source must be a picture"),
        (&id, form(&[], "shop.png", "image/png", &vec![0; 4_500_001]), 413, "request_entity_too_large", "source"),
        (&id, b"[object FormData]".to_vec(), 400, "bad_request", "body"),
    ];
    for (integration, body, status, code, names) in cases {
        let answer = put(&world, integration, body).await;
        let error = &answer.body["error"];
        assert_eq!((answer.status, &error["code"]), (status, &json!(code)), "{}", answer.body);
        assert!(error["description"].as_str().unwrap().contains(names), "{names:?} is not named in {error}");
    }
    let path = format!("integrations/{id}/profile/photo");
    world.refused(&world.app, Method::PUT, &path, Some(json!({})), "unsupported_media_type").await;
    assert_eq!(world.files().await, [""; 0]);
    assert_eq!(profile(&world, &id).await, json!({ "websites": [] }));

    world.fault(json!({ "target": "dynamodb", "fault": "status:500", "operation": "PutItem" })).await;
    assert_eq!(put(&world, &id, good).await.status, 503);
    world.heal().await;
    world.settle().await;
    assert_eq!(world.files().await, [""; 0], "a photo that is not shown after all does not stay");
    world.end().await;
}
