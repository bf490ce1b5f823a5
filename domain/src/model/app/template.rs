//! A stored template: a message of the business under a name, to be sent again (docs/REFERENCE.md, 8.6).

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::entropy::Entropy;
use crate::ids::TemplateId;
use crate::model::{ApiError, Change, Message, MessageWire, check};

const NAME_LIMIT: usize = 100;

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Template {
    #[serde(rename = "_id")]
    pub id: TemplateId,
    /// One of its kind in the app; texts call for it by `%((template:NAME))%`.
    pub name: String,
    #[serde(with = "crate::model::as_wire")]
    pub message: Message,
}

/// What a caller says of a template, new or changed.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
pub struct TemplateWire {
    name: Change<String>,
    message: Change<MessageWire>,
}

impl Template {
    pub fn view(&self) -> Value {
        let message = MessageWire { role: Some("appMaker".into()), ..MessageWire::from(&self.message) };
        json!({ "_id": self.id, "name": self.name, "message": message })
    }
}

impl TemplateWire {
    pub fn create(self, entropy: &impl Entropy) -> Result<Template, ApiError> {
        Ok(Template {
            id: TemplateId::generate(entropy),
            name: name(check::needed("name", self.name, None)?)?,
            message: message(check::needed("message", self.message, None)?)?,
        })
    }

    /// The template as it becomes.
    pub fn update(self, old: Template) -> Result<Template, ApiError> {
        Ok(Template {
            name: self.name.check(name)?.required("name", old.name)?,
            message: self.message.check(message)?.required("message", old.message)?,
            ..old
        })
    }
}

fn name(text: String) -> Result<String, ApiError> {
    check::text("name", text, NAME_LIMIT)
}

/// As it would be posted.
fn message(wire: MessageWire) -> Result<Message, ApiError> {
    match wire.role.as_deref() {
        None | Some("appMaker") => wire.try_into(),
        Some(_) => Err(ApiError::field("message.role", "must be appMaker")),
    }
}
