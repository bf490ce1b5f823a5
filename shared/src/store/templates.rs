//! Stored templates, and the index of their names.

use serde::{Deserialize, Serialize};

use super::{Store, StoreError, keys};
use crate::ids::{AppId, TemplateId};
use crate::model::Template;

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
struct NameItem {
    template_id: TemplateId,
}

impl Store {
    pub async fn template(&self, app: AppId, id: TemplateId) -> Result<Option<Template>, StoreError> {
        self.get_consistent("template", &keys::template(app, id)).await
    }

    /// The template that bears a name.
    pub async fn template_by_name(&self, app: AppId, name: &str) -> Result<Option<Template>, StoreError> {
        let named: Option<NameItem> = self.get_consistent("template's name", &keys::template_name(app, name)).await?;
        match named {
            Some(named) => self.template(app, named.template_id).await,
            None => Ok(None),
        }
    }
}
