//! MessageBird: an access key, and a sender.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

use super::view::present;
use crate::model::{Address, ApiError, Change, Secret, check};

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct MessagebirdSettings<S = Secret> {
    #[serde(rename = "sealedAccessKey")]
    pub access_key: S,
    /// Number with country code, or up to 11 letters and digits.
    pub originator: Address,
    /// Signs callbacks. Without one no callback can be verified, and so none is taken.
    #[serde(rename = "sealedSigningKey", default = "none", skip_serializing_if = "Option::is_none")]
    pub signing_key: Option<S>,
    /// v1.1's, shown to whoever sets MessageBird up. Our callbacks are known by their signature instead.
    #[serde(rename = "sealedWebhookSecret", default = "none", skip_serializing_if = "Option::is_none")]
    pub webhook_secret: Option<S>,
}

/// Said by name, since what is derived would ask that `S` has a default too.
fn none<S>() -> Option<S> {
    None
}

impl<S> MessagebirdSettings<S> {
    pub(super) fn with_secrets<T, E>(self, change: impl Fn(S) -> Result<T, E>) -> Result<MessagebirdSettings<T>, E> {
        Ok(MessagebirdSettings {
            access_key: change(self.access_key)?,
            originator: self.originator,
            signing_key: self.signing_key.map(&change).transpose()?,
            webhook_secret: self.webhook_secret.map(&change).transpose()?,
        })
    }
}

impl MessagebirdSettings {
    pub(super) fn view(&self) -> Map<String, Value> {
        present(json!({
            "originator": self.originator,
            "webhookSecret": self.webhook_secret.as_ref().map(Secret::expose),
        }))
    }
}

#[derive(Deserialize, Default)]
#[serde(rename_all = "camelCase", default)]
pub(super) struct Wire {
    access_key: Change<String>,
    originator: Change<String>,
    signing_key: Change<String>,
}

impl Wire {
    pub(super) fn apply(self, old: Option<MessagebirdSettings>) -> Result<MessagebirdSettings, ApiError> {
        let old = old.as_ref();
        let access_key = self.access_key.check(|key| check::secret("accessKey", key))?;
        let originator = self.originator.check(originator)?;
        let originator = check::needed("originator", originator, old.map(|old| old.originator.clone()))?;
        let signing_key = self.signing_key.check(|key| check::secret("signingKey", key))?;
        Ok(MessagebirdSettings {
            access_key: check::needed("accessKey", access_key, old.map(|old| old.access_key.clone()))?,
            originator: check::lasting("originator", originator, old.map(|old| &old.originator))?,
            signing_key: signing_key.apply(old.and_then(|old| old.signing_key.clone())),
            webhook_secret: old.and_then(|old| old.webhook_secret.clone()),
        })
    }
}

/// A number, or MessageBird's alphanumeric sender of at most 11 characters.
fn originator(text: String) -> Result<Address, ApiError> {
    let problem = "must be a number with its country code, or up to 11 letters and digits";
    let number = text.strip_prefix('+').unwrap_or(&text);
    let is_number = (3..=17).contains(&number.len()) && number.bytes().all(|byte| byte.is_ascii_digit());
    let is_name =
        (1..=11).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b' ');
    if !is_number && (!is_name || text.trim().is_empty()) {
        return Err(ApiError::field("originator", problem));
    }
    Address::sender(&text).map_err(|_| ApiError::field("originator", problem))
}
