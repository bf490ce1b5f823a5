//! Apple's push notifications: `ios`, and `apn`, as it was called first.

use base64::Engine;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

use super::view::present;
use crate::model::{ApiError, Change, Secret, check};

const CERTIFICATE_LIMIT: usize = 64 * 1024;

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct AppleSettings<S = Secret> {
    /// PKCS #12, in Base64.
    #[serde(rename = "sealedCertificate")]
    pub certificate: S,
    #[serde(rename = "sealedPassword", default = "none", skip_serializing_if = "Option::is_none")]
    pub password: Option<S>,
    pub auto_update_badge: bool,
    /// Whether pushes go to Apple's production service, as they do unless it is said otherwise.
    pub production: bool,
}

fn none<S>() -> Option<S> {
    None
}

impl<S> AppleSettings<S> {
    pub(super) fn with_secrets<T, E>(self, change: impl Fn(S) -> Result<T, E>) -> Result<AppleSettings<T>, E> {
        Ok(AppleSettings {
            certificate: change(self.certificate)?,
            password: self.password.map(&change).transpose()?,
            auto_update_badge: self.auto_update_badge,
            production: self.production,
        })
    }

    pub(super) fn view(&self) -> Map<String, Value> {
        present(json!({ "autoUpdateBadge": self.auto_update_badge, "production": self.production }))
    }
}

#[derive(Deserialize, Default)]
#[serde(rename_all = "camelCase", default)]
pub(super) struct Wire {
    certificate: Change<String>,
    password: Change<String>,
    auto_update_badge: Change<bool>,
    production: Change<bool>,
}

impl Wire {
    pub(super) fn apply(self, old: Option<AppleSettings>) -> Result<AppleSettings, ApiError> {
        let old = old.as_ref();
        let certificate = self.certificate.check(certificate)?;
        let password = self.password.check(|text| check::secret("password", text))?;
        let badge = old.is_some_and(|old| old.auto_update_badge);
        let production = old.is_none_or(|old| old.production);
        Ok(AppleSettings {
            certificate: check::needed("certificate", certificate, old.map(|old| old.certificate.clone()))?,
            password: password.apply(old.and_then(|old| old.password.clone())),
            auto_update_badge: self.auto_update_badge.required("autoUpdateBadge", badge)?,
            production: self.production.required("production", production)?,
        })
    }
}

fn certificate(text: String) -> Result<Secret, ApiError> {
    let is_base64 = base64::engine::general_purpose::STANDARD.decode(text.trim()).is_ok_and(|bytes| !bytes.is_empty());
    if is_base64 && text.len() <= CERTIFICATE_LIMIT {
        Ok(Secret::new(text.trim()))
    } else {
        Err(ApiError::field("certificate", "must be a PKCS #12 file of at most 64 KiB in Base64"))
    }
}
