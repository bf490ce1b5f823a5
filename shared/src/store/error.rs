//! What the table may answer instead of what was asked.

use aws_sdk_dynamodb::error::{ProvideErrorMetadata, SdkError};

use super::table::keys::Key;
use crate::http::Cause;

#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    #[error("DynamoDB {operation} failed: {code}")]
    Aws { operation: &'static str, code: String },
    /// `what`: the kind of the item, as its key says it.
    #[error("an item of kind {what} cannot be read")]
    Unreadable { what: String, source: Misfit },
    #[error("an item of kind {what} cannot be written")]
    Unwritable { what: String, source: Misfit },
    #[error("it has no place in the table")]
    Placeless,
    #[error(transparent)]
    Sealing(#[from] crate::secrets::SealingError),
    #[error("other writers kept changing the same item")]
    Contended,
}

/// Why an item and a type do not fit, without a word of what the item holds.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct Misfit(String);

/// What DynamoDB says of a request that it will refuse whenever it is made.
const REFUSED_FOR_GOOD: [&str; 3] = ["ValidationException", "AccessDeniedException", "ResourceNotFoundException"];

/// What serde_dynamo says of an attribute of another kind.
const WANTED: [&str; 6] =
    ["Expected string", "Expected num", "Expected bool", "Expected map", "Expected seq", "Expected binary data"];

impl StoreError {
    /// Whether the same request may go through a moment later. It may also have been made.
    pub(in crate::store) fn may_pass(&self) -> bool {
        matches!(self, Self::Aws { code, .. } if !REFUSED_FOR_GOOD.contains(&code.as_str()))
    }

    pub(in crate::store) fn unreadable(key: Option<&Key>, cause: &impl std::error::Error) -> Self {
        Self::Unreadable { what: kind(key), source: Misfit::of(cause) }
    }

    pub(in crate::store) fn unwritable(key: &Key, cause: &impl std::error::Error) -> Self {
        Self::Unwritable { what: kind(Some(key)), source: Misfit::of(cause) }
    }
}

fn kind(key: Option<&Key>) -> String {
    key.map_or("unknown", Key::kind).to_owned()
}

impl Misfit {
    /// serde says what it found and what it expected, and quotes the former: what begins with a quotation mark is left
    /// out, and so is what anybody else says.
    pub fn of(cause: &impl std::error::Error) -> Self {
        let said = cause.to_string();
        let names_a_field = ["missing field", "duplicate field"].iter().any(|start| said.starts_with(start));
        let names_a_form = WANTED.contains(&said.as_str());
        let finds = ["invalid type: ", "invalid value: ", "unknown variant ", "invalid length "];
        Self(match said.rsplit_once(", expected ") {
            _ if names_a_field || names_a_form => said,
            Some((found, expected)) if finds.iter().any(|start| found.starts_with(start)) => {
                let found = found.split(['`', '"', '(']).next().unwrap_or_default().trim_end();
                format!("{found}, expected {expected}")
            }
            _ => "it has another form".to_owned(),
        })
    }
}

/// Keeps the service's code and drops its message, which may repeat keys.
pub(in crate::store) fn aws_error<E, R>(operation: &'static str) -> impl Fn(SdkError<E, R>) -> StoreError
where
    E: ProvideErrorMetadata,
{
    move |error| StoreError::Aws { operation, code: error_code(&error) }
}

pub(crate) fn error_code<E: ProvideErrorMetadata, R>(error: &SdkError<E, R>) -> String {
    match error {
        SdkError::TimeoutError(_) => "time-out".to_owned(),
        SdkError::DispatchFailure(failure) => {
            let cause = failure.as_connector_error().and_then(|error| Cause::of(error));
            cause.map_or_else(|| "no connection".to_owned(), |cause| format!("no connection: {cause}"))
        }
        error => error.code().unwrap_or("unknown").to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::table;
    use serde::Deserialize;
    use serde_json::{Value, json};

    #[derive(Debug, Deserialize)]
    #[allow(dead_code)]
    struct Item {
        state: State,
        count: u8,
        name: Option<String>,
        seen: Option<std::net::IpAddr>,
    }

    #[derive(Debug, Deserialize)]
    #[serde(rename_all = "camelCase")]
    enum State {
        Sent,
    }

    fn misfit(item: Value) -> String {
        let item: table::Item = serde_dynamo::to_item(item).unwrap();
        Misfit::of(&serde_dynamo::from_item::<_, Item>(item).unwrap_err()).to_string()
    }

    #[test]
    fn a_misfit_names_the_field_and_the_form_and_never_what_is_there() {
        assert_eq!(misfit(json!({ "state": "sent" })), "missing field `count`");
        assert_eq!(misfit(json!({ "state": "+14165550142", "count": 1 })), "unknown variant, expected `sent`");
        assert_eq!(misfit(json!({ "state": "sent", "count": "+1416, expected" })), "Expected num");
        assert_eq!(misfit(json!({ "state": "sent", "count": 1416 })), "it has another form");
        let name = misfit(json!({ "state": "sent", "count": 1, "name": { "a": "+14165550142" } }));
        assert!(!name.contains("1416"), "{name}");
        let seen = misfit(json!({ "state": "sent", "count": 1, "seen": "+14165550142" }));
        assert!(!seen.contains("1416"), "{seen}");
        let json = serde_json::from_str::<Item>(r#"{"state": "sent", "count": "+14165550142"}"#).unwrap_err();
        assert!(Misfit::of(&json).to_string().starts_with("invalid type: string, expected u8 at line 1"), "{json}");
    }
}
