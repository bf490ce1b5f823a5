//! How tests of an app's settings speak to the API, and what holds for every kind of setting.

use reqwest::Method;
use serde_json::{Value, json};

use crate::integrations;
use crate::world::{Answer, App, World};

impl World {
    /// A call by the app's own key, of a path below the app.
    pub async fn manage(&self, app: &App, method: Method, path: &str, body: Option<Value>) -> Answer {
        let (key, secret) = app.key();
        let path = format!("/v1.1/apps/{}/{path}", app.id());
        let request = self.http(method, &path).basic_auth(key, Some(secret));
        self.request(match body {
            Some(body) => request.json(&body),
            None => request,
        })
        .await
    }

    /// `POST`, which must be answered with 201.
    pub async fn make(&self, app: &App, path: &str, body: Value) -> Value {
        let answer = self.manage(app, Method::POST, path, Some(body)).await;
        assert_eq!(answer.status, 201, "{}", answer.body);
        answer.body
    }

    /// `GET`, which must be answered with 200.
    pub async fn read(&self, app: &App, path: &str) -> Value {
        let answer = self.manage(app, Method::GET, path, None).await;
        assert_eq!(answer.status, 200, "{path}: {}", answer.body);
        answer.body
    }

    /// `PUT`, which must be answered with 200.
    pub async fn change(&self, app: &App, path: &str, body: Value) -> Value {
        let answer = self.manage(app, Method::PUT, path, Some(body)).await;
        assert_eq!(answer.status, 200, "{path}: {}", answer.body);
        answer.body
    }

    /// `DELETE`, which must be answered with 200 and nothing in it.
    pub async fn remove(&self, app: &App, path: &str) {
        let answer = self.manage(app, Method::DELETE, path, None).await;
        assert_eq!((answer.status, &answer.body), (200, &json!({})), "{path}");
    }

    /// A call that must be refused in these words: `bad_request: target is required`.
    pub async fn refused(&self, app: &App, method: Method, path: &str, body: Option<Value>, words: &str) {
        let answer = self.manage(app, method, path, body.clone()).await;
        let error = &answer.body["error"];
        let said =
            format!("{}: {}", error["code"].as_str().unwrap_or("?"), error["description"].as_str().unwrap_or(""));
        assert!(said.starts_with(words), "{path} {body:?}: {} {said:?}, not {words:?}", answer.status);
        assert!((400..500).contains(&answer.status), "{}", answer.status);
    }
}

#[tokio::test]
async fn settings_of_one_app_are_not_found_from_another() {
    let world = World::new().await;
    let other = world.another_app(json!({})).await;
    let webhook = other.ready["webhooks"][0]["id"].as_str().unwrap().to_owned();
    let body = json!({ "name": "x", "message": { "type": "text", "text": "x" } });
    let template = world.make(&other, "templates", body).await["template"]["_id"].as_str().unwrap().to_owned();
    for (path, words) in [
        (format!("webhooks/{webhook}"), "webhook_not_found"),
        (format!("templates/{template}"), "template_not_found"),
        (format!("integrations/{}", other.integration("twilio")), "integration_not_found"),
    ] {
        for (method, body) in [(Method::GET, None), (Method::PUT, Some(json!({}))), (Method::DELETE, None)] {
            world.refused(&world.app, method, &path, body, words).await;
        }
        let ours = path.rsplit_once('/').unwrap().0;
        world.refused(&world.app, Method::GET, &format!("{ours}/not-an-id"), None, words).await;
        let (key, secret) = world.app.key();
        let theirs = world.http(Method::GET, &format!("/v1.1/apps/{}/{path}", other.id()));
        assert_eq!(world.request(theirs.basic_auth(key, Some(secret))).await.status, 403, "{path}");
    }
    assert_eq!(world.read(&other, "webhooks").await["webhooks"].as_array().unwrap().len(), 1);
    world.end().await;
}

#[tokio::test]
async fn the_short_form_and_the_older_version_are_served_to_the_apps_key() {
    let world = World::new().await;
    let (key, secret) = world.app.key();
    for path in ["/v1.1/webhooks", "/v1/webhooks", "/v1/apps/{}/webhooks", "/V1.1/WebHooks"] {
        let path = path.replace("{}", world.app.id());
        let answer = world.request(world.http(Method::GET, &path).basic_auth(key, Some(secret))).await;
        assert_eq!(answer.status, 200, "{path}: {}", answer.body);
        assert_eq!(answer.body["webhooks"].as_array().unwrap().len(), 1, "{path}");
    }
    world.end().await;
}

#[tokio::test]
async fn what_was_read_is_taken_back_and_changes_nothing() {
    let world = World::new().await;
    let mut things = Vec::new();
    for (body, _) in integrations::bodies() {
        let made = world.make(&world.app, "integrations", body).await["integration"].clone();
        let path = format!("integrations/{}", made["_id"].as_str().unwrap());
        let items = json!({ "items": [{ "type": "link", "text": "Shop", "uri": "https://shop.example/" }] });
        world.make(&world.app, &format!("{path}/menu"), items).await;
        if made["type"] == "whatsapp" {
            world.change(&world.app, &format!("{path}/profile"), json!({ "about": "Tea" })).await;
            things.push((format!("{path}/profile"), "profile"));
        }
        things.push((path, "integration"));
    }
    let webhook = json!({ "target": "https://a.example/", "triggers": ["postback"], "includeClient": true });
    let message = json!({ "type": "image", "mediaUrl": "https://a.example/tea.png", "text": "" });
    let person = json!({ "userId": "bob", "givenName": " ", "signedUpAt": "2020-01-02T03:04:05.678Z", "properties": { "a": 1 } });
    for (place, name, body) in [
        ("webhooks", "webhook", webhook),
        ("templates", "template", json!({ "name": "tea", "message": message })),
        ("appusers", "appUser", person),
    ] {
        let made = world.make(&world.app, place, body).await;
        things.push((format!("{place}/{}", made[name]["_id"].as_str().unwrap()), name));
    }
    for (path, name) in things {
        let read = world.read(&world.app, &path).await;
        let again = world.change(&world.app, &path, read[name].clone()).await;
        assert_eq!(again, read, "{path}");
    }
    // The webhook's address does not exist.
    world.end_with_dead_letters().await;
}
