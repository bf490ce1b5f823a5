//! A stored template: a message of the business under a name, to be sent again (v1.1 reference, 8.6).

use serde::{Deserialize, Serialize};

use super::Message;
use crate::ids::TemplateId;

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Template {
    #[serde(rename = "_id")]
    pub id: TemplateId,
    /// One of its kind in the app; texts call for it by `%((template:NAME))%`.
    pub name: String,
    #[serde(with = "super::message_wire::as_wire")]
    pub message: Message,
}
