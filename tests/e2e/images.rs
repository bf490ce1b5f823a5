//! A picture and the message that shows it in one request: kept, told, sent and deleted as one, or not at all.

use reqwest::Method;
use reqwest::header::CONTENT_TYPE;
use serde_json::json;

use crate::credentials::own_token;
use crate::forms::{FORM, form};
use crate::world::{ANYBODY, Answer, World};

const PICTURE: &[u8] = b"\x89PNG\r\n\x1a\n\x00\xff";

/// Uploads by the app's own key.
async fn send(world: &World, user: &str, body: Vec<u8>) -> Answer {
    let (key, secret) = world.app.key();
    let request = world.http(Method::POST, &format!("/v1.1/apps/{}/appusers/{user}/images", world.app.id()));
    world.request(request.basic_auth(key, Some(secret)).header(CONTENT_TYPE, FORM).body(body)).await
}

fn picture(fields: &[(&str, &str)]) -> Vec<u8> {
    form(fields, "tea time.png", "image/png", PICTURE)
}

/// Somebody new, by their `_id`.
async fn person(world: &World, user_id: &str) -> String {
    let made = world.make(&world.app, "appusers", json!({ "userId": user_id })).await;
    made["appUser"]["_id"].as_str().unwrap().to_owned()
}

fn address(answer: &Answer) -> String {
    assert_eq!(answer.status, 201, "{}", answer.body);
    answer.body["message"]["mediaUrl"].as_str().unwrap().to_owned()
}

async fn status_of(url: &str) -> u16 {
    reqwest::get(url).await.unwrap().status().as_u16()
}

#[tokio::test]
async fn a_picture_is_kept_posted_told_and_sent() {
    let world = World::new().await;
    let id = world.notify("twilio", ANYBODY, "Hello").await;
    world.settle().await;
    let user = world.events_about(&id).await[0]["matchResult"]["appUser"]["_id"].as_str().unwrap().to_owned();
    let fields = [
        ("role", "appMaker"),
        ("text", "Mint tea"),
        ("name", "Nadia"),
        ("altText", "A cup"),
        ("metadata", r#"{"table":7}"#),
        ("actions", r#"[{"type":"link","text":"Order","uri":"https://shop.example/tea"}]"#),
        ("destination", r#"{"integrationType":"twilio"}"#),
        ("_id", "ffffffffffffffffffffffff"),
        ("mediaUrl", "https://elsewhere.example/tea.png"),
    ];
    let answer = send(&world, &user, picture(&fields)).await;
    let url = address(&answer);
    let message = &answer.body["message"];
    assert!(url.starts_with(&format!("{}/media/{}/{user}/", world.url(), world.app.id())), "{url}");
    assert!(url.ends_with("/tea-time.png"), "{url}");
    let names = ["type", "role", "text", "name", "altText", "mediaType", "mediaSize", "metadata"];
    let shown = names.map(|name| message[name].clone());
    let expected = json!(["image", "appMaker", "Mint tea", "Nadia", "A cup", "image/png", 10, { "table": 7 }]);
    assert_eq!(json!(shown), expected);
    assert_eq!(message["actions"][0]["uri"], "https://shop.example/tea");
    assert_ne!(message["_id"], "ffffffffffffffffffffffff");
    assert_eq!(answer.body["conversation"]["unreadCount"], 1);

    let found = reqwest::get(&url).await.unwrap();
    assert_eq!((found.status().as_u16(), &found.headers()["content-type"]), (200, &"image/png".parse().unwrap()));
    assert_eq!(&found.bytes().await.unwrap()[..], PICTURE);
    world.settle().await;
    assert_eq!(world.event("message:appMaker").await["messages"], json!([message]));
    let delivered = &world.event("message:delivery:user").await;
    assert_eq!(delivered["message"]["_id"], message["_id"]);
    let sent = world.outbox_to(ANYBODY).await.pop().unwrap();
    assert_eq!(sent["mediaUrls"], json!([url]));
    let history = world.read(&world.app, &format!("appusers/{user}/messages")).await;
    assert_eq!(history["messages"][1], *message);
    world.end().await;
}

#[tokio::test]
async fn a_person_sends_pictures_of_their_own_by_any_form_of_the_path() {
    let world = World::new().await;
    let bob = person(&world, "bob").await;
    let token = own_token(world.app.key(), "bob");
    let upload = |path: String, role: &'static str| {
        let request = token.put_on(world.http(Method::POST, &path)).header(CONTENT_TYPE, FORM);
        world.request(request.body(picture(&[("role", role)])))
    };
    let id = world.app.id();
    let paths = [
        format!("/v1.1/apps/{id}/appusers/bob/images"),
        format!("/v1.1/apps/{id}/appUsers/{bob}/images"),
        "/v1.1/appusers/bob/images".to_owned(),
        format!("/v1/appUsers/{bob}/images"),
        "/V1.1/APPUSERS/bob/IMAGES".to_owned(),
    ];
    for path in &paths {
        let answer = upload(path.clone(), "appUser").await;
        let url = address(&answer);
        assert!(url.contains(&format!("/{bob}/")), "{url}");
        assert_eq!(
            (&answer.body["message"]["role"], &answer.body["message"]["text"]),
            (&json!("appUser"), &json!(" "))
        );
    }
    assert_eq!(upload(paths[0].clone(), "appMaker").await.status, 403, "nobody speaks for the business");
    assert_eq!(upload("/v1.1/appusers/eve/images".into(), "appUser").await.status, 403);
    assert_eq!(world.files().await.len(), paths.len());
    world.settle().await;
    assert_eq!(world.events_named("message:appUser").await.len(), paths.len());
    world.end().await;
}

#[tokio::test]
async fn a_picture_goes_with_its_message_and_with_its_person() {
    let world = World::new().await;
    person(&world, "bob").await;
    let mut pictures = Vec::new();
    for _ in 0..3 {
        let answer = send(&world, "bob", picture(&[("role", "appMaker")])).await;
        pictures.push((address(&answer), answer.body["message"]["_id"].as_str().unwrap().to_owned()));
    }
    world.remove(&world.app, &format!("appusers/bob/messages/{}", pictures[0].1)).await;
    world.settle().await;
    assert_eq!((status_of(&pictures[0].0).await, status_of(&pictures[1].0).await), (404, 200));
    world.remove(&world.app, "appusers/bob").await;
    world.settle().await;
    assert_eq!(world.files().await, [""; 0]);
    world.end().await;
}

#[tokio::test]
async fn what_cannot_be_posted_is_refused_and_not_kept() {
    let world = World::new().await;
    person(&world, "bob").await;
    let maker = ("role", "appMaker");
    let cases = [
        ("nobody", picture(&[maker]), 404, "user_not_found", ""),
        ("bob", picture(&[]), 400, "bad_request", "role is required"),
        ("bob", picture(&[("role", "boss")]), 400, "bad_request", "role must be"),
        ("bob", picture(&[maker, ("type", "file")]), 400, "bad_request", "type must be image"),
        ("bob", picture(&[maker, ("metadata", "[object Object]")]), 400, "bad_request", "metadata must be written"),
        ("bob", picture(&[maker, ("actions", "[]"), ("altText", &"x".repeat(129))]), 400, "bad_request", "altText"),
        (
            "bob",
            picture(&[maker, ("destination", r#"{"integrationType":"twilio"}"#)]),
            400,
            "bad_request",
            "destination",
        ),
        ("bob", picture(&[maker, ("text", &"x".repeat(110_000))]), 413, "request_entity_too_large", "fields"),
        ("bob", form(&[maker], "tea.txt", "text/plain", b"Tea"), 400, "bad_request", "source must be a picture"),
        ("bob", form(&[maker], "tea.png", "image/png", b""), 400, "bad_request", "source must not be empty"),
        ("bob", form(&[maker], "tea.png", "image/png", &vec![0; 4_500_001]), 413, "request_entity_too_large", "source"),
        ("bob", b"[object FormData]".to_vec(), 400, "bad_request", "body"),
    ];
    for (user, body, status, code, names) in cases {
        let answer = send(&world, user, body).await;
        let error = &answer.body["error"];
        assert_eq!((answer.status, &error["code"]), (status, &json!(code)), "{}", answer.body);
        assert!(error["description"].as_str().unwrap().contains(names), "{names:?} is not named in {error}");
    }
    world.refused(&world.app, Method::POST, "appusers/bob/images", Some(json!({})), "unsupported_media_type").await;
    let calls = &world.calls().await["functions"]["api"]["calls"];
    assert_eq!(calls.get("s3:PutObject"), None);
    world.refused(&world.app, Method::GET, "appusers/bob/messages", None, "conversation_not_found").await;
    world.end().await;
}

#[tokio::test]
async fn a_picture_whose_message_could_not_be_kept_is_taken_away_again() {
    let world = World::new().await;
    person(&world, "bob").await;
    world.fault(json!({ "target": "dynamodb", "fault": "status:500", "operation": "TransactWriteItems" })).await;
    let answer = send(&world, "bob", picture(&[("role", "appMaker")])).await;
    assert_eq!((answer.status, &answer.body["error"]["code"]), (503, &json!("service_unavailable")));
    world.heal().await;
    world.settle().await;
    assert_eq!(world.calls().await["functions"]["api"]["calls"]["s3:PutObject"], 1);
    assert_eq!(world.files().await, [""; 0]);
    address(&send(&world, "bob", picture(&[("role", "appMaker")])).await);
    world.end().await;
}

#[tokio::test]
async fn without_the_bucket_nothing_is_posted_and_the_repeat_succeeds() {
    let world = World::new().await;
    person(&world, "bob").await;
    world.fault(json!({ "target": "s3", "fault": "throttle" })).await;
    let answer = send(&world, "bob", picture(&[("role", "appMaker")])).await;
    assert_eq!((answer.status, &answer.body["error"]["code"]), (503, &json!("service_unavailable")));
    assert_eq!(answer.headers["retry-after"], "1");
    world.heal().await;
    world.refused(&world.app, Method::GET, "appusers/bob/messages", None, "conversation_not_found").await;
    address(&send(&world, "bob", picture(&[("role", "appMaker")])).await);
    assert_eq!(world.read(&world.app, "appusers/bob/messages").await["messages"].as_array().unwrap().len(), 1);
    world.end().await;
}

#[tokio::test]
async fn a_message_says_how_large_its_file_is_where_that_is_known() {
    let world = World::new().await;
    person(&world, "bob").await;
    let (key, secret) = world.app.key();
    let upload = world.http(Method::POST, "/v1.1/attachments?access=public").basic_auth(key, Some(secret));
    let body = form(&[], "menu", "application/pdf", b"%PDF-1.7");
    let uploaded = world.request(upload.header(CONTENT_TYPE, FORM).body(body)).await;
    let url = uploaded.body["mediaUrl"].as_str().unwrap().to_owned();
    let missing = url.replace("/menu", "/card");
    let post = async |kind: &str, url: &str| {
        let message = json!({ "role": "appMaker", "type": kind, "mediaUrl": url, "mediaSize": 5 });
        let posted = world.make(&world.app, "appusers/bob/messages", message).await["message"].clone();
        (posted["mediaType"].clone(), posted["mediaSize"].clone())
    };
    assert_eq!(post("file", &url).await, (json!("application/pdf"), json!(8)));
    assert_eq!(post("file", "https://shop.example/menu.pdf").await, (json!("application/pdf"), json!(null)));
    assert_eq!(post("image", &missing).await, (json!(null), json!(null)));
    world.fault(json!({ "target": "s3", "fault": "throttle" })).await;
    assert_eq!(
        post("file", &url).await,
        (json!(null), json!(null)),
        "and a bucket that is silent keeps nobody waiting"
    );
    world.heal().await;
    let history = world.read(&world.app, "appusers/bob/messages").await;
    assert_eq!(history["messages"][0]["mediaSize"], 8);
    world.settle().await;
    let told: Vec<_> =
        world.events_named("message:appMaker").await.iter().map(|event| event["messages"][0].clone()).collect();
    let first = told.iter().find(|message| message["_id"] == history["messages"][0]["_id"]);
    assert_eq!(first.expect("it is told")["mediaSize"], 8, "{told:#?}");
    world.end().await;
}
