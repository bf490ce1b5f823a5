//! The types of integrations, and which of them are channels.

use serde::{Deserialize, Serialize};

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

    /// The path segment of a callback.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|channel| channel.as_str() == name)
    }
}

impl std::fmt::Display for ChannelType {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.as_str())
    }
}

/// What an integration may be, by v1.1's names. Not each is a channel yet.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum IntegrationType {
    Twilio,
    Messagebird,
    Whatsapp,
    Mailgun,
    Web,
    Ios,
    Apn,
    Android,
    Fcm,
}

impl IntegrationType {
    pub const ALL: [Self; 9] = [
        Self::Twilio,
        Self::Messagebird,
        Self::Whatsapp,
        Self::Mailgun,
        Self::Web,
        Self::Ios,
        Self::Apn,
        Self::Android,
        Self::Fcm,
    ];

    pub fn as_str(self) -> &'static str {
        match self {
            Self::Twilio => "twilio",
            Self::Messagebird => "messagebird",
            Self::Whatsapp => "whatsapp",
            Self::Mailgun => "mailgun",
            Self::Web => "web",
            Self::Ios => "ios",
            Self::Apn => "apn",
            Self::Android => "android",
            Self::Fcm => "fcm",
        }
    }

    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.as_str() == name)
    }

    pub fn channel(self) -> Option<ChannelType> {
        ChannelType::from_name(self.as_str())
    }
}
