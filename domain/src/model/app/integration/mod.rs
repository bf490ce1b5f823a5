//! An app's connection to a channel: whose account at the carrier, which sender, and what to do in the undecidable case.
//!
//! One file per type of integration, with its settings, what callers may say of them, and what they are shown.

mod apple;
mod firebase;
mod mailgun;
mod messagebird;
mod profile;
mod twilio;
mod types;
mod view;
mod web;
mod whatsapp;
mod wire;

use serde::{Deserialize, Serialize};

use crate::entropy::Entropy;
use crate::ids::{AppId, IntegrationId};
use crate::model::Secret;

pub use apple::AppleSettings;
pub use firebase::FirebaseSettings;
pub use mailgun::MailgunSettings;
pub use messagebird::MessagebirdSettings;
pub use profile::{BusinessProfile, BusinessProfileWire};
pub use twilio::{NewTwilio, TwilioCredentials, TwilioSettings};
pub use types::{ChannelType, IntegrationType};
pub use web::WebSettings;
pub use whatsapp::WhatsappSettings;

#[derive(Debug, Clone, PartialEq)]
pub struct Integration {
    pub id: IntegrationId,
    pub app_id: AppId,
    pub display_name: Option<String>,
    pub switch: Switch,
    /// What its carrier has against it since the last success; nothing while it takes what is sent.
    pub error: Option<String>,
    pub expired_claim: ExpiredClaim,
    pub settings: Settings,
    /// How often it was changed since it was made. What a carrier said of an earlier one does not hold for a later.
    pub revision: u64,
}

impl Integration {
    pub fn new(entropy: &impl Entropy, app_id: AppId, settings: Settings) -> Self {
        Self {
            id: IntegrationId::generate(entropy),
            app_id,
            display_name: None,
            switch: Switch::Active,
            error: None,
            expired_claim: ExpiredClaim::default(),
            settings,
            revision: 0,
        }
    }

    pub fn is_off(&self) -> bool {
        self.switch == Switch::Inactive
    }

    /// As v1.1 tells it. One that is switched off is not said to be in error.
    pub fn status(&self) -> IntegrationStatus {
        match (self.switch, &self.error) {
            (Switch::Inactive, _) => IntegrationStatus::Inactive,
            (Switch::Active, Some(_)) => IntegrationStatus::Error,
            (Switch::Active, None) => IntegrationStatus::Active,
        }
    }

    pub fn kind(&self) -> IntegrationType {
        self.settings.kind()
    }

    /// Through which channel it sends; `None` for types that send nothing.
    pub fn channel(&self) -> Option<ChannelType> {
        self.kind().channel()
    }
}

/// Whether the business wants it used.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Switch {
    #[default]
    Active,
    Inactive,
}

/// v1.1's word for the switch and the carrier's say together (docs/REFERENCE.md, 9).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum IntegrationStatus {
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

/// What the channel needs to know of the account. One variant per type.
///
/// `S` is a secret as it is used, or as it is stored: sealed.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase", tag = "type")]
pub enum Settings<S = Secret> {
    Twilio(TwilioSettings<S>),
    Messagebird(MessagebirdSettings<S>),
    Whatsapp(WhatsappSettings<S>),
    Mailgun(MailgunSettings<S>),
    Web(WebSettings),
    Ios(AppleSettings<S>),
    /// What `ios` was called first.
    Apn(AppleSettings<S>),
    Android(FirebaseSettings<S>),
    /// What `android` was called first.
    Fcm(FirebaseSettings<S>),
}

impl<S> Settings<S> {
    pub fn kind(&self) -> IntegrationType {
        match self {
            Self::Twilio(_) => IntegrationType::Twilio,
            Self::Messagebird(_) => IntegrationType::Messagebird,
            Self::Whatsapp(_) => IntegrationType::Whatsapp,
            Self::Mailgun(_) => IntegrationType::Mailgun,
            Self::Web(_) => IntegrationType::Web,
            Self::Ios(_) => IntegrationType::Ios,
            Self::Apn(_) => IntegrationType::Apn,
            Self::Android(_) => IntegrationType::Android,
            Self::Fcm(_) => IntegrationType::Fcm,
        }
    }

    /// The same settings with every secret sealed, or opened.
    pub fn with_secrets<T, E>(self, change: impl Fn(S) -> Result<T, E>) -> Result<Settings<T>, E> {
        Ok(match self {
            Self::Twilio(settings) => Settings::Twilio(settings.with_secrets(change)?),
            Self::Messagebird(settings) => Settings::Messagebird(settings.with_secrets(change)?),
            Self::Whatsapp(settings) => Settings::Whatsapp(settings.with_secrets(change)?),
            Self::Mailgun(settings) => Settings::Mailgun(settings.with_secrets(change)?),
            Self::Web(settings) => Settings::Web(settings),
            Self::Ios(settings) => Settings::Ios(settings.with_secrets(change)?),
            Self::Apn(settings) => Settings::Apn(settings.with_secrets(change)?),
            Self::Android(settings) => Settings::Android(settings.with_secrets(change)?),
            Self::Fcm(settings) => Settings::Fcm(settings.with_secrets(change)?),
        })
    }
}
