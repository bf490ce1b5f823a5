//! `create-account`: a deployed stack's account with its first key, written to the table. Everything else is the API's.
//! Prints the key's id and secret, once.

use reqwest::Method;
use serde_json::{Value, json};
use shared::ids::AccountId;
use shared::model::{ApiKey, KeyOwner};
use shared::store::StoreError;
use shared::system::System;

use crate::api::{Api, ApiFailure};
use crate::stack::{Stack, StackError};

/// Make an account, and print its first key.
#[derive(Debug, clap::Args)]
pub struct Arguments {
    /// The stack's API, which is asked whether it takes the key; one that it does not take is deleted again.
    #[arg(long, value_name = "URL")]
    api_url: Option<String>,
}

#[derive(Debug, thiserror::Error)]
pub enum CreateAccountError {
    #[error(transparent)]
    Stack(#[from] StackError),
    #[error("the table can't be written: {0}")]
    Store(#[from] StoreError),
    #[error(
        "the new key was deleted again: {0}; if it was refused, SEALING_SECRET_ARN or TABLE_NAME is another stack's"
    )]
    NotTaken(ApiFailure),
}

/// # Errors
/// What is missing, wrong or refused; no key is left then.
pub async fn run(arguments: &Arguments) -> Result<Value, CreateAccountError> {
    let stack = Stack::of_environment().await?;
    let key = create_account(&stack, arguments.api_url.as_deref()).await?;
    Ok(json!({ "accountKeyId": key.id, "accountSecret": key.secret.expose() }))
}

/// `api_url`: of the stack, which is asked whether it takes the key. On a table without any key there is no other way to
/// tell whether the secret is the stack's.
///
/// # Errors
/// When the table or the API refuses; no key is left then.
pub async fn create_account(stack: &Stack, api_url: Option<&str>) -> Result<ApiKey, CreateAccountError> {
    let id = AccountId::generate(&System);
    let key = ApiKey::generate(&System, KeyOwner::Account(id), Some("first".into()));
    stack.store.create_account(id).await?;
    stack.store.create_key(&key).await?;
    if let Some(url) = api_url
        && let Err(failure) = Api::new(url, &key).call(Method::GET, "apps", None).await
    {
        stack.store.delete_key(key.owner, &key.id).await?;
        return Err(CreateAccountError::NotTaken(failure));
    }
    Ok(key)
}
