//! YAML with CloudFormation's short tags (`!Ref x`) to JSON with their long form (`{"Ref": "x"}`). Knows no meaning.

use serde_json::{Map, Value, json};
use serde_norway::Value as Yaml;

/// Reads a template's text.
///
/// # Errors
/// One sentence with the line, if it isn't YAML or holds something JSON can't say.
pub fn read(text: &str) -> Result<Value, String> {
    let yaml: Yaml = serde_norway::from_str(text).map_err(|e| e.to_string())?;
    to_json(yaml)
}

fn to_json(yaml: Yaml) -> Result<Value, String> {
    Ok(match yaml {
        Yaml::Null => Value::Null,
        Yaml::Bool(b) => Value::Bool(b),
        Yaml::Number(n) => number(&n)?,
        Yaml::String(s) => Value::String(s),
        Yaml::Sequence(items) => Value::Array(items.into_iter().map(to_json).collect::<Result<_, _>>()?),
        Yaml::Mapping(mapping) => {
            let mut object = Map::new();
            for (key, value) in mapping {
                object.insert(key_text(&key)?, to_json(value)?);
            }
            Value::Object(object)
        }
        Yaml::Tagged(tagged) => {
            let tag = tagged.tag.to_string();
            intrinsic(tag.trim_start_matches('!'), to_json(tagged.value)?)
        }
    })
}

/// `!GetAtt A.B` is the one tag whose argument has a short form of its own.
fn intrinsic(tag: &str, argument: Value) -> Value {
    match (tag, argument) {
        ("Ref" | "Condition", argument) => json!({ tag: argument }),
        ("GetAtt", Value::String(path)) => {
            let (resource, attribute) = path.split_once('.').unwrap_or((&path, ""));
            json!({ "Fn::GetAtt": [resource, attribute] })
        }
        (tag, argument) => json!({ format!("Fn::{tag}"): argument }),
    }
}

fn key_text(key: &Yaml) -> Result<String, String> {
    match key {
        Yaml::String(s) => Ok(s.clone()),
        Yaml::Number(n) => Ok(n.to_string()),
        Yaml::Bool(b) => Ok(b.to_string()),
        other => Err(format!("a key must be text, not {other:?}")),
    }
}

fn number(n: &serde_norway::Number) -> Result<Value, String> {
    if let Some(whole) = n.as_i64() {
        return Ok(whole.into());
    }
    if let Some(whole) = n.as_u64() {
        return Ok(whole.into());
    }
    n.as_f64().and_then(serde_json::Number::from_f64).map(Value::Number).ok_or_else(|| format!("{n} is not a number"))
}
