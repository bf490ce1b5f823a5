//! Stored templates, and the index of their names.
//!
//! A template and its name are written together: of two that want one name at once, one gets it.

use serde::{Deserialize, Serialize};

use crate::ids::{AppId, TemplateId};
use crate::model::Template;
use crate::store::table::keys;
use crate::store::table::revisions::Revised;
use crate::store::table::transaction::{Change, Outcome, TRIES, Transaction, back_off};
use crate::store::{Store, StoreError};

/// No name is longer: 100 characters, of at most four bytes.
const NAME_BYTES: usize = 400;

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
        self.get_consistent("template", &keys::template(app, id)).await
    }

    /// The template that bears a name.
    pub async fn template_by_name(&self, app: AppId, name: &str) -> Result<Option<Template>, StoreError> {
        if name.len() > NAME_BYTES {
            return Ok(None);
        }
        let named: Option<NameItem> = self.get_consistent("template's name", &keys::template_name(app, name)).await?;
        match named {
            Some(named) => self.template(app, named.template_id).await,
            None => Ok(None),
        }
    }

    /// All of the app's, oldest first.
    pub async fn templates(&self, app: AppId) -> Result<Vec<Template>, StoreError> {
        self.list("template", &keys::app_partition(app), keys::TEMPLATE_PREFIX, true).await
    }

    /// `false`: another template bears the name.
    pub async fn create_template(&self, app: AppId, template: &Template) -> Result<bool, StoreError> {
        let name = NameItem { template_id: template.id };
        for attempt in 0..TRIES {
            let write = Transaction::new().put_absent(self, &keys::template(app, template.id), template).put_absent(
                self,
                &keys::template_name(app, &template.name),
                &name,
            );
            match write.commit(self).await? {
                Outcome::Done => return Ok(true),
                Outcome::Refused(_) => return Ok(false),
                Outcome::Collided => back_off(attempt).await,
            }
        }
        Err(StoreError::Contended)
    }

    /// Edits a template, and moves its name with it.
    pub async fn change_template<E: From<StoreError>>(
        &self,
        app: AppId,
        id: TemplateId,
        edit: impl Fn(Template) -> Result<Template, E>,
    ) -> Result<TemplateChanged, E> {
        let key = keys::template(app, id);
        for attempt in 0..TRIES {
            let found = self.get_consistent::<Revised<Template>>("template", &key).await?;
            let Some(found) = found else { return Ok(TemplateChanged::Missing) };
            let next = found.next(edit(found.value.clone())?);
            let mut write = Transaction::new().replace(self, found.unchanged(&key), &next);
            if next.value.name != found.value.name {
                write = write
                    .put_absent(self, &keys::template_name(app, &next.value.name), &NameItem { template_id: id })
                    .delete(self, Change::of(&keys::template_name(app, &found.value.name), ""));
            }
            match write.commit(self).await? {
                Outcome::Done => return Ok(TemplateChanged::Done(Box::new(next.value))),
                Outcome::Refused(refused) if refused == [1] => return Ok(TemplateChanged::NameTaken),
                Outcome::Refused(_) | Outcome::Collided => back_off(attempt).await,
            }
        }
        Err(StoreError::Contended.into())
    }

    /// Takes a template away with its name. `false`: there was none.
    pub async fn delete_template(&self, app: AppId, id: TemplateId) -> Result<bool, StoreError> {
        let key = keys::template(app, id);
        for attempt in 0..TRIES {
            let found = self.get_consistent::<Revised<Template>>("template", &key).await?;
            let Some(found) = found else { return Ok(false) };
            let write = Transaction::new()
                .delete(self, found.unchanged(&key))
                .delete(self, Change::of(&keys::template_name(app, &found.value.name), ""));
            match write.commit(self).await? {
                Outcome::Done => return Ok(true),
                Outcome::Refused(_) | Outcome::Collided => back_off(attempt).await,
            }
        }
        Err(StoreError::Contended)
    }
}
