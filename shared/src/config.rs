//! Settings from the environment, read once before the first event.
//!
//! Each function asks for what it needs and nothing else; a missing or malformed one stops the start with a sentence
//! that names the variable. `template.yaml` sets them.

use crate::http::ClientError;

#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ConfigError {
    #[error("the environment variable {0} is not set")]
    Missing(&'static str),
    #[error("the environment variable {name} must be {expected}")]
    Malformed { name: &'static str, expected: &'static str },
    #[error("the HTTP client cannot be built")]
    HttpClient,
}

impl From<ClientError> for ConfigError {
    fn from(_: ClientError) -> Self {
        Self::HttpClient
    }
}

pub fn text(name: &'static str) -> Result<String, ConfigError> {
    std::env::var(name).ok().filter(|value| !value.is_empty()).ok_or(ConfigError::Missing(name))
}

pub fn number(name: &'static str) -> Result<u32, ConfigError> {
    text(name)?.parse().map_err(|_| ConfigError::Malformed { name, expected: "a whole number" })
}

/// A base URL, without the slash at its end that somebody will put there.
pub fn base_url(name: &'static str) -> Result<String, ConfigError> {
    let value = text(name)?;
    match url::Url::parse(&value) {
        Ok(url) if matches!(url.scheme(), "http" | "https") => Ok(value.trim_end_matches('/').to_owned()),
        _ => Err(ConfigError::Malformed { name, expected: "an http or https URL" }),
    }
}

/// The same of a variable that may be empty.
pub fn base_url_if_any(name: &'static str) -> Result<Option<String>, ConfigError> {
    match base_url(name) {
        Err(ConfigError::Missing(_)) => Ok(None),
        url => url.map(Some),
    }
}

/// `allow` or `deny`.
pub fn allowed(name: &'static str) -> Result<bool, ConfigError> {
    match text(name)?.as_str() {
        "allow" => Ok(true),
        "deny" => Ok(false),
        _ => Err(ConfigError::Malformed { name, expected: "allow or deny" }),
    }
}
