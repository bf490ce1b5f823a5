//! What an update says of a field.

use serde::{Deserialize, Deserializer};

use crate::model::ApiError;

/// Nothing, that it goes, or what it becomes.
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

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

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
        let update: Update = crate::model::json::read(json!({ "a": null, "b": "x" })).unwrap();
        assert_eq!((update.a, update.b, update.c), (Change::Unset, Change::Set("x".into()), Change::Keep));
    }
}
