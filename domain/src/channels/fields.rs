//! Names and values, as carriers post them: from a query, a form, or a flat JSON object.
//!
//! Reading never fails but for JSON that is none; what a missing field means is for the channel to say.

use serde_json::Value;

use super::{Callback, Malformed};
use crate::model::json;

/// In the order they came. A name may come more than once.
#[derive(Debug, Clone, Default, PartialEq)]
pub(in crate::channels) struct Fields(Vec<(String, String)>);

impl Fields {
    /// What the callback says: its body, or its query when there is no body.
    pub fn of(callback: &Callback) -> Result<Self, Malformed> {
        if callback.body.is_empty() || callback.method == http::Method::GET {
            Ok(Self::encoded(query(&callback.url).as_bytes()))
        } else if is_json(callback) {
            Self::json(&callback.body)
        } else {
            Ok(Self::encoded(&callback.body))
        }
    }

    /// A query or a form body. Bytes that are no UTF-8 become replacement characters.
    pub fn encoded(bytes: &[u8]) -> Self {
        Self(form_urlencoded::parse(bytes).into_owned().collect())
    }

    /// A JSON object. Numbers and booleans are read as text, a list as its name repeated; deeper things are left out.
    fn json(bytes: &[u8]) -> Result<Self, Malformed> {
        let Ok(Value::Object(object)) = json::value(bytes) else {
            return Err(Malformed("the body is not a JSON object".into()));
        };
        let mut fields = Vec::new();
        for (name, value) in object {
            match value {
                Value::Array(values) => {
                    fields.extend(values.into_iter().filter_map(scalar).map(|value| (name.clone(), value)));
                }
                value => fields.extend(scalar(value).map(|value| (name, value))),
            }
        }
        Ok(Self(fields))
    }

    /// The last value of that name, in whatever case.
    pub fn get(&self, name: &str) -> Option<&str> {
        self.all(name).next_back()
    }

    /// As [`Self::get`]; an empty value counts as missing.
    pub fn filled(&self, name: &str) -> Option<&str> {
        self.get(name).filter(|value| !value.is_empty())
    }

    /// The first of these names that has a value which isn't empty.
    pub fn filled_one_of(&self, names: &[&str]) -> Option<&str> {
        names.iter().find_map(|name| self.filled(name))
    }

    pub fn all<'a>(&'a self, name: &str) -> impl DoubleEndedIterator<Item = &'a str> {
        self.0.iter().filter(move |(given, _)| given.eq_ignore_ascii_case(name)).map(|(_, value)| value.as_str())
    }

    pub fn into_pairs(self) -> Vec<(String, String)> {
        self.0
    }
}

/// What follows the `?`, without a fragment; empty without one.
pub(in crate::channels) fn query(url: &str) -> &str {
    let url = url.split('#').next().unwrap_or(url);
    url.split_once('?').map_or("", |(_, query)| query)
}

fn is_json(callback: &Callback) -> bool {
    callback
        .headers
        .get(http::header::CONTENT_TYPE)
        .and_then(|value| value.to_str().ok())
        .is_some_and(|value| value.trim_start().to_ascii_lowercase().starts_with("application/json"))
}

fn scalar(value: Value) -> Option<String> {
    match value {
        Value::String(text) => Some(text),
        Value::Number(number) => Some(number.to_string()),
        Value::Bool(truth) => Some(truth.to_string()),
        Value::Null | Value::Array(_) | Value::Object(_) => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn half_a_character_loses_no_reply() {
        let fields = Fields::json(br#"{"body":"caf\ud83d","originator":31612345678}"#).unwrap();
        assert_eq!((fields.get("body"), fields.get("originator")), (Some("caf\u{fffd}"), Some("31612345678")));
    }
}
