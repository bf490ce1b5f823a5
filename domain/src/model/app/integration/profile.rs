//! How a business shows itself on WhatsApp (docs/REFERENCE.md, 9).

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::{Integration, Settings};
use crate::model::{ApiError, Change, FileKey, check};

const WEBSITES_LIMIT: usize = 2;
const WEBSITE_LIMIT: usize = 256;

#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct BusinessProfile {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub about: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub address: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub email: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub vertical: Option<String>,
    pub websites: Vec<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub photo_url: Option<String>,
}

/// What a caller changes of it; the rest stays.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct BusinessProfileWire {
    about: Change<String>,
    address: Change<String>,
    description: Change<String>,
    email: Change<String>,
    vertical: Change<String>,
    websites: Change<Vec<String>>,
    photo_url: Change<String>,
}

impl BusinessProfileWire {
    /// Whether it speaks of the photo.
    pub fn has_photo(&self) -> bool {
        self.photo_url != Change::Keep
    }

    fn apply(self, old: BusinessProfile) -> Result<BusinessProfile, ApiError> {
        let text = |field: &'static str, change: Change<String>, limit: usize| {
            change.check(|text| check::within(field, text, limit))
        };
        Ok(BusinessProfile {
            about: text("about", self.about, 139)?.apply(old.about),
            address: text("address", self.address, 256)?.apply(old.address),
            description: text("description", self.description, 256)?.apply(old.description),
            email: text("email", self.email, 128)?.apply(old.email),
            vertical: text("vertical", self.vertical, 128)?.apply(old.vertical),
            websites: self.websites.check(websites)?.apply(Some(old.websites)).unwrap_or_default(),
            photo_url: self.photo_url.check(|url| check::url("photoUrl", url))?.apply(old.photo_url),
        })
    }
}

fn websites(urls: Vec<String>) -> Result<Vec<String>, ApiError> {
    if urls.len() > WEBSITES_LIMIT {
        return Err(ApiError::field("websites", format!("must hold at most {WEBSITES_LIMIT} URLs")));
    }
    let website = |(index, url): (usize, String)| {
        let field = format!("websites[{index}]");
        check::url(&field, check::within(&field, url, WEBSITE_LIMIT)?)
    };
    urls.into_iter().enumerate().map(website).collect()
}

impl Integration {
    /// Its profile, if its type has one.
    pub fn profile(&self) -> Result<&BusinessProfile, ApiError> {
        match &self.settings {
            Settings::Whatsapp(settings) => Ok(&settings.profile),
            _ => Err(without_profile()),
        }
    }

    /// The photo that its profile shows, if it was uploaded for it.
    pub fn photo(&self) -> Option<FileKey> {
        let url = self.profile().ok()?.photo_url.as_deref()?;
        FileKey::of_photo(url, self.app_id, self.id)
    }

    /// The integration with another photo.
    pub fn with_photo(self, url: String) -> Result<Self, ApiError> {
        self.with_profile(BusinessProfileWire { photo_url: Change::Set(url), ..BusinessProfileWire::default() })
    }

    /// The integration with its profile changed.
    pub fn with_profile(mut self, change: BusinessProfileWire) -> Result<Self, ApiError> {
        match &mut self.settings {
            Settings::Whatsapp(settings) => settings.profile = change.apply(std::mem::take(&mut settings.profile))?,
            _ => return Err(without_profile()),
        }
        Ok(self)
    }
}

fn without_profile() -> ApiError {
    ApiError::field("integrationId", "must name an integration of type whatsapp; others have no profile")
}

impl BusinessProfile {
    pub fn view(&self) -> Value {
        serde_json::to_value(self).unwrap_or_else(|_| Map::new().into())
    }
}
