//! One document from the parts in `openapi/`. A name that two parts give ends the build.

use std::error::Error;
use std::path::{Path, PathBuf};

use serde_json::{Map, Value, json};

const ROOT: &str = "openapi.yaml";
const METHODS: [&str; 4] = ["get", "post", "put", "delete"];

/// The document: the root file, the `paths` and `components` of all others, and each operation's common refusals.
pub fn join(folder: &Path) -> Result<Value, Box<dyn Error>> {
    let mut document = read(&folder.join(ROOT))?;
    let mut parts = parts(folder)?;
    parts.sort();
    for part in parts.into_iter().filter(|part| !part.ends_with(ROOT)) {
        add(&mut document, read(&part)?, 2).map_err(|problem| format!("{}: {problem}", part.display()))?;
    }
    let refusals = (taken(&mut document, "x-refusals")?, taken(&mut document, "x-refusals-of-bodies")?);
    let paths = document.get_mut("paths").and_then(Value::as_object_mut).ok_or("no paths")?;
    for (path, item) in paths.iter_mut().filter(|(path, _)| path.starts_with("/v1.1/")) {
        add_refusals(path, item, &refusals).map_err(|problem| format!("{path}: {problem}"))?;
    }
    Ok(Value::Object(document))
}

fn parts(folder: &Path) -> Result<Vec<PathBuf>, std::io::Error> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(folder)? {
        let path = entry?.path();
        if path.is_dir() {
            found.extend(parts(&path)?);
        } else if path.extension().is_some_and(|extension| extension == "yaml") {
            found.push(path);
        }
    }
    Ok(found)
}

fn read(path: &Path) -> Result<Map<String, Value>, Box<dyn Error>> {
    let text = std::fs::read_to_string(path)?;
    serde_norway::from_str(&text).map_err(|error| format!("{}: {error}", path.display()).into())
}

/// Adds one object's fields to another's, and does so within fields that both have, down to a depth.
fn add(to: &mut Map<String, Value>, from: Map<String, Value>, depth: usize) -> Result<(), String> {
    for (name, value) in from {
        match (to.get_mut(&name), value) {
            (None, value) => {
                to.insert(name, value);
            }
            (Some(Value::Object(known)), Value::Object(more)) if depth > 0 => add(known, more, depth - 1)?,
            (Some(_), _) => return Err(format!("{name} stands elsewhere already")),
        }
    }
    Ok(())
}

fn taken(document: &mut Map<String, Value>, name: &str) -> Result<Map<String, Value>, String> {
    match document.shift_remove(name) {
        Some(Value::Object(refusals)) => Ok(refusals),
        _ => Err(format!("{ROOT} has no {name}")),
    }
}

fn add_refusals(
    path: &str,
    item: &mut Value,
    refusals: &(Map<String, Value>, Map<String, Value>),
) -> Result<(), String> {
    for method in METHODS {
        let Some(operation) = item.get_mut(method).and_then(Value::as_object_mut) else { continue };
        let takes_body = operation.contains_key("requestBody");
        let besides = operation.shift_remove("x-not-found");
        let responses = operation.get_mut("responses").and_then(Value::as_object_mut);
        let responses = responses.ok_or(format!("{method} has no responses"))?;
        add(responses, refusals.0.clone(), 0)?;
        if takes_body {
            add(responses, refusals.1.clone(), 0)?;
        }
        responses.insert("404".into(), not_found(path, besides.as_ref()));
    }
    Ok(())
}

/// With a sample for each thing that an operation may not find.
fn not_found(path: &str, besides: Option<&Value>) -> Value {
    let named = path.split('{').skip(1).filter_map(|rest| match rest.split('}').next()? {
        "appId" => Some("app_not_found"),
        "userId" => Some("user_not_found"),
        "keyId" => Some("key_not_found"),
        "serviceAccountId" => Some("service_account_not_found"),
        "integrationId" => Some("integration_not_found"),
        "webhookId" => Some("webhook_not_found"),
        "templateId" => Some("template_not_found"),
        "messageId" => Some("message_not_found"),
        _ => None,
    });
    let besides = besides.and_then(Value::as_array).into_iter().flatten().filter_map(Value::as_str);
    let mut codes: Vec<_> = named.chain(besides).collect();
    if codes.is_empty() {
        codes.push("not_found");
    }
    let sample = |code: &str| json!({ "value": { "error": { "code": code, "description": words(code) } } });
    let samples: Map<String, Value> = codes.into_iter().map(|code| (code.to_owned(), sample(code))).collect();
    json!({
        "description": "What the path or the body names does not exist, or is not the caller's.",
        "content": { "application/json": { "schema": { "$ref": "#/components/schemas/Error" }, "examples": samples } },
    })
}

/// `App not found`, as the API says it.
fn words(code: &str) -> String {
    let words = code.replace('_', " ");
    words[..1].to_uppercase() + &words[1..]
}
