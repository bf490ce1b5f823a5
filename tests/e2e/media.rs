//! Files as players, carriers and browsers ask for them: their facts, a stretch, under a name in any script.

use reqwest::header::{CONTENT_TYPE, HeaderMap};
use reqwest::{Method, Response};
use serde_json::{Value, json};

use crate::forms::{FORM, form};
use crate::world::World;

const FILM: &[u8] = b"0123456789";

/// Uploads a body as it is written, and gives the answer.
async fn upload(world: &World, body: Vec<u8>) -> Value {
    let (key, secret) = world.app.key();
    let request = world.http(Method::POST, "/v1.1/attachments?access=public").basic_auth(key, Some(secret));
    let answer = world.request(request.header(CONTENT_TYPE, FORM).body(body)).await;
    assert_eq!(answer.status, 201, "{}", answer.body);
    answer.body
}

async fn film(world: &World) -> String {
    upload(world, form(&[], "film.mp4", "video/mp4", FILM)).await["mediaUrl"].as_str().unwrap().to_owned()
}

async fn ask(method: Method, url: &str, headers: &[(&str, &str)]) -> Response {
    let request = reqwest::Client::new().request(method, url);
    headers.iter().fold(request, |request, (name, value)| request.header(*name, *value)).send().await.unwrap()
}

fn of(headers: &HeaderMap, name: &str) -> String {
    headers.get(name).map_or("", |value| value.to_str().unwrap()).to_owned()
}

#[tokio::test]
async fn a_head_says_what_a_get_would_and_leaves_the_file_out() {
    let world = World::new().await;
    let url = film(&world).await;
    let get = ask(Method::GET, &url, &[]).await;
    let head = ask(Method::HEAD, &url, &[("range", "bytes=0-1")]).await;
    assert_eq!((get.status().as_u16(), head.status().as_u16()), (200, 200));
    for name in ["content-type", "content-length", "content-disposition", "etag", "accept-ranges", "cache-control"] {
        assert!(!of(head.headers(), name).is_empty(), "{name}");
        assert_eq!(of(head.headers(), name), of(get.headers(), name), "{name}");
    }
    assert_eq!(
        (of(head.headers(), "content-type"), of(head.headers(), "content-length")),
        ("video/mp4".into(), "10".into())
    );
    assert_eq!((&get.bytes().await.unwrap()[..], &head.bytes().await.unwrap()[..]), (FILM, &b""[..]));
    assert_eq!(ask(Method::HEAD, &url.replace("film", "other"), &[]).await.status(), 404);
    world.end().await;
}

#[tokio::test]
async fn a_player_gets_the_stretch_it_asks_for() {
    let world = World::new().await;
    let url = film(&world).await;
    let etag = of(ask(Method::HEAD, &url, &[]).await.headers(), "etag");
    let asked =
        |range, status, content_range, content: &'static [u8]| (vec![("range", range)], status, content_range, content);
    let mut cases = vec![
        asked("bytes=0-1", 206, "bytes 0-1/10", b"01"),
        asked("bytes=-3", 206, "bytes 7-9/10", b"789"),
        asked("bytes=4-", 206, "bytes 4-9/10", b"456789"),
        asked("bytes=4-", 200, "", FILM),
        asked("bytes=0-1,4-5", 200, "", FILM),
        asked("nonsense", 200, "", FILM),
    ];
    cases[2].0.push(("if-range", &etag));
    cases[3].0.push(("if-range", "\"another\""));
    for (headers, status, range, content) in cases {
        let answer = ask(Method::GET, &url, &headers).await;
        assert_eq!((answer.status().as_u16(), of(answer.headers(), "content-range").as_str()), (status, range));
        assert_eq!(of(answer.headers(), "content-type"), "video/mp4");
        assert_eq!(&answer.bytes().await.unwrap()[..], content, "{headers:?}");
    }
    let beyond = ask(Method::GET, &url, &[("range", "bytes=10-")]).await;
    assert_eq!((beyond.status().as_u16(), of(beyond.headers(), "content-range").as_str()), (416, "bytes */10"));
    assert_eq!(beyond.json::<Value>().await.unwrap()["error"]["code"], "range_not_satisfiable");
    world.end().await;
}

#[tokio::test]
async fn a_file_keeps_its_name_in_any_script() {
    let world = World::new().await;
    let uploaded = upload(&world, form(&[], "報告書.pdf", "application/pdf", b"%PDF-1.7")).await;
    let url = uploaded["mediaUrl"].as_str().unwrap();
    assert!(url.ends_with("/%E5%A0%B1%E5%91%8A%E6%9B%B8.pdf"), "{url}");
    let found = ask(Method::GET, url, &[]).await;
    let disposition = "inline; filename=\"___.pdf\"; filename*=UTF-8''%E5%A0%B1%E5%91%8A%E6%9B%B8.pdf";
    assert_eq!((found.status().as_u16(), of(found.headers(), "content-disposition").as_str()), (200, disposition));
    world.make(&world.app, "appusers", json!({ "userId": "bob" })).await;
    let message = json!({ "role": "appMaker", "type": "file", "mediaUrl": url });
    let posted = world.make(&world.app, "appusers/bob/messages", message).await;
    assert_eq!((&posted["message"]["mediaSize"], &posted["message"]["mediaUrl"]), (&json!(8), &json!(url)));
    let (key, secret) = world.app.key();
    let path = "appusers/bob/messages";
    let image = json!({ "role": "appMaker", "type": "image", "mediaUrl": url });
    world.refused(&world.app, Method::POST, path, Some(image), "bad_request: mediaUrl must be a picture's").await;
    let remove = world.http(Method::POST, "/v1.1/attachments/remove").basic_auth(key, Some(secret));
    assert_eq!(world.request(remove.json(&json!({ "mediaUrl": url }))).await.status, 200);
    assert_eq!(ask(Method::GET, url, &[]).await.status(), 404);
    world.end().await;
}

#[tokio::test]
async fn what_a_client_leaves_out_or_writes_its_own_way_is_understood() {
    let world = World::new().await;
    let part = |head: &[u8], content: &[u8]| {
        let start = b"--b\r\nContent-Disposition: form-data; name=\"source\"; ";
        [start, head, b"\r\n\r\n", content, b"\r\n--b--\r\n"].concat()
    };
    let bare = upload(&world, part(b"filename=\"tea.png\"", b"x")).await;
    assert_eq!(bare["mediaType"], "image/png");
    let latin = upload(&world, part(b"filename=\"Gr\xfcn.pdf\"", b"x")).await;
    assert!(latin["mediaUrl"].as_str().unwrap().ends_with("/Gr%C3%BCn.pdf"), "{latin}");
    let extended = upload(&world, part(b"filename*=UTF-8''tea%20time.png", b"x")).await;
    assert!(extended["mediaUrl"].as_str().unwrap().ends_with("/tea-time.png"), "{extended}");
    let base64 = b"filename=\"tea.txt\"\r\nContent-Transfer-Encoding: base64";
    let encoded = upload(&world, part(base64, b"VGVh\r\n")).await;
    let found = ask(Method::GET, encoded["mediaUrl"].as_str().unwrap(), &[]).await;
    assert_eq!(found.text().await.unwrap(), "Tea");
    world.end().await;
}
