//! What callers say of an integration, new or changed, and the rules that hold for every type.

use serde::Deserialize;
use serde_json::Value;

use super::{ExpiredClaim, Integration, IntegrationStatus, IntegrationType, Settings};
use crate::ids::{AppId, IntegrationId};
use crate::model::json::read;
use crate::model::{ApiError, Change, check};

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
    pub fn create(app_id: AppId, body: &Value) -> Result<Self, ApiError> {
        let settings = Settings::create(IntegrationType::of(body)?, body)?;
        let common: CommonWire = read(body.clone())?;
        Ok(Self {
            id: IntegrationId::generate(),
            app_id,
            display_name: common.display_name.check(display_name)?.apply(None),
            status: status(common.status, IntegrationStatus::Active)?,
            expired_claim: common.expired_claim.apply(None).unwrap_or_default(),
            settings,
        })
    }

    /// The integration as a body changes it.
    pub fn update(self, body: &Value) -> Result<Self, ApiError> {
        let common: CommonWire = read(body.clone())?;
        if common.r#type.is_some_and(|name| name != self.kind().as_str()) {
            return Err(ApiError::field("type", "cannot be changed; make another integration"));
        }
        Ok(Self {
            display_name: common.display_name.check(display_name)?.apply(self.display_name),
            status: status(common.status, self.status)?,
            expired_claim: common.expired_claim.required("expiredClaim", self.expired_claim)?,
            settings: self.settings.update(body)?,
            ..self
        })
    }
}

impl Settings {
    fn create(kind: IntegrationType, body: &Value) -> Result<Self, ApiError> {
        let body = body.clone();
        Ok(match kind {
            IntegrationType::Twilio => Self::Twilio(read::<super::twilio::Wire>(body)?.apply(None)?),
            IntegrationType::Messagebird => Self::Messagebird(read::<super::messagebird::Wire>(body)?.apply(None)?),
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

/// Businesses switch integrations on and off; `error` is ours to say.
fn status(change: Change<IntegrationStatus>, old: IntegrationStatus) -> Result<IntegrationStatus, ApiError> {
    match change.required("status", old)? {
        IntegrationStatus::Error if old != IntegrationStatus::Error => {
            Err(ApiError::field("status", "must be active or inactive"))
        }
        status => Ok(status),
    }
}
