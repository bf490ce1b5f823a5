//! The app: one tenant, with its name and settings.

use serde::{Deserialize, Serialize};

use crate::ids::{AccountId, AppId};

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct App {
    #[serde(rename = "_id")]
    pub id: AppId,
    /// The account whose keys may act on this app.
    pub account_id: AccountId,
    /// Shown to people where a fallback text speaks for the business: "Tea House has requested a location".
    pub name: String,
}
