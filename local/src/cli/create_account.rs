//! `create-account`: a deployed stack's account with its first key, written to the table with the operator's own AWS
//! credentials. Everything else is the API's.
//!
//! Reads `TABLE_NAME` and `SEALING_SECRET`, which are the stack's own. Prints id and secret once, as JSON.

use local::provision;
use serde_json::{Value, json};
use shared::config::ConfigError;
use shared::store::{Store, StoreError};

#[derive(Debug, thiserror::Error)]
pub enum CreateAccountError {
    #[error(transparent)]
    Config(#[from] ConfigError),
    #[error("the table can't be written: {0}")]
    Store(#[from] StoreError),
}

pub async fn create_account() -> Result<Value, CreateAccountError> {
    let operator = shared::aws::defaults()?.load().await;
    let key = provision::account(&Store::from_env(&operator)?).await?;
    Ok(json!({ "accountKeyId": key.id, "accountSecret": key.secret.expose() }))
}
