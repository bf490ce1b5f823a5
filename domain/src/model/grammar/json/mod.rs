//! Reading request bodies: JSON of bounded depth, errors that name the field and never repeat what was sent.
//!
//! Some writers cut texts inside a character, or put a mark before the first one. Neither is a reason to refuse the rest.

mod given;
mod surrogates;

use serde::de::DeserializeOwned;
use serde_json::Value;

use crate::model::ApiError;
use given::Given;

/// Objects and lists within each other. v1.1's deepest body, a submenu's items, has seven.
const DEPTH_LIMIT: usize = 16;

/// Reads a body that must be a JSON object.
///
/// # Errors
/// 400 that names the field.
pub fn parse<T: DeserializeOwned>(body: &[u8]) -> Result<T, ApiError> {
    read(object(body)?)
}

/// The body as an object, its depth checked.
pub fn object(body: &[u8]) -> Result<Value, ApiError> {
    let value: Value =
        value(body).map_err(|error| ApiError::field("body", format!("must be JSON: {}", problem(&error))))?;
    if !value.is_object() {
        return Err(ApiError::field("body", "must be a JSON object"));
    }
    if depth(&value) > DEPTH_LIMIT {
        return Err(ApiError::field("body", format!("must not be nested deeper than {DEPTH_LIMIT} levels")));
    }
    Ok(value)
}

/// Any JSON, with half a surrogate pair taken for a character that cannot be shown.
pub fn value<T: DeserializeOwned>(text: &[u8]) -> Result<T, serde_json::Error> {
    serde_json::from_slice(&surrogates::mended(text.strip_prefix(BYTE_ORDER_MARK).unwrap_or(text)))
}

const BYTE_ORDER_MARK: &[u8] = b"\xef\xbb\xbf";
/// Reads a body, or what it holds.
pub fn read<T: DeserializeOwned>(value: Value) -> Result<T, ApiError> {
    serde_path_to_error::deserialize(Given(value))
        .map_err(|error| ApiError::field(&error.path().to_string(), error.inner()))
}

fn depth(value: &Value) -> usize {
    match value {
        Value::Array(list) => 1 + list.iter().map(depth).max().unwrap_or(0),
        Value::Object(map) => 1 + map.values().map(depth).max().unwrap_or(0),
        _ => 0,
    }
}

/// serde_json's words without the caller's own data, which an error must not repeat.
fn problem(error: &serde_json::Error) -> String {
    match error.classify() {
        serde_json::error::Category::Eof => {
            format!("it ends early, at line {} column {}", error.line(), error.column())
        }
        _ => format!("line {} column {}", error.line(), error.column()),
    }
}

#[cfg(test)]
mod tests {
    use serde::Deserialize;
    use serde_json::json;

    use super::*;

    #[test]
    fn deep_bodies_are_refused_and_not_followed() {
        let nested = |levels: usize| format!("{{\"a\":{}{}}}", "[".repeat(levels), "]".repeat(levels));
        assert!(object(nested(15).as_bytes()).is_ok());
        for levels in [16, 100, 100_000] {
            let error = object(nested(levels).as_bytes()).unwrap_err();
            assert!(error.description.starts_with("body must"), "{}", error.description);
        }
    }

    #[test]
    fn a_list_where_an_object_belongs_is_named() {
        #[derive(Debug, Deserialize)]
        struct Body {
            _items: Option<Vec<Item>>,
            #[serde(rename = "metadata")]
            _metadata: Option<serde_json::Map<String, Value>>,
        }
        #[derive(Debug, Deserialize)]
        struct Item {
            #[serde(rename = "title")]
            _title: Option<String>,
        }
        let refusal = |body: Value| read::<Body>(body).unwrap_err().description;
        assert_eq!(refusal(json!({ "_items": [{}, ["Tea"]] })), "_items[1] must be an object");
        assert_eq!(refusal(json!({ "_items": ["Tea"] })), "_items[0] must be an object");
        assert_eq!(refusal(json!({ "metadata": ["Tea"] })), "metadata must be an object");
        assert_eq!(
            refusal(json!({ "_items": [{ "title": 5 }] })),
            "_items[0].title has the wrong type, expected a string"
        );
    }
}
