//! Every example of the API's description succeeds as it stands, against the demo app of an engine that was just
//! started: what a newcomer finds filled in at `/docs` is right.

use reqwest::Method;
use serde_json::Value;

use crate::described::{DOCUMENT, operations, resolved, validator};
use crate::forms::{FORM, form};
use crate::world::World;

/// What the examples take the engine's address to be: the one that `cargo run` has.
const ADDRESS: &str = "http://127.0.0.1:3000";

/// The path and what must stand in its query, filled with the parameters' own examples.
fn filled(path: &str, operation: &Value) -> String {
    let lists = [&DOCUMENT["paths"][path]["parameters"], &operation["parameters"]];
    let parameters = lists.into_iter().filter_map(Value::as_array).flatten().map(|entry| resolved(&DOCUMENT, entry));
    let (mut path, mut query) = (path.to_owned(), Vec::new());
    for parameter in parameters {
        let name = parameter["name"].as_str().unwrap();
        let only = &parameter["schema"]["enum"][0];
        let value = parameter["example"].as_str().or(only.as_str());
        match parameter["in"].as_str() {
            Some("path") => {
                let value = value.unwrap_or_else(|| panic!("{path}: {name} has no example"));
                path = path.replace(&format!("{{{name}}}"), value);
            }
            _ if parameter["required"] == true => query.push(format!("{name}={}", value.unwrap())),
            _ => {}
        }
    }
    if query.is_empty() { path } else { format!("{path}?{}", query.join("&")) }
}

#[test]
fn every_json_body_has_an_example_that_fits_its_schema() {
    for (method, path, operation) in operations(&DOCUMENT) {
        let body = &operation["requestBody"]["content"]["application/json"];
        if let Some(schema) = body["schema"]["$ref"].as_str() {
            let problems: Vec<_> =
                validator(schema).iter_errors(&body["example"]).map(|error| error.to_string()).collect();
            assert!(problems.is_empty(), "{method} {path}: {problems:?}");
        }
    }
}

#[tokio::test]
async fn every_example_succeeds_as_it_stands() {
    let world = World::new().await;
    world.show_examples().await;
    let mut sent = 0;
    for (method, path, operation) in
        operations(&DOCUMENT).filter(|(.., operation)| operation["requestBody"].is_object())
    {
        let callers = operation["security"][0]["basic"].as_array().unwrap();
        let (key, secret) = if callers.contains(&"app".into()) { world.app.key() } else { world.app.account_key() };
        let request =
            world.http(Method::from_bytes(method.to_uppercase().as_bytes()).unwrap(), &filled(path, operation));
        let request = request.basic_auth(key, Some(secret));
        let content = &operation["requestBody"]["content"];
        let request = match content["application/json"].get("example") {
            Some(example) => request
                .header("content-type", "application/json")
                .body(example.to_string().replace(ADDRESS, world.url())),
            None => {
                let example = content["multipart/form-data"]["example"].as_object().cloned().unwrap_or_default();
                let fields: Vec<_> =
                    example.iter().map(|(name, value)| (name.as_str(), value.as_str().unwrap())).collect();
                request.header("content-type", FORM).body(form(&fields, "tea.png", "image/png", b"a picture"))
            }
        };
        let answer = world.request(request).await;
        assert!((200..300).contains(&answer.status), "{method} {path}: {} {}", answer.status, answer.body);
        sent += 1;
    }
    assert!(sent >= 28, "{sent}");
    world.end().await;
}
