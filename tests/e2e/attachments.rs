//! Files: taken in, handed out to whoever knows their address, removed; and whatever is wrong with an upload.

use reqwest::Method;
use reqwest::header::CONTENT_TYPE;
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};

use crate::forms::{FORM, form};
use crate::world::{ANYBODY, Answer, App, World};

const LARGEST: usize = 4_500_000;

/// Query, content type and body of an upload; status, code and what the description names of its refusal.
type Case = (&'static str, &'static str, Vec<u8>, u16, &'static str, &'static str);

async fn post(world: &World, app: &App, query: &str, content_type: &str, body: Vec<u8>) -> Answer {
    let (key, secret) = app.key();
    let request = world.http(Method::POST, &format!("/v1.1/apps/{}/attachments{query}", app.id()));
    world.request(request.basic_auth(key, Some(secret)).header(CONTENT_TYPE, content_type).body(body)).await
}

/// Uploads and expects the 201; gives the file's address.
async fn upload(world: &World, name: &str, media_type: &str, content: &[u8]) -> String {
    let answer = post(world, &world.app, "?access=public", FORM, form(&[], name, media_type, content)).await;
    assert_eq!(answer.status, 201, "{}", answer.body);
    answer.body["mediaUrl"].as_str().unwrap().to_owned()
}

async fn remove(world: &World, app: &App, url: &str) -> Answer {
    let (key, secret) = app.key();
    let request = world.http(Method::POST, &format!("/v1.1/apps/{}/attachments/remove", app.id()));
    world.request(request.basic_auth(key, Some(secret)).json(&json!({ "mediaUrl": url }))).await
}

async fn fetch(url: &str) -> reqwest::Response {
    reqwest::get(url).await.unwrap()
}

fn assert_refused(answer: &Answer, status: u16, code: &str, names: &str) {
    assert_eq!((answer.status, &answer.body["error"]["code"]), (status, &json!(code)), "{}", answer.body);
    let description = answer.body["error"]["description"].as_str().unwrap();
    assert!(description.contains(names), "{names:?} is not named in {description:?}");
}

async fn s3_calls(world: &World) -> Value {
    let calls = world.calls().await["functions"]["api"]["calls"].clone();
    let of_s3 = calls.as_object().into_iter().flatten().filter(|(name, _)| name.starts_with("s3:"));
    of_s3.filter(|(name, _)| *name != "s3:HeadObject").map(|(name, count)| (name.clone(), count.clone())).collect()
}

#[tokio::test]
async fn a_file_is_kept_handed_out_and_removed() {
    let world = World::new().await;
    let picture = b"\x89PNG\r\n\x1a\n\x00\xff";
    let answer =
        post(&world, &world.app, "?access=public", FORM, form(&[], "tea time.png", "image/png", picture)).await;
    assert_eq!((answer.status, &answer.body["mediaType"]), (201, &json!("image/png")), "{}", answer.body);
    let url = answer.body["mediaUrl"].as_str().unwrap();
    assert!(url.starts_with(&format!("{}/media/{}/app/", world.url(), world.app.id())), "{url}");
    assert!(url.ends_with("/tea-time.png"), "{url}");

    let found = fetch(url).await;
    assert_eq!(found.status(), 200);
    assert_eq!(found.headers()["content-type"], "image/png");
    assert_eq!(found.headers()["content-disposition"], "inline; filename=\"tea-time.png\"");
    assert_eq!(found.headers()["x-content-type-options"], "nosniff");
    assert_eq!(found.headers()["cache-control"], "public, max-age=900");
    assert!(found.headers()["content-security-policy"].to_str().unwrap().starts_with("default-src 'none'"));
    assert_eq!(&found.bytes().await.unwrap()[..], picture);

    for _ in 0..2 {
        let removed = remove(&world, &world.app, url).await;
        assert_eq!((removed.status, removed.body), (200, json!({})));
    }
    let gone = fetch(url).await;
    assert_eq!(gone.status(), 404);
    assert_eq!(gone.json::<Value>().await.unwrap()["error"]["code"], "not_found");
    assert_eq!(s3_calls(&world).await, json!({ "s3:DeleteObject": 2, "s3:GetObject": 2, "s3:PutObject": 1 }));
    world.end().await;
}

#[tokio::test]
async fn a_body_in_chunks_without_a_length_is_taken_under_the_short_path() {
    use base64::Engine;
    let world = World::new().await;
    let (key, secret) = world.app.key();
    let basic = base64::engine::general_purpose::STANDARD.encode(format!("{key}:{secret}"));
    let host = world.url().trim_start_matches("http://");
    let mut request = format!(
        "POST /v1.1/attachments?access=public HTTP/1.1\r\nHost: {host}\r\nAuthorization: Basic {basic}\r\n\
         Content-Type: {FORM}\r\nTransfer-Encoding: chunked\r\nConnection: close\r\n\r\n"
    )
    .into_bytes();
    for chunk in form(&[], "menu.pdf", "application/pdf", b"%PDF-1.7").chunks(50) {
        request.extend(format!("{:x}\r\n", chunk.len()).into_bytes());
        request.extend([chunk, b"\r\n"].concat());
    }
    request.extend(b"0\r\n\r\n");
    let mut connection = tokio::net::TcpStream::connect(host).await.unwrap();
    connection.write_all(&request).await.unwrap();
    let mut answer = String::new();
    connection.read_to_string(&mut answer).await.unwrap();
    assert!(answer.starts_with("HTTP/1.1 201"), "{answer}");
    assert!(answer.contains(r#""mediaType":"application/pdf""#), "{answer}");
    world.end().await;
}

#[tokio::test]
async fn the_largest_file_is_taken_and_handed_out_and_one_byte_more_is_refused() {
    let world = World::new().await;
    let largest: Vec<u8> = (0..LARGEST).map(|index| (index % 251) as u8).collect();
    let url = upload(&world, "film.mp4", "video/mp4", &largest).await;
    let found = fetch(&url).await;
    assert_eq!(
        (found.status(), &found.headers()["content-type"]),
        (reqwest::StatusCode::OK, &"video/mp4".parse().unwrap())
    );
    assert!(found.bytes().await.unwrap() == largest, "the file came back changed");

    let one_more = form(&[], "film.mp4", "video/mp4", &vec![0; LARGEST + 1]);
    let answer = post(&world, &world.app, "?access=public", FORM, one_more).await;
    assert_refused(&answer, 413, "request_entity_too_large", "source must have at most 4500000 bytes");
    assert_eq!(s3_calls(&world).await["s3:PutObject"], 1);
    world.end().await;
}

#[tokio::test]
async fn what_could_hold_a_script_is_never_shown_at_our_address() {
    let world = World::new().await;
    for media_type in ["image/svg+xml", "text/html", "application/xhtml+xml", "application/x-unknown", "nonsense"] {
        let found = fetch(&upload(&world, "x", media_type, b"<script>alert(1)</script>").await).await;
        assert_eq!(found.headers()["content-disposition"], "attachment; filename=\"x\"", "{media_type}");
        assert_eq!(found.headers()["x-content-type-options"], "nosniff");
    }
    let text = fetch(&upload(&world, "x.txt", "text/plain", "Grüße".as_bytes()).await).await;
    assert_eq!(text.headers()["content-type"], "text/plain; charset=utf-8");
    assert_eq!(text.headers()["content-disposition"], "inline; filename=\"x.txt\"");
    assert_eq!(text.text().await.unwrap(), "Grüße");
    world.end().await;
}

#[tokio::test]
async fn what_is_no_upload_is_refused_and_nothing_is_kept() {
    let world = World::new().await;
    let good = form(&[], "a.png", "image/png", b"x");
    let public = "?access=public";
    let without_name = b"--b\r\nContent-Disposition: form-data; name=\"source\"\r\n\r\nx\r\n--b--\r\n".to_vec();
    let other_part = String::from_utf8(good.clone()).unwrap().replace("source", "file").into_bytes();
    let cases: Vec<Case> = vec![
        ("", FORM, good.clone(), 400, "bad_request", "access"),
        ("?access=private", FORM, good.clone(), 400, "bad_request", "access"),
        ("?access=public&for=avatar", FORM, good.clone(), 400, "bad_request", "for"),
        ("?access=public&for=message", FORM, good.clone(), 400, "bad_request", "appUserId"),
        ("?access=public&for=message&userId=nobody", FORM, good.clone(), 404, "user_not_found", ""),
        (public, FORM, b"[object FormData]".to_vec(), 400, "bad_request", "body"),
        (public, "text/plain", b"[object FormData]".to_vec(), 415, "unsupported_media_type", "Content-Type"),
        (public, "application/json", b"{}".to_vec(), 415, "unsupported_media_type", "Content-Type"),
        (public, "multipart/form-data", good.clone(), 400, "bad_request", "Content-Type"),
        (public, "multipart/form-data; boundary=c", good.clone(), 400, "bad_request", "body"),
        (public, FORM, good[..good.len() - 8].to_vec(), 400, "bad_request", "body"),
        (public, FORM, form(&[], "a.png", "image/png", b""), 400, "bad_request", "source"),
        (public, FORM, without_name, 400, "bad_request", "source"),
        (public, FORM, other_part, 400, "bad_request", "source"),
        (public, FORM, Vec::new(), 400, "bad_request", "body"),
    ];
    for (query, content_type, body, status, code, names) in cases {
        assert_refused(&post(&world, &world.app, query, content_type, body).await, status, code, names);
    }
    let path = format!("/v1.1/apps/{}/attachments{public}", world.app.id());
    let (key, secret) = world.app.key();
    let broken = world.http(Method::POST, &path).basic_auth(key, Some(secret)).body("[object FormData]");
    assert_refused(&world.request(broken).await, 415, "unsupported_media_type", "Content-Type");
    let stranger = world.http(Method::POST, &path).header(CONTENT_TYPE, FORM).body(good);
    assert_refused(&world.request(stranger).await, 401, "unauthorized", "Authorization is required");
    assert_eq!(s3_calls(&world).await, json!({}));
    world.end().await;
}

#[tokio::test]
async fn a_file_for_a_person_is_kept_under_their_name() {
    let world = World::new().await;
    let id = world.notify("twilio", ANYBODY, "Hi").await;
    world.settle().await;
    let person = world.events_about(&id).await[0]["matchResult"]["appUser"]["_id"].as_str().unwrap().to_owned();
    let query = format!("?access=public&for=message&appUserId={person}");
    let answer = post(&world, &world.app, &query, FORM, form(&[], "a.png", "image/png", b"x")).await;
    assert_eq!(answer.status, 201, "{}", answer.body);
    let owned = format!("{}/media/{}/{person}/", world.url(), world.app.id());
    assert!(answer.body["mediaUrl"].as_str().unwrap().starts_with(&owned), "{}", answer.body);
    world.end().await;
}

#[tokio::test]
async fn an_app_removes_its_own_files_only() {
    let world = World::new().await;
    let other = world.another_app(json!({})).await;
    let url = upload(&world, "a.png", "image/png", b"x").await;
    let elsewhere = url.replace(world.url(), "https://elsewhere.example");
    for (app, url) in
        [(&other, url.as_str()), (&world.app, elsewhere.as_str()), (&world.app, "nonsense"), (&world.app, "")]
    {
        assert_refused(&remove(&world, app, url).await, 404, "not_found", "mediaUrl");
    }
    let (key, secret) = world.app.key();
    let remove_path = format!("/v1.1/apps/{}/attachments/remove", world.app.id());
    for body in [json!({}), json!({ "mediaUrl": 7 })] {
        let request = world.http(Method::POST, &remove_path).basic_auth(key, Some(secret)).json(&body);
        assert_refused(&world.request(request).await, 400, "bad_request", "mediaUrl");
    }
    assert_eq!(fetch(&url).await.status(), 200);
    world.end().await;
}

#[tokio::test]
async fn addresses_that_nobody_was_given_lead_nowhere() {
    let world = World::new().await;
    let url = upload(&world, "a.png", "image/png", b"x").await;
    let other_token = url.replacen(&url.rsplit('/').nth(1).unwrap()[..4], "0000", 1);
    let (folder, _) = url.rsplit_once('/').unwrap();
    let shapes = [
        other_token,
        folder.to_owned(),
        format!("{folder}/"),
        format!("{folder}/b.png"),
        format!("{url}/more"),
        format!("{}/media/..%2fsecrets.json", world.url()),
    ];
    for url in &shapes {
        let answer = fetch(url).await;
        assert_eq!(answer.status(), 404, "{url}");
        assert_eq!(answer.json::<Value>().await.unwrap()["error"]["code"], "not_found", "{url}");
    }
    world.end().await;
}

#[tokio::test]
async fn a_bucket_that_does_not_answer_is_a_503_and_the_repeat_succeeds() {
    let world = World::new().await;
    let url = upload(&world, "a.png", "image/png", b"x").await;
    world.fault(json!({ "target": "s3", "fault": "throttle" })).await;
    let refused = post(&world, &world.app, "?access=public", FORM, form(&[], "b.png", "image/png", b"y")).await;
    assert_refused(&refused, 503, "service_unavailable", "try again");
    assert_eq!(refused.headers["retry-after"], "1");
    assert_refused(&remove(&world, &world.app, &url).await, 503, "service_unavailable", "try again");
    assert_eq!(fetch(&url).await.status(), 503);
    world.heal().await;
    upload(&world, "b.png", "image/png", b"y").await;
    assert_eq!(fetch(&url).await.status(), 200);
    assert_eq!(remove(&world, &world.app, &url).await.status, 200);
    world.end().await;
}

#[tokio::test]
async fn a_file_goes_with_the_message_that_shows_it() {
    let world = World::new().await;
    world.make(&world.app, "appusers", json!({ "userId": "bob" })).await;
    let mut files = Vec::new();
    for _ in 0..3 {
        let query = "?access=public&for=message&userId=bob";
        let answer = post(&world, &world.app, query, FORM, form(&[], "tea.txt", "text/plain", b"hot")).await;
        let url = answer.body["mediaUrl"].as_str().unwrap().to_owned();
        let message = json!({ "role": "appMaker", "type": "file", "mediaUrl": url });
        let posted = world.make(&world.app, "appusers/bob/messages", message).await;
        files.push((url, posted["message"]["_id"].as_str().unwrap().to_owned()));
    }
    let shared = upload(&world, "menu.txt", "text/plain", b"for everybody").await;
    let message = json!({ "role": "appMaker", "type": "file", "mediaUrl": shared });
    world.make(&world.app, "appusers/bob/messages", message).await;
    world.remove(&world.app, &format!("appusers/bob/messages/{}", files[0].1)).await;
    world.settle().await;
    assert_eq!(fetch(&files[0].0).await.status(), 404);
    assert_eq!(fetch(&files[1].0).await.status(), 200);
    world.remove(&world.app, "appusers/bob/messages").await;
    world.settle().await;
    for (url, _) in &files {
        assert_eq!(fetch(url).await.status(), 404);
    }
    assert_eq!(fetch(&shared).await.status(), 200, "a file of the app is not the message's");
    world.end().await;
}
