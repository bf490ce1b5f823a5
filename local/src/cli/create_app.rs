//! `create-app`: an account with an app that is ready to send, written to a deployed stack's table with the operator's
//! own AWS credentials.
//!
//! Reads `TABLE_NAME` and `SEALING_SECRET`, which are the stack's own. Prints ids and secrets once, as JSON.

use std::io;
use std::path::{Path, PathBuf};

use local::outside::provision::{Provision, Specification, SpecificationError};
use local::outside::showcase::Ids;
use serde_json::{Value, json};
use shared::store::StoreError;

use super::operator::{self, OperatorError};

#[derive(Debug, thiserror::Error)]
pub enum CreateAppError {
    #[error("{} can't be read: {error}", path.display())]
    Unreadable { path: PathBuf, error: io::Error },
    #[error("{} is no app specification: {error}", path.display())]
    Malformed { path: PathBuf, error: serde_json::Error },
    #[error(transparent)]
    Specification(#[from] SpecificationError),
    #[error(transparent)]
    Operator(#[from] OperatorError),
    #[error("the table can't be written: {0}")]
    Store(#[from] StoreError),
}

pub async fn create_app(path: &Path) -> Result<Value, CreateAppError> {
    let text = std::fs::read(path).map_err(|error| CreateAppError::Unreadable { path: path.to_owned(), error })?;
    let wanted: Specification =
        serde_json::from_slice(&text).map_err(|error| CreateAppError::Malformed { path: path.to_owned(), error })?;
    let provision = Provision::new(wanted, Ids::draw())?;
    let store = operator::store().await?;
    provision.write(&store).await?;
    Ok(summary(&provision))
}

fn summary(provision: &Provision) -> Value {
    let integrations = provision.integrations.iter();
    let webhooks = provision.webhooks.iter();
    json!({
        "appId": provision.app.id,
        "keyId": provision.key.id,
        "secret": provision.key.secret.expose(),
        "accountKeyId": provision.account_key.id,
        "accountSecret": provision.account_key.secret.expose(),
        "integrations": integrations
            .map(|integration| (integration.kind().as_str().to_owned(), json!(integration.id)))
            .collect::<serde_json::Map<_, _>>(),
        "webhooks": webhooks
            .map(|hook| json!({ "id": hook.id, "target": hook.target, "secret": hook.secret.expose() }))
            .collect::<Vec<_>>(),
    })
}
