//! `create-account`: a deployed stack's account with its first key, written to the table with the operator's own AWS
//! credentials. Everything else is the API's.
//!
//! Reads `TABLE_NAME` and `SEALING_SECRET`, which are the stack's own. Prints id and secret once, as JSON.

use local::outside::provision;
use reqwest::StatusCode;
use serde_json::{Value, json};
use shared::model::ApiKey;
use shared::store::StoreError;

use super::operator::{self, OperatorError};

#[derive(Debug, thiserror::Error)]
pub enum CreateAccountError {
    #[error(transparent)]
    Operator(#[from] OperatorError),
    #[error("the table can't be written: {0}")]
    Store(#[from] StoreError),
    #[error("the API at {url} can't be asked, so the key was deleted again: {error}")]
    Unreachable { url: String, error: reqwest::Error },
    #[error(
        "the API at {url} answered {status} to the new key, so it was deleted again: SEALING_SECRET or TABLE_NAME is \
         another stack's"
    )]
    NotTaken { url: String, status: StatusCode },
}

/// `api_url`: the stack's, which is then asked whether it takes the key. On a table without any key there is no other
/// way to tell whether the secret is the stack's.
pub async fn create_account(api_url: Option<&str>) -> Result<Value, CreateAccountError> {
    let store = operator::store().await?;
    let key = provision::account(&store).await?;
    if let Some(url) = api_url
        && let Err(error) = try_out(url, &key).await
    {
        store.delete_key(key.owner, &key.id).await?;
        return Err(error);
    }
    Ok(json!({ "accountKeyId": key.id, "accountSecret": key.secret.expose() }))
}

async fn try_out(url: &str, key: &ApiKey) -> Result<(), CreateAccountError> {
    let apps = format!("{}/v1.1/apps", url.trim_end_matches('/'));
    let request = reqwest::Client::new().get(apps).basic_auth(key.id.to_string(), Some(key.secret.expose()));
    match request.send().await.map(|answer| answer.status()) {
        Ok(status) if status.is_success() => Ok(()),
        Ok(status) => Err(CreateAccountError::NotTaken { url: url.to_owned(), status }),
        Err(error) => Err(CreateAccountError::Unreachable { url: url.to_owned(), error }),
    }
}
