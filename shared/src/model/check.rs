//! Rules that fields of several resources share. Every error names the field.

use super::{ApiError, Change};

pub const URL_LIMIT: usize = 2048;

/// A text with something in it, of at most so many characters.
pub fn text(field: &str, text: String, limit: usize) -> Result<String, ApiError> {
    if text.trim().is_empty() {
        return Err(ApiError::field(field, "must not be empty"));
    }
    at_most(field, text, limit)
}

/// A text of at most so many characters, or none at all.
pub fn at_most(field: &str, text: String, limit: usize) -> Result<String, ApiError> {
    if text.chars().count() > limit {
        return Err(ApiError::field(field, format!("must have at most {limit} characters")));
    }
    if text.contains('\0') {
        return Err(ApiError::field(field, "must not hold a null character"));
    }
    Ok(text)
}

pub fn web_url(field: &str, text: String) -> Result<String, ApiError> {
    let is_web = url::Url::parse(&text).is_ok_and(|url| matches!(url.scheme(), "http" | "https") && url.has_host());
    if is_web && text.len() <= URL_LIMIT {
        Ok(text)
    } else {
        Err(ApiError::field(field, format!("must be an http or https URL of at most {URL_LIMIT} characters")))
    }
}

/// What a field is after a change: needed when something is created, kept when it is not spoken of later.
pub fn needed<T>(field: &str, change: Change<T>, old: Option<T>) -> Result<T, ApiError> {
    match change {
        Change::Set(new) => Ok(new),
        Change::Unset => Err(ApiError::field(field, "must not be null")),
        Change::Keep => old.ok_or_else(|| ApiError::field(field, "is required")),
    }
}

/// What says who or what something is: given once, and at most repeated later.
pub fn lasting<T: PartialEq>(field: &str, given: T, old: Option<&T>) -> Result<T, ApiError> {
    match old {
        Some(old) if *old != given => Err(ApiError::field(field, "cannot be changed; make another integration")),
        _ => Ok(given),
    }
}
