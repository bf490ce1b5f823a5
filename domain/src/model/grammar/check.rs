//! Checks that many bodies share. Errors are 400s that name the field and the fix.

use serde_json::{Map, Value};

use crate::model::Metadata;
use crate::model::{ApiError, Change, Secret, uri};

const URL_LIMIT: usize = 2048;
const METADATA_LIMIT: usize = 4096;
const SECRET_LIMIT: usize = 8192;

/// Not blank, and not longer than so many characters.
pub fn text(path: &str, text: String, limit: usize) -> Result<String, ApiError> {
    match text.chars().count() {
        _ if text.trim().is_empty() => Err(ApiError::field(path, "must not be empty")),
        length if length > limit => {
            Err(ApiError::field(path, format!("must have at most {limit} characters, not {length}")))
        }
        _ => Ok(text),
    }
}

/// Not longer than so many characters, and perhaps empty.
pub fn within(path: &str, text: String, limit: usize) -> Result<String, ApiError> {
    if text.chars().count() > limit {
        return Err(ApiError::field(path, format!("must have at most {limit} characters")));
    }
    Ok(text)
}

/// As [`text`], where a blank one counts as none.
pub fn optional_text(path: &str, value: Option<String>, limit: usize) -> Result<Option<String>, ApiError> {
    given(value).map(|value| text(path, value, limit)).transpose()
}

/// A text that says something.
pub fn given(value: Option<String>) -> Option<String> {
    value.filter(|value| !value.trim().is_empty())
}

/// A field that must be there.
pub fn required<T>(path: &str, value: Option<T>) -> Result<T, ApiError> {
    value.ok_or_else(|| ApiError::field(path, "is required"))
}

/// As it is written, without blanks and line breaks around it: what goes out is spelled by [`uri::legal`].
pub fn url(path: &str, text: String) -> Result<String, ApiError> {
    let text = text.trim();
    if uri::is_web(text) && text.chars().count() <= URL_LIMIT {
        Ok(text.to_owned())
    } else {
        Err(ApiError::field(path, format!("must be an http or https URL of at most {URL_LIMIT} characters")))
    }
}

/// Links may also be `tel:`, `mailto:` and the like.
pub fn uri(path: &str, text: String) -> Result<String, ApiError> {
    let text = text.trim();
    if text.chars().count() <= URL_LIMIT && url::Url::parse(text).is_ok() {
        Ok(text.to_owned())
    } else {
        Err(ApiError::field(path, format!("must be an absolute URI of at most {URL_LIMIT} characters")))
    }
}

/// Flat, and not larger than 4 kB (docs/REFERENCE.md, 3).
pub fn metadata(path: &str, metadata: Map<String, Value>) -> Result<Metadata, ApiError> {
    flat(path, &metadata)?;
    let size = serde_json::to_vec(&metadata).map_or(usize::MAX, |bytes| bytes.len());
    if size > METADATA_LIMIT {
        return Err(ApiError::field(path, format!("is limited to {METADATA_LIMIT} bytes in size")));
    }
    Ok(metadata)
}

/// Texts, numbers and booleans only. What the field is called is the caller's data, and stays out of the error.
pub fn flat(path: &str, map: &Map<String, Value>) -> Result<(), ApiError> {
    storable(path, map)?;
    if map.values().any(|value| value.is_object() || value.is_array() || value.is_null()) {
        return Err(ApiError::field(path, "must hold strings, numbers and booleans only"));
    }
    Ok(())
}

/// What is kept as it came must be what the table can hold: no fields without a name, and no numbers beyond its range.
pub fn storable(path: &str, map: &Map<String, Value>) -> Result<(), ApiError> {
    unstorable_map(map).map_or(Ok(()), |problem| Err(ApiError::field(path, problem)))
}

fn unstorable_map(map: &Map<String, Value>) -> Option<&'static str> {
    let nameless = map.contains_key("").then_some("must not hold a field with an empty name");
    nameless.or_else(|| map.values().find_map(unstorable))
}

fn unstorable(value: &Value) -> Option<&'static str> {
    const NUMBERS: std::ops::Range<f64> = 1e-120..1e120;
    match value {
        Value::Number(number) => {
            let size = number.as_f64().map_or(f64::INFINITY, f64::abs);
            (size != 0.0 && !NUMBERS.contains(&size)).then_some("must hold numbers between 1e-120 and 1e120 only")
        }
        Value::Array(list) => list.iter().find_map(unstorable),
        Value::Object(map) => unstorable_map(map),
        Value::Null | Value::Bool(_) | Value::String(_) => None,
    }
}

/// A credential: sealed when it is stored, and never shown.
pub fn secret(path: &str, credential: String) -> Result<Secret, ApiError> {
    text(path, credential, SECRET_LIMIT).map(Secret::new)
}

/// What a field is after a change: needed when something is created, kept when it is not spoken of later.
pub fn needed<T>(path: &str, change: Change<T>, old: Option<T>) -> Result<T, ApiError> {
    match change {
        Change::Set(new) => Ok(new),
        Change::Unset => Err(ApiError::field(path, "must not be null")),
        Change::Keep => required(path, old),
    }
}

/// What says who or what an integration is: given once, and at most repeated later.
pub fn lasting<T: PartialEq>(path: &str, given: T, old: Option<&T>) -> Result<T, ApiError> {
    match old {
        Some(old) if *old != given => Err(ApiError::field(path, "cannot be changed; make another integration")),
        _ => Ok(given),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_the_table_cannot_hold_is_refused() {
        let map = |json: &str| serde_json::from_str::<Map<String, Value>>(json).unwrap();
        for json in [r#"{"a":1e200}"#, r#"{"a":[1e-200]}"#, r#"{"":1}"#, r#"{"a":[{"b":{"":1}}]}"#] {
            assert!(storable("fields", &map(json)).unwrap_err().description.starts_with("fields must"), "{json}");
        }
        assert_eq!(storable("metadata", &map(r#"{"a":0.0,"b":-7,"c":1e100}"#)), Ok(()));
    }
}
