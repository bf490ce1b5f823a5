//! Twilio: an account, and one of its numbers.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

use super::view::present;
use crate::model::json::read;
use crate::model::{Address, ApiError, Change, Secret, check};

const SID_LIMIT: usize = 64;
const NAME_LIMIT: usize = 128;

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct TwilioSettings<S = Secret> {
    /// `AC…`
    pub account_sid: String,
    /// Signs callbacks, and sends.
    #[serde(rename = "sealedAuthToken")]
    pub auth_token: S,
    /// `PN…`
    pub phone_number_sid: String,
    /// The number behind the SID: what `From` says.
    pub phone_number: Address,
    /// What the account is called at Twilio.
    #[serde(rename = "name", default, skip_serializing_if = "Option::is_none")]
    pub account_name: Option<String>,
    /// `MG…`; when set, Twilio chooses the sender from the service's pool.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub messaging_service_sid: Option<String>,
}

impl<S> TwilioSettings<S> {
    pub(super) fn with_secrets<T, E>(self, change: impl Fn(S) -> Result<T, E>) -> Result<TwilioSettings<T>, E> {
        Ok(TwilioSettings {
            account_sid: self.account_sid,
            auth_token: change(self.auth_token)?,
            phone_number_sid: self.phone_number_sid,
            phone_number: self.phone_number,
            account_name: self.account_name,
            messaging_service_sid: self.messaging_service_sid,
        })
    }

    pub(super) fn view(&self) -> Map<String, Value> {
        present(json!({
            "accountSid": self.account_sid,
            "phoneNumberSid": self.phone_number_sid,
            "phoneNumber": self.phone_number,
            "name": self.account_name,
            "messagingServiceSid": self.messaging_service_sid,
        }))
    }
}

/// What is needed to ask Twilio about an account.
#[derive(Debug, Clone, PartialEq)]
pub struct TwilioCredentials {
    pub account_sid: String,
    pub auth_token: Secret,
}

/// `phoneNumber` and `name` are Twilio's to say: whoever reads a caller's body puts them there, or takes them out.
#[derive(Deserialize, Default)]
#[serde(rename_all = "camelCase", default)]
pub(super) struct Wire {
    account_sid: Change<String>,
    auth_token: Change<String>,
    phone_number_sid: Change<String>,
    phone_number: Change<String>,
    name: Change<String>,
    messaging_service_sid: Change<String>,
    keep_sms_url: Change<bool>,
}

/// What Twilio must be asked and told for a new integration.
#[derive(Debug, Clone, PartialEq)]
pub struct NewTwilio {
    pub credentials: TwilioCredentials,
    pub number_sid: String,
    /// Whether the number's URL for incoming messages stays as it is: somebody else may still need it.
    pub keeps_sms_url: bool,
}

impl NewTwilio {
    /// From a body that makes an integration.
    pub fn read(body: &Value) -> Result<Self, ApiError> {
        let wire: Wire = read(body.clone())?;
        let account_sid = sid("accountSid", check::needed("accountSid", wire.account_sid, None)?)?;
        let auth_token = check::secret("authToken", check::needed("authToken", wire.auth_token, None)?)?;
        let number = check::needed("phoneNumberSid", wire.phone_number_sid, None)?;
        Ok(Self {
            credentials: TwilioCredentials { account_sid, auth_token },
            number_sid: sid("phoneNumberSid", number)?,
            keeps_sms_url: wire.keep_sms_url.required("keepSmsUrl", false)?,
        })
    }
}

impl TwilioCredentials {
    /// Those of a body that changes an integration, where it has a token.
    pub fn of_change(body: &Value, old: &TwilioSettings) -> Result<Option<Self>, ApiError> {
        match read::<Wire>(body.clone())?.auth_token {
            Change::Set(token) => {
                let auth_token = check::secret("authToken", token)?;
                Ok(Some(Self { account_sid: old.account_sid.clone(), auth_token }))
            }
            Change::Keep | Change::Unset => Ok(None),
        }
    }
}

impl Wire {
    pub(super) fn apply(self, old: Option<TwilioSettings>) -> Result<TwilioSettings, ApiError> {
        let old = old.as_ref();
        let account_sid = check::needed("accountSid", self.account_sid, old.map(|old| old.account_sid.clone()))?;
        let auth_token = self.auth_token.check(|token| check::secret("authToken", token))?;
        let number_sid = old.map(|old| old.phone_number_sid.clone());
        let number_sid = check::needed("phoneNumberSid", self.phone_number_sid, number_sid)?;
        let number = self
            .phone_number
            .check(|number| Address::phone(&number).map_err(|error| ApiError::field("phoneNumber", error)))?;
        let number = check::needed("phoneNumber", number, old.map(|old| old.phone_number.clone()))?;
        let name = self.name.check(|name| check::within("name", name, NAME_LIMIT))?;
        let service = self.messaging_service_sid.check(|service| sid("messagingServiceSid", service))?;
        Ok(TwilioSettings {
            account_sid: check::lasting(
                "accountSid",
                sid("accountSid", account_sid)?,
                old.map(|old| &old.account_sid),
            )?,
            auth_token: check::needed("authToken", auth_token, old.map(|old| old.auth_token.clone()))?,
            phone_number_sid: check::lasting(
                "phoneNumberSid",
                sid("phoneNumberSid", number_sid)?,
                old.map(|old| &old.phone_number_sid),
            )?,
            phone_number: check::lasting("phoneNumber", number, old.map(|old| &old.phone_number))?,
            account_name: name.apply(old.and_then(|old| old.account_name.clone())),
            messaging_service_sid: service.apply(old.and_then(|old| old.messaging_service_sid.clone())),
        })
    }
}

/// SIDs stand in URLs of Twilio's.
fn sid(field: &str, text: String) -> Result<String, ApiError> {
    let fits = (2..=SID_LIMIT).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_alphanumeric());
    if fits { Ok(text) } else { Err(ApiError::field(field, "must be a SID of Twilio's: letters and digits")) }
}
