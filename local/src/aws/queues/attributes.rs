//! Message attributes: their check, which of them a receiver asked for, and the MD5 that SQS states for them.

use std::collections::BTreeMap;

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use md5::{Digest, Md5};
use serde::Deserialize;
use serde_json::Value;

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Attribute {
    data_type: String,
    string_value: Option<String>,
    binary_value: Option<String>,
}

/// Attributes that passed the check.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Checked {
    /// As they were sent.
    pub json: String,
    pub md5: String,
    /// What they count towards the size of the message.
    pub bytes: usize,
}

/// Checks `MessageAttributes`.
///
/// # Errors
/// What is wrong with which attribute.
pub fn check(attributes: &Value) -> Result<Option<Checked>, String> {
    let parsed: BTreeMap<String, Attribute> =
        serde_json::from_value(attributes.clone()).map_err(|e| format!("The message attributes are malformed: {e}"))?;
    if parsed.is_empty() {
        return Ok(None);
    }
    if parsed.len() > 10 {
        return Err("Number of message attributes [more than 10] exceeds the allowed maximum [10].".into());
    }
    let mut digest = Md5::new();
    let mut bytes = 0;
    for (name, attribute) in &parsed {
        let (transport, value) = match attribute.data_type.split('.').next() {
            Some("String" | "Number") => (1, attribute.string_value.clone().map(String::into_bytes)),
            Some("Binary") => (2, attribute.binary_value.as_ref().and_then(|v| BASE64_STANDARD.decode(v).ok())),
            _ => return Err(format!("The type of message (user) attribute '{name}' is invalid.")),
        };
        let value = value
            .filter(|value| !value.is_empty())
            .ok_or_else(|| format!("The message attribute '{name}' must contain a non-empty value of its type."))?;
        bytes += name.len() + attribute.data_type.len() + value.len();
        for part in [name.as_bytes(), attribute.data_type.as_bytes()] {
            update(&mut digest, part);
        }
        digest.update([transport]);
        update(&mut digest, &value);
    }
    Ok(Some(Checked { json: attributes.to_string(), md5: hex::encode(digest.finalize()), bytes }))
}

fn update(digest: &mut Md5, part: &[u8]) {
    digest.update(u32::try_from(part.len()).unwrap_or(u32::MAX).to_be_bytes());
    digest.update(part);
}

/// Those of the stored attributes that `MessageAttributeNames` asks for: names, `prefix.*`, `.*` or `All`.
pub fn wanted(stored: &str, names: &[String]) -> Option<Value> {
    let asked = |name: &str| {
        names.iter().any(|n| n == name || n == "All" || n.strip_suffix(".*").is_some_and(|p| name.starts_with(p)))
    };
    let Ok(Value::Object(mut attributes)) = serde_json::from_str(stored) else { return None };
    attributes.retain(|name, _| asked(name));
    (!attributes.is_empty()).then_some(Value::Object(attributes))
}

/// The MD5 of a body, in hexadecimal.
pub fn md5_of(body: &str) -> String {
    hex::encode(Md5::digest(body.as_bytes()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    /// Vectors from the test suites of the AWS SDKs, which check these sums.
    #[test]
    fn md5_is_that_of_sqs() {
        assert_eq!(md5_of("hello"), "5d41402abc4b2a76b9719d911017c592");
        let one = json!({ "timestamp": { "DataType": "Number", "StringValue": "1493147359900" } });
        let checked = check(&one).expect("fine").expect("some");
        assert_eq!(checked.md5, "235c5c510d26fb653d073faed50ae77c");
    }

    #[test]
    fn attributes_come_only_when_asked_for() {
        let stored = json!({ "trace.id": { "DataType": "String", "StringValue": "1" }, "x": {} }).to_string();
        let names = |names: &[&str]| names.iter().map(|n| (*n).to_owned()).collect::<Vec<_>>();
        assert_eq!(wanted(&stored, &names(&[])), None);
        assert_eq!(wanted(&stored, &names(&["trace.*"])).and_then(|v| v.as_object().map(|o| o.len())), Some(1));
        assert_eq!(wanted(&stored, &names(&["All"])).and_then(|v| v.as_object().map(|o| o.len())), Some(2));
    }

    #[test]
    fn malformed_attributes_are_refused() {
        for bad in [
            json!({ "a": { "DataType": "Colour", "StringValue": "red" } }),
            json!({ "a": { "DataType": "String" } }),
            json!({ "a": { "DataType": "String", "StringValue": "" } }),
            json!({ "a": 1 }),
        ] {
            assert!(check(&bad).is_err(), "{bad}");
        }
    }
}
