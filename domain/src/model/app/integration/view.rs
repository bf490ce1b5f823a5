//! An integration as v1.1 shows it: never a secret.

use serde_json::{Map, Value, json};

use super::{Integration, IntegrationStatus, Settings};

impl Integration {
    pub fn view(&self) -> Value {
        let mut view = match &self.settings {
            Settings::Twilio(settings) => settings.view(),
            Settings::Messagebird(settings) => settings.view(),
            Settings::Whatsapp(settings) => settings.view(),
            Settings::Mailgun(settings) => settings.view(),
            Settings::Web(settings) => settings.view(),
            Settings::Ios(settings) | Settings::Apn(settings) => settings.view(),
            Settings::Android(settings) | Settings::Fcm(settings) => settings.view(),
        };
        view.extend(present(json!({
            "_id": self.id,
            "type": self.kind().as_str(),
            "displayName": self.display_name,
            "status": self.status(),
            "error": self.error.as_ref().filter(|_| self.status() == IntegrationStatus::Error),
            "expiredClaim": self.expired_claim,
        })));
        view.into()
    }
}

/// The fields of an object that are not null.
pub fn present(object: Value) -> Map<String, Value> {
    match object {
        Value::Object(fields) => fields.into_iter().filter(|(_, value)| !value.is_null()).collect(),
        _ => Map::new(),
    }
}
