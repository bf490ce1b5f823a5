//! Whether an answer is one that the OpenAPI document describes: its status, and its body by the schema. And whether an
//! event is, by its trigger.
//!
//! Every answer that a test gets of the API goes through [`check`], every event that a sink got through
//! [`check_event`]. They say nothing about requests.

use std::collections::BTreeMap;
use std::sync::LazyLock;

use jsonschema::{Registry, Validator};
use serde_json::{Value, json};
use shared::api::Operation;
use shared::api::matching::{self, NoRoute};
use shared::api::path;
use shared::model::ErrorCode;

/// The document as it is served.
pub static DOCUMENT: LazyLock<Value> =
    LazyLock::new(|| serde_json::from_str(include_str!(concat!(env!("OUT_DIR"), "/openapi.json"))).unwrap());

const METHODS: [&str; 4] = ["get", "post", "put", "delete"];
const ERROR: &str = "#/components/schemas/Error";

/// The document under a name, so that validators share it: each with a copy of its own took seconds.
static REGISTRY: LazyLock<Registry<'static>> =
    LazyLock::new(|| Registry::new().add(NAME, &*DOCUMENT).unwrap().prepare().unwrap());
const NAME: &str = "urn:heliograph:api";

/// A validator for each component schema that an answer has.
static VALIDATORS: LazyLock<BTreeMap<String, Validator>> = LazyLock::new(|| {
    let answers =
        operations(&DOCUMENT).flat_map(|(.., operation)| operation["responses"].as_object().unwrap().values());
    let schemas = answers.filter_map(|answer| schema(answer).map(str::to_owned));
    schemas.map(|schema| (validator(&schema), schema)).map(|(validator, schema)| (schema, validator)).collect()
});

/// A validator for each trigger.
static EVENTS: LazyLock<BTreeMap<String, Validator>> = LazyLock::new(|| {
    let webhooks = DOCUMENT["webhooks"].as_object().unwrap().iter();
    let schema = |item: &Value| {
        let body = &item["post"]["requestBody"]["content"]["application/json"];
        validator(body["schema"]["$ref"].as_str().unwrap())
    };
    webhooks.map(|(trigger, item)| (trigger.clone(), schema(item))).collect()
});

pub fn validator(schema: &str) -> Validator {
    let schema = json!({ "$ref": format!("{NAME}{schema}") });
    jsonschema::options().with_registry(&REGISTRY).should_validate_formats(true).build(&schema).unwrap()
}

/// Every operation of a document, with method and path.
pub fn operations(document: &Value) -> impl Iterator<Item = (&str, &str, &Value)> {
    document["paths"].as_object().unwrap().iter().flat_map(|(path, item)| {
        METHODS.into_iter().filter_map(move |method| Some((method, path.as_str(), item.get(method)?)))
    })
}

/// What a reference leads to; anything else is itself.
pub fn resolved<'a>(document: &'a Value, value: &'a Value) -> &'a Value {
    match value["$ref"].as_str() {
        Some(reference) => document.pointer(reference.trim_start_matches('#')).unwrap_or(&Value::Null),
        None => value,
    }
}

/// The name of the schema of an answer's JSON body.
fn schema(answer: &Value) -> Option<&str> {
    resolved(&DOCUMENT, answer)["content"]["application/json"]["schema"]["$ref"].as_str()
}

/// The `operationId` of an operation.
pub fn name(operation: Operation) -> String {
    let name = format!("{operation:?}");
    name[..1].to_lowercase() + &name[1..]
}

/// Panics unless the document describes this answer. What is not of the API is not looked at.
pub fn check(method: &str, path: &str, status: u16, body: &Value) {
    let schema = match route(method, path) {
        _ if is_the_gateways_own(status, body) => return,
        Err(NoRoute::NoPath) => return,
        Err(NoRoute::OtherMethods(_)) if method == "HEAD" => return,
        Err(NoRoute::OtherMethods(allowed)) => {
            assert_eq!(status, 405, "{method} {path} is not served, only {allowed:?}: {body}");
            ERROR
        }
        Ok(operation) => {
            let answer = answer(operation, status);
            let answer = answer.unwrap_or_else(|| panic!("{method} {path}: {status} is not described: {body}"));
            schema(answer).unwrap()
        }
    };
    if schema == ERROR {
        check_code(method, path, status, body["error"]["code"].as_str().unwrap_or_default());
    }
    let problems = problems(&VALIDATORS[schema], body);
    assert!(problems.is_empty(), "{method} {path}: the body of {status} is not a {schema}\n{problems}\n{body:#}");
}

/// The code goes with the status, and what was not found is among the operation's samples.
fn check_code(method: &str, path: &str, status: u16, code: &str) {
    // One that nobody knows is the schema's to tell.
    let Some(known) = ErrorCode::ALL.iter().find(|known| known.as_str() == code) else { return };
    assert_eq!(known.status(), status, "{method} {path}: {code}");
    if let (404, Ok(operation)) = (status, route(method, path))
        && let Some(answer) = answer(operation, status)
    {
        let sampled = samples(answer).any(|sample| sample["error"]["code"] == code);
        // Words behind a name are no path.
        assert!(sampled || code == "not_found", "{method} {path}: no sample of 404 says {code}");
    }
}

/// The samples of an answer's JSON body.
pub fn samples(answer: &Value) -> impl Iterator<Item = &Value> {
    let body = &resolved(&DOCUMENT, answer)["content"]["application/json"];
    let several = body["examples"].as_object().into_iter().flat_map(|samples| samples.values());
    body.get("example").into_iter().chain(several.map(|sample| &sample["value"]))
}

/// Panics unless the document describes this event.
pub fn check_event(body: &Value) {
    let trigger = body["trigger"].as_str().unwrap_or_else(|| panic!("an event without a trigger: {body:#}"));
    let validator = EVENTS.get(trigger).unwrap_or_else(|| panic!("{trigger} is not described: {body:#}"));
    let problems = problems(validator, body);
    assert!(problems.is_empty(), "the document describes another {trigger}\n{problems}\n{body:#}");
}

fn problems(validator: &Validator, body: &Value) -> String {
    let problem =
        |error: jsonschema::ValidationError<'_>| format!("at {:?}: {error}", error.instance_path().to_string());
    validator.iter_errors(body).map(problem).collect::<Vec<_>>().join("\n")
}

fn route(method: &str, path: &str) -> Result<Operation, NoRoute> {
    let words = path.split('?').next().and_then(path::words);
    matching::find(method, &words.unwrap_or_default()).map(|found| found.route.operation)
}

fn answer(operation: Operation, status: u16) -> Option<&'static Value> {
    let name = name(operation);
    let (.., described) = operations(&DOCUMENT).find(|(.., described)| described["operationId"] == *name)?;
    described["responses"].get(status.to_string())
}

/// What API Gateway answers by itself: a function died or took too long, or the request never reached it.
fn is_the_gateways_own(status: u16, body: &Value) -> bool {
    let names: Vec<_> = body.as_object().into_iter().flat_map(|body| body.keys()).collect();
    names == ["message"] && [413, 500, 503, 504].contains(&status)
}

#[test]
fn an_answer_that_is_described_passes() {
    let id = "64c0ffee0123456789abcdef";
    let accepted = json!({ "notification": { "_id": "9ac8b636-9366-4a3e-89f5-90a143298b76" } });
    check("POST", &format!("/v1.1/apps/{id}/notifications"), 201, &accepted);
    check("POST", "/V1/Notifications?x=1", 201, &accepted);
    check("DELETE", "/v1.1/appusers/team%2Fblue/messages", 200, &json!({}));
    check("PATCH", "/v1.1/apps", 405, &json!({ "error": { "code": "method_not_allowed", "description": "No" } }));
    check("GET", "/_local/outbox", 418, &json!("whatever"));
}

#[test]
fn an_answer_that_is_not_described_is_told() {
    let told = |method: &'static str, path: &'static str, status: u16, body: Value| {
        let panic = std::panic::catch_unwind(|| check(method, path, status, &body)).unwrap_err();
        panic.downcast_ref::<String>().cloned().unwrap_or_default()
    };
    let error = |code: &str| json!({ "error": { "code": code, "description": "No" } });
    assert!(told("POST", "/v1.1/notifications", 418, json!({})).contains("418 is not described"));
    assert!(told("POST", "/v1.1/notifications", 201, json!({})).contains("\"notification\" is a required property"));
    assert!(told("GET", "/v1.1/appusers/bob", 404, error("no_such_code")).contains("/error/code"));
    assert!(told("DELETE", "/v1.1/appusers/bob", 200, json!({ "brandNew": 1 })).contains("brandNew"));
    assert!(told("PATCH", "/v1.1/apps", 400, error("bad_request")).contains("is not served"));
}
