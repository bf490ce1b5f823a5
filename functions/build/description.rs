//! One document from the parts in `openapi/`. A name that two parts give ends the build.

use std::error::Error;
use std::path::{Path, PathBuf};

use serde_json::{Map, Value};

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
        add_refusals(item, &refusals).map_err(|problem| format!("{path}: {problem}"))?;
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

fn add_refusals(item: &mut Value, refusals: &(Map<String, Value>, Map<String, Value>)) -> Result<(), String> {
    for method in METHODS {
        let Some(operation) = item.get_mut(method) else { continue };
        let takes_body = operation.get("requestBody").is_some();
        let responses = operation.get_mut("responses").and_then(Value::as_object_mut);
        let responses = responses.ok_or(format!("{method} has no responses"))?;
        add(responses, refusals.0.clone(), 0)?;
        if takes_body {
            add(responses, refusals.1.clone(), 0)?;
        }
    }
    Ok(())
}
