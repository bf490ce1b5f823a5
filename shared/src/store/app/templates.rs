//! Stored templates, and the index of their names.
//!
//! A template and its name are written together: of two that want one name at once, one gets it.

use serde::{Deserialize, Serialize};

use crate::ids::{AppId, TemplateId};
use crate::model::Template;
use crate::store::table::revisions::Revised;
use crate::store::table::{Committed, ItemChange, Label, Query, Transaction, Tries, keys};
use crate::store::{Store, StoreError};

/// No name is longer: 100 characters, of at most four bytes.
const NAME_BYTES: usize = 400;

const AS_READ: Label = Label("the template is as it was read");
const NAME: Label = Label("the name is free");

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
struct NameItem {
    template_id: TemplateId,
}

/// What became of changing a template.
#[derive(Debug, Clone, PartialEq)]
pub enum TemplateChanged {
    Done(Box<Template>),
    Missing,
    /// Another template bears the name.
    NameTaken,
}

impl Store {
    pub async fn template(&self, app: AppId, id: TemplateId) -> Result<Option<Template>, StoreError> {
        self.table.get(&keys::template(app, id)).await
    }

    /// The template that bears a name.
    pub async fn template_by_name(&self, app: AppId, name: &str) -> Result<Option<Template>, StoreError> {
        if name.len() > NAME_BYTES {
            return Ok(None);
        }
        let named: Option<NameItem> = self.table.get(&keys::template_name(app, name)).await?;
        match named {
            Some(named) => self.template(app, named.template_id).await,
            None => Ok(None),
        }
    }

    /// All of the app's, oldest first.
    pub async fn templates(&self, app: AppId) -> Result<Vec<Template>, StoreError> {
        self.table.query(Query::of(keys::app_partition(app)).under(keys::TEMPLATE_PREFIX)).await
    }

    /// `false`: another template bears the name.
    pub async fn create_template(&self, app: AppId, template: &Template) -> Result<bool, StoreError> {
        let name = NameItem { template_id: template.id };
        let writes = Transaction::new()
            .put(ItemChange::of(&keys::template(app, template.id)).when_absent(), template)
            .put(ItemChange::of(&keys::template_name(app, &template.name)).when_absent(), &name);
        Ok(self.table.commit(writes).await?.is_done())
    }

    /// Edits a template, and moves its name with it.
    pub async fn change_template<E: From<StoreError>>(
        &self,
        app: AppId,
        id: TemplateId,
        edit: impl Fn(Template) -> Result<Template, E>,
    ) -> Result<TemplateChanged, E> {
        let key = keys::template(app, id);
        let mut tries = Tries::default();
        loop {
            let Some(found) = self.table.get::<Revised<Template>>(&key).await? else {
                return Ok(TemplateChanged::Missing);
            };
            let next = found.next(edit(found.value.clone())?);
            let mut writes = Transaction::new().put(found.unchanged(&key).labelled(AS_READ), &next);
            if next.value.name != found.value.name {
                let free = ItemChange::of(&keys::template_name(app, &next.value.name)).when_absent();
                writes = writes
                    .put(free.labelled(NAME), &NameItem { template_id: id })
                    .delete(&keys::template_name(app, &found.value.name));
            }
            match self.table.commit(writes).await? {
                Committed::Done => return Ok(TemplateChanged::Done(Box::new(next.value))),
                refused if refused.is_refused_by(NAME) && !refused.is_refused_by(AS_READ) => {
                    return Ok(TemplateChanged::NameTaken);
                }
                Committed::Refused(_) => tries.again().await?,
            }
        }
    }

    /// Takes a template away with its name. `false`: there was none.
    pub async fn delete_template(&self, app: AppId, id: TemplateId) -> Result<bool, StoreError> {
        let key = keys::template(app, id);
        let mut tries = Tries::default();
        while let Some(found) = self.table.get::<Revised<Template>>(&key).await? {
            let writes = Transaction::new().delete(found.unchanged(&key));
            let writes = writes.delete(&keys::template_name(app, &found.value.name));
            if self.table.commit(writes).await?.is_done() {
                return Ok(true);
            }
            tries.again().await?;
        }
        Ok(false)
    }
}
