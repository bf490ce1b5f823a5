//! An app's connection to a channel: whose account at the carrier, which sender, and what to do in the undecidable case.

use serde::{Deserialize, Serialize};

use super::{Address, Secret};
use crate::ids::{AppId, IntegrationId};

/// The channels Heliograph speaks, by v1.1's names.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum ChannelType {
    Twilio,
    Messagebird,
}

impl ChannelType {
    pub const ALL: [Self; 2] = [Self::Twilio, Self::Messagebird];

    pub fn as_str(self) -> &'static str {
        match self {
            Self::Twilio => "twilio",
            Self::Messagebird => "messagebird",
        }
    }

    /// The path segment of a callback, and the `type` of an integration.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|channel| channel.as_str() == name)
    }
}

impl std::fmt::Display for ChannelType {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.as_str())
    }
}

#[derive(Debug, Clone, PartialEq)]
pub struct Integration {
    pub id: IntegrationId,
    pub app_id: AppId,
    pub display_name: Option<String>,
    pub status: IntegrationStatus,
    pub expired_claim: ExpiredClaim,
    pub settings: Settings,
}

impl Integration {
    pub fn channel(&self) -> ChannelType {
        match self.settings {
            Settings::Twilio(_) => ChannelType::Twilio,
            Settings::Messagebird(_) => ChannelType::Messagebird,
        }
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum IntegrationStatus {
    #[default]
    Active,
    Inactive,
    Error,
}

/// What becomes of a send whose outcome nobody knows: the function died, or the carrier's answer never came.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum ExpiredClaim {
    /// Send again: the person may get it twice. The default.
    #[default]
    Resend,
    /// Report a failure: the person may have got it all the same.
    Fail,
}

/// What the channel needs to know of the account. One variant per channel.
#[derive(Debug, Clone, PartialEq)]
pub enum Settings {
    Twilio(TwilioSettings),
    Messagebird(MessagebirdSettings),
}

#[derive(Debug, Clone, PartialEq)]
pub struct TwilioSettings {
    /// `AC…`
    pub account_sid: String,
    /// Signs callbacks, and sends.
    pub auth_token: Secret,
    /// `PN…`
    pub phone_number_sid: String,
    /// The number behind the SID: what `From` says.
    pub phone_number: Address,
    /// `MG…`; when set, Twilio chooses the sender from the service's pool.
    pub messaging_service_sid: Option<String>,
}

#[derive(Debug, Clone, PartialEq)]
pub struct MessagebirdSettings {
    pub access_key: Secret,
    /// Number with country code, or up to 11 letters and digits.
    pub originator: Address,
    /// Signs callbacks. Without one no callback can be verified, and so none is taken.
    pub signing_key: Option<Secret>,
}
