//! Pages in a browser, at another origin: what a person's token may call can be called from there, and every answer of
//! ours can be read, refusals too. [`Browser`] keeps the rules of CORS as browsers do.

use reqwest::{Method, RequestBuilder};
use serde_json::{Value, json};
use shared::api::Access;
use shared::api::routes::ROUTES;

use crate::credentials::{Credential, own_token};
use crate::forms::{FORM, form};
use crate::world::World;

const PAGE: &str = "https://shop.example";

/// A browser that shows a page of [`PAGE`].
struct Browser<'w> {
    world: &'w World,
    token: Credential,
}

/// What the page's script is given.
#[derive(Debug)]
struct Seen {
    status: u16,
    headers: Vec<(String, String)>,
    body: Value,
}

impl Seen {
    fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str())
    }
}

/// The words of a header that lists some, in lower case.
fn listed(response: &reqwest::Response, name: &str) -> Vec<String> {
    let text = response.headers().get(name).map_or("", |value| value.to_str().unwrap());
    text.split(',').map(|word| word.trim().to_lowercase()).filter(|word| !word.is_empty()).collect()
}

fn shares_with_the_page(response: &reqwest::Response) -> bool {
    assert!(response.headers().get("access-control-allow-credentials").is_none(), "cookies are nobody's business here");
    [vec!["*".to_owned()], vec![PAGE.to_owned()]].contains(&listed(response, "access-control-allow-origin"))
}

impl Browser<'_> {
    /// `fetch` with the person's token: asks beforehand, and shows the page what it may see.
    async fn fetch(&self, method: Method, path: &str, fill: impl Fn(RequestBuilder) -> RequestBuilder) -> Seen {
        let request = fill(self.token.put_on(self.world.http(method, path))).header("origin", PAGE).build().unwrap();
        let unsafe_headers: Vec<_> = request.headers().keys().map(|name| name.as_str().to_owned()).collect();
        let unsafe_headers: Vec<_> = unsafe_headers.into_iter().filter(|name| name != "origin").collect();
        self.ask(request.method().as_str(), path, &unsafe_headers).await;
        let response = reqwest::Client::new().execute(request).await.unwrap();
        assert!(shares_with_the_page(&response), "{path}: {} cannot be read", response.status());
        let exposed = listed(&response, "access-control-expose-headers");
        let is_shown =
            |name: &str| ["cache-control", "content-type"].contains(&name) || exposed.contains(&name.to_owned());
        let headers = response.headers().iter().filter(|(name, _)| is_shown(name.as_str()));
        let headers = headers.map(|(name, value)| (name.to_string(), value.to_str().unwrap().to_owned())).collect();
        let status = response.status().as_u16();
        Seen { status, headers, body: response.json().await.unwrap() }
    }

    /// The preflight, which must allow the request.
    async fn ask(&self, method: &str, path: &str, headers: &[String]) {
        let preflight = self.world.http(Method::OPTIONS, path).header("origin", PAGE);
        let preflight = preflight.header("access-control-request-method", method);
        let response = preflight.header("access-control-request-headers", headers.join(",")).send().await.unwrap();
        assert!(response.status().is_success(), "{method} {path}: {}", response.status());
        assert!(shares_with_the_page(&response), "{method} {path}");
        assert!(listed(&response, "access-control-allow-methods").contains(&method.to_lowercase()), "{method} {path}");
        let allowed = listed(&response, "access-control-allow-headers");
        assert!(headers.iter().all(|header| allowed.contains(header)), "{headers:?} are not all among {allowed:?}");
        assert!(response.headers().contains_key("access-control-max-age"));
        assert!(response.bytes().await.unwrap().is_empty());
    }
}

async fn bob(world: &World) -> Browser<'_> {
    world.make(&world.app, "appusers", json!({ "userId": "bob" })).await;
    Browser { world, token: own_token(world.app.key(), "bob") }
}

fn posted(body: Value) -> impl Fn(RequestBuilder) -> RequestBuilder {
    move |request| request.json(&body)
}

#[tokio::test]
async fn a_page_may_ask_for_whatever_a_person_may_call_in_every_form_of_the_path() {
    let world = World::new().await;
    let browser = bob(&world).await;
    let headers = ["authorization".to_owned(), "content-type".to_owned()];
    for route in ROUTES.iter().filter(|route| route.access == Access::Person) {
        let path = route.path.replace("{userId}", "bob").replace("{channel}", "twilio");
        let short = path.replace("/apps/{appId}", "");
        for path in [path.replace("{appId}", world.app.id()), short.clone(), short.replace("appusers", "appUsers")] {
            browser.ask(route.method, &format!("/v1.1{path}"), &headers).await;
        }
    }
    browser.ask("POST", "/v1.1/appusers/team/blue/bob/messages", &headers).await;
    world.end().await;
}

#[tokio::test]
async fn a_page_talks_for_a_person_and_reads_the_answers() {
    let world = World::new().await;
    let browser = bob(&world).await;
    let said = json!({ "role": "appUser", "type": "text", "text": "Tea?" });
    let answer = browser.fetch(Method::POST, "/v1.1/appusers/bob/messages", posted(said)).await;
    assert_eq!((answer.status, &answer.body["message"]["text"]), (201, &json!("Tea?")));
    let picture = form(&[("role", "appUser")], "tea.png", "image/png", b"x");
    let send = |request: RequestBuilder| request.header("content-type", FORM).body(picture.clone());
    let answer = browser.fetch(Method::POST, "/v1.1/appusers/bob/images", send).await;
    assert_eq!((answer.status, &answer.body["message"]["type"]), (201, &json!("image")));
    let named = posted(json!({ "givenName": "Bob" }));
    let answer = browser.fetch(Method::PUT, &format!("/v1.1/apps/{}/appusers/bob", world.app.id()), named).await;
    assert_eq!((answer.status, &answer.body["appUser"]["givenName"]), (200, &json!("Bob")));
    let answer = browser.fetch(Method::GET, "/v1.1/appusers/bob/messages", |request| request).await;
    assert_eq!(answer.body["messages"].as_array().unwrap().len(), 2);
    world.end().await;
}

#[tokio::test]
async fn a_page_reads_every_refusal() {
    let world = World::new().await;
    let browser = bob(&world).await;
    let messages = "/v1.1/appusers/bob/messages";
    let large = json!({ "role": "appUser", "type": "text", "text": "x".repeat(110_000) });
    let cases = [
        (Method::POST, messages, json!({}), 400, "bad_request"),
        (Method::POST, messages, json!({ "role": "appMaker", "type": "text", "text": "Hi" }), 403, "forbidden"),
        (Method::GET, "/v1.1/appusers/eve", json!(null), 403, "forbidden"),
        (Method::DELETE, messages, json!(null), 403, "forbidden"),
        (Method::GET, "/v1.1/appusers/bob/conversation", json!(null), 404, "conversation_not_found"),
        (Method::GET, "/v1.1/appusers/bob/nothing/at/all", json!(null), 403, "forbidden"),
        (Method::GET, "/v1.1/nothing", json!(null), 404, "not_found"),
        (Method::PUT, messages, json!({}), 405, "method_not_allowed"),
        (Method::POST, messages, large, 413, "request_entity_too_large"),
    ];
    for (method, path, body, status, code) in cases {
        let fill = |request: RequestBuilder| if body.is_null() { request } else { request.json(&body) };
        let seen = browser.fetch(method, path, fill).await;
        assert_eq!((seen.status, &seen.body["error"]["code"]), (status, &json!(code)), "{path}");
    }
    let stranger = Browser { world: &world, token: Credential::bearer("none") };
    let seen = stranger.fetch(Method::GET, messages, |request| request).await;
    assert_eq!((seen.status, &seen.body["error"]["code"]), (401, &json!("invalid_auth")));
    world.fault(json!({ "target": "dynamodb", "fault": "status:500" })).await;
    let seen = browser.fetch(Method::GET, messages, |request| request).await;
    assert_eq!((seen.status, seen.header("retry-after")), (503, Some("1")));
    world.heal().await;
    world.end().await;
}

#[tokio::test]
async fn who_is_no_page_is_told_nothing_of_pages() {
    let world = World::new().await;
    let answer = reqwest::get(format!("{}/v1.1/apps", world.url())).await.unwrap();
    assert_eq!(answer.status(), 401);
    assert!(answer.headers().keys().all(|name| !name.as_str().starts_with("access-control-")));
    world.end().await;
}
