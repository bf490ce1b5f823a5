//! WhatsApp: a deployment as v1.1 has it, or a number of Meta's Cloud API.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

use super::profile::BusinessProfile;
use super::view::present;
use crate::model::{Address, ApiError, Change, Secret, check};

const ID_LIMIT: usize = 64;
const NAME_LIMIT: usize = 128;
const LANGUAGE_LIMIT: usize = 16;
const DEFAULT_LANGUAGE: &str = "en_US";

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct WhatsappSettings<S = Secret> {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub deployment_id: Option<String>,
    /// With user name and password: a client of one's own, as v1.1 had it before deployments.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub base_url: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub username: Option<String>,
    #[serde(rename = "sealedPassword", default = "none", skip_serializing_if = "Option::is_none")]
    pub password: Option<S>,
    /// With an access token: Meta's Cloud API.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub phone_number_id: Option<String>,
    #[serde(rename = "sealedAccessToken", default = "none", skip_serializing_if = "Option::is_none")]
    pub access_token: Option<S>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub phone_number: Option<Address>,
    /// The WhatsApp business account: with its token, templates are shown as people see them.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub account_id: Option<String>,
    #[serde(rename = "sealedAccountManagementAccessToken", default = "none", skip_serializing_if = "Option::is_none")]
    pub account_management_access_token: Option<S>,
    pub hsm_fallback_language: String,
    #[serde(default)]
    pub profile: BusinessProfile,
}

fn none<S>() -> Option<S> {
    None
}

impl<S> WhatsappSettings<S> {
    pub(super) fn with_secrets<T, E>(self, change: impl Fn(S) -> Result<T, E>) -> Result<WhatsappSettings<T>, E> {
        Ok(WhatsappSettings {
            deployment_id: self.deployment_id,
            base_url: self.base_url,
            username: self.username,
            password: self.password.map(&change).transpose()?,
            phone_number_id: self.phone_number_id,
            access_token: self.access_token.map(&change).transpose()?,
            phone_number: self.phone_number,
            account_id: self.account_id,
            account_management_access_token: self.account_management_access_token.map(&change).transpose()?,
            hsm_fallback_language: self.hsm_fallback_language,
            profile: self.profile,
        })
    }

    pub(super) fn view(&self) -> Map<String, Value> {
        present(json!({
            "deploymentId": self.deployment_id,
            "baseUrl": self.base_url,
            "username": self.username,
            "phoneNumberId": self.phone_number_id,
            "phoneNumber": self.phone_number,
            "accountId": self.account_id,
            "hsmFallbackLanguage": self.hsm_fallback_language,
        }))
    }
}

impl WhatsappSettings {
    fn empty() -> Self {
        Self {
            deployment_id: None,
            base_url: None,
            username: None,
            password: None,
            phone_number_id: None,
            access_token: None,
            phone_number: None,
            account_id: None,
            account_management_access_token: None,
            hsm_fallback_language: DEFAULT_LANGUAGE.to_owned(),
            profile: BusinessProfile::default(),
        }
    }

    /// There must be one way in, and none half-way.
    fn complete(self) -> Result<Self, ApiError> {
        let own = [
            ("baseUrl", self.base_url.is_some()),
            ("username", self.username.is_some()),
            ("password", self.password.is_some()),
        ];
        let cloud = [("phoneNumberId", self.phone_number_id.is_some()), ("accessToken", self.access_token.is_some())];
        for (fields, words) in
            [(&own[..], "baseUrl, username and password"), (&cloud[..], "phoneNumberId and accessToken")]
        {
            let is_begun = fields.iter().any(|(_, is_there)| *is_there);
            if let Some((missing, _)) = fields.iter().find(|(_, is_there)| is_begun && !is_there) {
                return Err(ApiError::field(missing, format!("is required: {words} go together")));
            }
        }
        if self.deployment_id.is_none() && self.base_url.is_none() && self.phone_number_id.is_none() {
            return Err(ApiError::field("deploymentId", "is required; or give phoneNumberId and accessToken instead"));
        }
        Ok(self)
    }
}

#[derive(Deserialize, Default)]
#[serde(rename_all = "camelCase", default)]
pub(super) struct Wire {
    deployment_id: Change<String>,
    base_url: Change<String>,
    username: Change<String>,
    password: Change<String>,
    phone_number_id: Change<String>,
    access_token: Change<String>,
    phone_number: Change<String>,
    account_id: Change<String>,
    account_management_access_token: Change<String>,
    hsm_fallback_language: Change<String>,
}

impl Wire {
    pub(super) fn apply(self, old: Option<WhatsappSettings>) -> Result<WhatsappSettings, ApiError> {
        let old = old.unwrap_or_else(WhatsappSettings::empty);
        let number = |number: String| Address::phone(&number).map_err(|error| ApiError::field("phoneNumber", error));
        let token = self.account_management_access_token;
        let token = token.check(|token| check::secret("accountManagementAccessToken", token))?;
        let settings = WhatsappSettings {
            deployment_id: self.deployment_id.check(|text| id("deploymentId", text))?.apply(old.deployment_id),
            base_url: self.base_url.check(|url| check::url("baseUrl", url))?.apply(old.base_url),
            username: self.username.check(|text| check::text("username", text, NAME_LIMIT))?.apply(old.username),
            password: self.password.check(|text| check::secret("password", text))?.apply(old.password),
            phone_number_id: self.phone_number_id.check(|text| id("phoneNumberId", text))?.apply(old.phone_number_id),
            access_token: self.access_token.check(|token| check::secret("accessToken", token))?.apply(old.access_token),
            phone_number: self.phone_number.check(number)?.apply(old.phone_number),
            account_id: self.account_id.check(|text| id("accountId", text))?.apply(old.account_id),
            account_management_access_token: token.apply(old.account_management_access_token),
            hsm_fallback_language: self
                .hsm_fallback_language
                .check(language)?
                .required("hsmFallbackLanguage", old.hsm_fallback_language)?,
            profile: old.profile,
        };
        settings.complete()
    }
}

/// Ids stand in URLs of Meta's.
fn id(field: &str, text: String) -> Result<String, ApiError> {
    let fits = (1..=ID_LIMIT).contains(&text.len())
        && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_'));
    if fits { Ok(text) } else { Err(ApiError::field(field, "must be an id: letters, digits, dashes")) }
}

fn language(text: String) -> Result<String, ApiError> {
    let fits = (2..=LANGUAGE_LIMIT).contains(&text.len())
        && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_'));
    if fits { Ok(text) } else { Err(ApiError::field("hsmFallbackLanguage", "must be a language code, such as en_US")) }
}
