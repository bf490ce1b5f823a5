//! What callers say of an integration, new or changed, and the rules that hold for every type.

use serde::Deserialize;
use serde_json::Value;

use super::{ExpiredClaim, Integration, IntegrationStatus, IntegrationType, MessagebirdSettings, Settings, Switch};
use crate::entropy::Entropy;
use crate::ids::AppId;
use crate::model::json::read;
use crate::model::{ApiError, Change, Secret, check};

const DISPLAY_NAME_LIMIT: usize = 100;

#[derive(Deserialize, Default)]
#[serde(rename_all = "camelCase", default)]
struct CommonWire {
    r#type: Option<String>,
    display_name: Change<String>,
    status: Change<IntegrationStatus>,
    expired_claim: Change<ExpiredClaim>,
}

impl IntegrationType {
    /// The `type` that a body names.
    pub fn of(body: &Value) -> Result<Self, ApiError> {
        let names = Self::ALL.map(Self::as_str).join(", ");
        let name = read::<CommonWire>(body.clone())?.r#type.ok_or_else(|| ApiError::field("type", "is required"))?;
        Self::from_name(&name).ok_or_else(|| ApiError::field("type", format!("must be one of {names}")))
    }
}

impl Integration {
    /// A new integration from a body that is a JSON object.
    pub fn create(entropy: &impl Entropy, app_id: AppId, body: &Value) -> Result<Self, ApiError> {
        let settings = Settings::create(entropy, IntegrationType::of(body)?, body)?;
        let common: CommonWire = read(body.clone())?;
        Ok(Self {
            display_name: common.display_name.check(display_name)?.apply(None),
            switch: switch(common.status, Switch::Active)?,
            expired_claim: common.expired_claim.apply(None).unwrap_or_default(),
            ..Self::new(entropy, app_id, settings)
        })
    }

    /// The integration as a body changes it. What its carrier had against it goes with the settings it was said of.
    pub fn update(self, body: &Value) -> Result<Self, ApiError> {
        let common: CommonWire = read(body.clone())?;
        if common.r#type.is_some_and(|name| name != self.kind().as_str()) {
            return Err(ApiError::field("type", "cannot be changed; make another integration"));
        }
        let settings = self.settings.clone().update(body)?;
        Ok(Self {
            display_name: common.display_name.check(display_name)?.apply(self.display_name),
            switch: switch(common.status, self.switch)?,
            error: self.error.filter(|_| settings == self.settings),
            expired_claim: common.expired_claim.required("expiredClaim", self.expired_claim)?,
            settings,
            ..self
        })
    }
}

impl Settings {
    fn create(entropy: &impl Entropy, kind: IntegrationType, body: &Value) -> Result<Self, ApiError> {
        let body = body.clone();
        Ok(match kind {
            IntegrationType::Twilio => Self::Twilio(read::<super::twilio::Wire>(body)?.apply(None)?),
            IntegrationType::Messagebird => Self::Messagebird(MessagebirdSettings {
                webhook_secret: Some(Secret::generate(entropy)),
                ..read::<super::messagebird::Wire>(body)?.apply(None)?
            }),
            IntegrationType::Whatsapp => Self::Whatsapp(read::<super::whatsapp::Wire>(body)?.apply(None)?),
            IntegrationType::Mailgun => Self::Mailgun(read::<super::mailgun::Wire>(body)?.apply(None)?),
            IntegrationType::Web => Self::Web(read::<super::web::Wire>(body)?.apply(None)?),
            IntegrationType::Ios => Self::Ios(read::<super::apple::Wire>(body)?.apply(None)?),
            IntegrationType::Apn => Self::Apn(read::<super::apple::Wire>(body)?.apply(None)?),
            IntegrationType::Android => Self::Android(read::<super::firebase::Wire>(body)?.apply(None)?),
            IntegrationType::Fcm => Self::Fcm(read::<super::firebase::Wire>(body)?.apply(None)?),
        })
    }

    fn update(self, body: &Value) -> Result<Self, ApiError> {
        let body = body.clone();
        Ok(match self {
            Self::Twilio(old) => Self::Twilio(read::<super::twilio::Wire>(body)?.apply(Some(old))?),
            Self::Messagebird(old) => Self::Messagebird(read::<super::messagebird::Wire>(body)?.apply(Some(old))?),
            Self::Whatsapp(old) => Self::Whatsapp(read::<super::whatsapp::Wire>(body)?.apply(Some(old))?),
            Self::Mailgun(old) => Self::Mailgun(read::<super::mailgun::Wire>(body)?.apply(Some(old))?),
            Self::Web(old) => Self::Web(read::<super::web::Wire>(body)?.apply(Some(old))?),
            Self::Ios(old) => Self::Ios(read::<super::apple::Wire>(body)?.apply(Some(old))?),
            Self::Apn(old) => Self::Apn(read::<super::apple::Wire>(body)?.apply(Some(old))?),
            Self::Android(old) => Self::Android(read::<super::firebase::Wire>(body)?.apply(Some(old))?),
            Self::Fcm(old) => Self::Fcm(read::<super::firebase::Wire>(body)?.apply(Some(old))?),
        })
    }
}

fn display_name(text: String) -> Result<String, ApiError> {
    check::text("displayName", text, DISPLAY_NAME_LIMIT)
}

/// Businesses switch integrations on and off. That one is in error is the carrier's to say: a body that repeats it, as it
/// was read, says nothing.
fn switch(change: Change<IntegrationStatus>, old: Switch) -> Result<Switch, ApiError> {
    Ok(match change.given("status")? {
        Some(IntegrationStatus::Active) => Switch::Active,
        Some(IntegrationStatus::Inactive) => Switch::Inactive,
        Some(IntegrationStatus::Error) | None => old,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::entropy::Counter;
    use serde_json::json;

    fn messagebird() -> Integration {
        let body = json!({ "type": "messagebird", "accessKey": "key", "originator": "31970000001", "status": "error" });
        Integration::create(&Counter, AppId::generate(&Counter), &body).unwrap()
    }

    #[test]
    fn the_switch_is_the_businesss_and_the_error_the_carriers() {
        let made = messagebird();
        assert_eq!(made.status(), IntegrationStatus::Active);
        let ill = Integration { error: Some("No".into()), ..made };
        assert_eq!(ill.status(), IntegrationStatus::Error);
        let status = |integration: &Integration, status: &str| {
            integration.clone().update(&json!({ "status": status })).unwrap().status()
        };
        assert_eq!(status(&ill, "active"), IntegrationStatus::Error, "to be switched on is not to be well");
        assert_eq!(status(&ill, "inactive"), IntegrationStatus::Inactive);
        let off = ill.update(&json!({ "status": "inactive" })).unwrap();
        assert_eq!(status(&off, "error"), IntegrationStatus::Inactive);
        assert_eq!(status(&off, "active"), IntegrationStatus::Error);
        assert!(off.clone().update(&json!({ "status": null })).is_err());
        assert!(off.update(&json!({ "status": "paused" })).is_err());
    }

    #[test]
    fn an_error_goes_with_the_credentials_it_was_said_of() {
        let ill = Integration { error: Some("No".into()), ..messagebird() };
        let after = |body: Value| ill.clone().update(&body).unwrap().error;
        assert_eq!(after(json!({ "displayName": "Ours" })), ill.error);
        assert_eq!(after(json!({ "accessKey": "key" })), ill.error, "the same key is no other");
        assert_eq!(after(json!({ "accessKey": "another" })), None);
    }
}
