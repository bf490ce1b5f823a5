//! Reading request bodies: JSON of bounded depth, errors that name the field and never repeat what was sent.
//!
//! Some writers cut texts inside a character, or put a mark before the first one. Neither is a reason to refuse the rest.

use std::borrow::Cow;

use serde::de::DeserializeOwned;
use serde::{Deserialize, Deserializer};
use serde_json::Value;

use crate::model::ApiError;

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
    for name in KEPT {
        if let Some(problem) = value.get(name).and_then(unstorable) {
            return Err(ApiError::field(name, problem));
        }
    }
    match misshapen(&value, "") {
        Some(path) => Err(ApiError::field(&path, "must be an object")),
        None => Ok(value),
    }
}

/// Any JSON, with half a surrogate pair taken for a character that cannot be shown.
pub fn value<T: DeserializeOwned>(text: &[u8]) -> Result<T, serde_json::Error> {
    serde_json::from_slice(&mended(text.strip_prefix(BYTE_ORDER_MARK).unwrap_or(text)))
}

const BYTE_ORDER_MARK: &[u8] = b"\xef\xbb\xbf";
/// U+FFFD, as JSON escapes it.
const UNSHOWN: &[u8] = b"\\ufffd";

/// The same text with [`UNSHOWN`] for every escape of half a surrogate pair that stands alone.
fn mended(text: &[u8]) -> Cow<'_, [u8]> {
    let mut mended = Cow::Borrowed(text);
    let mut at = 0;
    while let Some(found) = text.get(at..).and_then(|rest| rest.iter().position(|byte| *byte == b'\\')) {
        at += found;
        at += match (escaped_unit(text, at), escaped_unit(text, at + UNSHOWN.len())) {
            (Some(0xD800..0xDC00), Some(0xDC00..0xE000)) => 2 * UNSHOWN.len(),
            (Some(0xD800..0xE000), _) => {
                mended.to_mut()[at..at + UNSHOWN.len()].copy_from_slice(UNSHOWN);
                UNSHOWN.len()
            }
            (Some(_), _) => UNSHOWN.len(),
            // An escape of one character, which may be another backslash.
            (None, _) => 2,
        };
    }
    mended
}

/// The UTF-16 unit that `\uXXXX` stands for, if that is what stands there.
fn escaped_unit(text: &[u8], at: usize) -> Option<u16> {
    let digits = text.get(at..at + UNSHOWN.len())?.strip_prefix(b"\\u")?;
    let digits = std::str::from_utf8(digits).ok().filter(|digits| !digits.starts_with('+'))?;
    u16::from_str_radix(digits, 16).ok()
}

/// Fields that are kept as they come, or hold something that is. Others are of one type each, or let go.
const KEPT: [&str; 8] =
    ["actions", "confirmation", "fields", "items", "message", "metadata", "prechatCapture", "properties"];

/// What the table cannot hold: fields without a name, and numbers beyond its range.
fn unstorable(value: &Value) -> Option<&'static str> {
    const NUMBERS: std::ops::Range<f64> = 1e-120..1e120;
    match value {
        Value::Number(number) => {
            let size = number.as_f64().map_or(f64::INFINITY, f64::abs);
            (size != 0.0 && !NUMBERS.contains(&size)).then_some("must hold numbers between 1e-120 and 1e120 only")
        }
        Value::Array(list) => list.iter().find_map(unstorable),
        Value::Object(map) if map.contains_key("") => Some("must not hold a field with an empty name"),
        Value::Object(map) => map.values().find_map(unstorable),
        Value::Null | Value::Bool(_) | Value::String(_) => None,
    }
}

/// Reads a value whose shape [`object`] has checked.
pub fn read<T: DeserializeOwned>(value: Value) -> Result<T, ApiError> {
    serde_path_to_error::deserialize(value)
        .map_err(|error| ApiError::field(&error.path().to_string(), mistyped(error.inner())))
}

/// What an update says of a field: nothing, that it goes, or what it becomes.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub enum Change<T> {
    #[default]
    Keep,
    Unset,
    Set(T),
}

impl<T> Change<T> {
    /// What the field becomes.
    pub fn apply(self, old: Option<T>) -> Option<T> {
        match self {
            Self::Keep => old,
            Self::Unset => None,
            Self::Set(new) => Some(new),
        }
    }

    /// For fields that cannot be unset: `null` is said to be wrong.
    pub fn required(self, field: &str, old: T) -> Result<T, ApiError> {
        match self {
            Self::Keep => Ok(old),
            Self::Unset => Err(ApiError::field(field, "must not be null")),
            Self::Set(new) => Ok(new),
        }
    }

    /// The new value, if there is one; for fields that cannot be unset.
    pub fn given(self, field: &str) -> Result<Option<T>, ApiError> {
        match self {
            Self::Keep => Ok(None),
            Self::Unset => Err(ApiError::field(field, "must not be null")),
            Self::Set(new) => Ok(Some(new)),
        }
    }

    /// The new value, checked.
    pub fn check<U>(self, check: impl FnOnce(T) -> Result<U, ApiError>) -> Result<Change<U>, ApiError> {
        match self {
            Self::Keep => Ok(Change::Keep),
            Self::Unset => Ok(Change::Unset),
            Self::Set(new) => check(new).map(Change::Set),
        }
    }
}

impl<'de, T: Deserialize<'de>> Deserialize<'de> for Change<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Ok(Option::deserialize(deserializer)?.map_or(Self::Unset, Self::Set))
    }
}

/// Fields that hold an object, or a list of objects. Said here, since serde would take a list for an object.
const OBJECTS: [&str; 13] = [
    "destination",
    "author",
    "message",
    "coordinates",
    "location",
    "displaySettings",
    "confirmation",
    "menu",
    "settings",
    "surviving",
    "discarded",
    "profile",
    "prechatCapture",
];
const OBJECT_LISTS: [&str; 2] = ["items", "actions"];

/// The path of the first value that should be an object and is not.
fn misshapen(value: &Value, path: &str) -> Option<String> {
    value.as_object()?.iter().filter(|(_, field)| !field.is_null()).find_map(|(name, field)| {
        let path = if path.is_empty() { name.clone() } else { format!("{path}.{name}") };
        match field.as_array() {
            _ if OBJECTS.contains(&name.as_str()) && !field.is_object() => Some(path),
            _ if OBJECTS.contains(&name.as_str()) => misshapen(field, &path),
            Some(list) if OBJECT_LISTS.contains(&name.as_str()) => {
                list.iter().enumerate().find_map(|(index, entry)| {
                    let path = format!("{path}[{index}]");
                    if entry.is_object() { misshapen(entry, &path) } else { Some(path) }
                })
            }
            _ => None,
        }
    })
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

fn mistyped(error: &serde_json::Error) -> String {
    let text = error.to_string();
    match text.split_once("expected ") {
        Some((_, expected)) => {
            format!("has the wrong type, expected {}", expected.split(" at line").next().unwrap_or(expected))
        }
        None => "has the wrong type".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

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
    fn half_a_character_is_one_that_cannot_be_shown_and_a_whole_one_stays() {
        let read = |text: &str| value::<Value>(format!("\u{feff}{text}").as_bytes()).unwrap();
        for (text, expected) in [
            (r#""caf\ud83d""#, "caf\u{fffd}"),
            (r#""\udc00x""#, "\u{fffd}x"),
            (r#""\ud83d\ud83c\udf75""#, "\u{fffd}\u{1f375}"),
            (r#""\uD83D\n\uDE00""#, "\u{fffd}\n\u{fffd}"),
            (r#""\\ud83d \\\ud83d""#, "\\ud83d \\\u{fffd}"),
            (r#""\u00e9""#, "é"),
        ] {
            assert_eq!(read(text), expected, "{text}");
        }
        assert_eq!(read(r#"{"\ud83d":["\udfff"]}"#), json!({ "\u{fffd}": ["\u{fffd}"] }));
        for broken in [r#""\ud83""#, r#""\ud83"#, r#""\u"#, "\"\\", r#""\u+123""#] {
            assert!(value::<Value>(broken.as_bytes()).is_err(), "{broken}");
        }
    }

    #[test]
    fn what_the_table_cannot_hold_is_refused() {
        for value in ["1e200", "[1e-200]", r#"{"":1}"#, r#"[{"a":{"":1}}]"#] {
            let body = format!(r#"{{"metadata":{value}}}"#);
            assert!(object(body.as_bytes()).unwrap_err().description.starts_with("metadata must"), "{body}");
            let body = format!(r#"{{"unknown":{value},"":1}}"#);
            assert!(object(body.as_bytes()).is_ok(), "{body}: what is let go may be anything");
        }
        assert!(object(br#"{"metadata":{"a":0.0,"b":-7,"c":1e100}}"#).is_ok());
    }

    #[test]
    fn an_update_tells_null_from_nothing() {
        #[derive(Deserialize)]
        struct Update {
            #[serde(default)]
            a: Change<String>,
            #[serde(default)]
            b: Change<String>,
            #[serde(default)]
            c: Change<String>,
        }
        let update: Update = read(json!({ "a": null, "b": "x" })).unwrap();
        assert_eq!((update.a, update.b, update.c), (Change::Unset, Change::Set("x".into()), Change::Keep));
    }

    #[test]
    fn a_list_where_an_object_belongs_is_named() {
        let error = object(br#"{"message":{"items":[["Tea"]]}}"#).unwrap_err();
        assert_eq!(error.description, "message.items[0] must be an object");
    }
}
