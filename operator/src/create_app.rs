//! `create-app`: an account with an app that is ready to send. The account is written to the table; its key then makes
//! the app, a key of it, its integrations and its webhooks by the API, which asks the carriers whether their accounts
//! are good. Prints ids and secrets, once. What fails half-way is taken back.

use std::io;
use std::path::{Path, PathBuf};

use reqwest::Method;
use serde::Deserialize;
use serde_json::{Value, json};
use shared::store::StoreError;

use crate::api::{Api, ApiFailure};
use crate::create_account::{CreateAccountError, create_account};
use crate::stack::{Stack, StackError};

/// Make an account with an app that is ready to send, and print their keys.
#[derive(Debug, clap::Args)]
pub struct Arguments {
    /// JSON: the app's name, and its integrations and webhooks as the API takes them.
    #[arg(value_name = "SPECIFICATION")]
    path: PathBuf,
    /// The stack's API.
    #[arg(long, value_name = "URL")]
    api_url: String,
}

/// An app to be, as an operator writes it.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Specification {
    name: String,
    /// Bodies of `POST …/integrations`.
    #[serde(default)]
    integrations: Vec<Value>,
    /// Bodies of `POST …/webhooks`.
    #[serde(default)]
    webhooks: Vec<Value>,
}

#[derive(Debug, thiserror::Error)]
pub enum CreateAppError {
    #[error("{} can't be read: {error}", path.display())]
    Unreadable { path: PathBuf, error: io::Error },
    #[error("{} is no app specification: {error}", path.display())]
    Malformed { path: PathBuf, error: serde_json::Error },
    #[error(transparent)]
    Stack(#[from] StackError),
    #[error(transparent)]
    Account(#[from] CreateAccountError),
    #[error("the table can't be written: {0}")]
    Store(#[from] StoreError),
    #[error("no app was made: {0}")]
    Refused(#[from] ApiFailure),
    #[error("the app {app} was left behind half made, and can't be deleted: {failure}")]
    LeftBehind { app: String, failure: ApiFailure },
}

/// # Errors
/// What is missing, wrong or refused.
pub async fn run(arguments: &Arguments) -> Result<Value, CreateAppError> {
    let wanted = read(&arguments.path)?;
    create_app(&Stack::of_environment().await?, &arguments.api_url, &wanted).await
}

/// # Errors
/// What the table or the API refuses; nothing that can be used is left then.
pub async fn create_app(stack: &Stack, api_url: &str, wanted: &Specification) -> Result<Value, CreateAppError> {
    let key = create_account(stack, Some(api_url)).await?;
    match make(&Api::new(api_url, &key), wanted).await {
        Ok(mut made) => {
            made["accountKeyId"] = json!(key.id);
            made["accountSecret"] = key.secret.expose().into();
            Ok(made)
        }
        Err(error) => {
            stack.store.delete_key(key.owner, &key.id).await?;
            Err(error)
        }
    }
}

fn read(path: &Path) -> Result<Specification, CreateAppError> {
    let text = std::fs::read(path).map_err(|error| CreateAppError::Unreadable { path: path.to_owned(), error })?;
    serde_json::from_slice(&text).map_err(|error| CreateAppError::Malformed { path: path.to_owned(), error })
}

/// The app, complete; or what was made of it is deleted again.
async fn make(api: &Api<'_>, wanted: &Specification) -> Result<Value, CreateAppError> {
    let answer = api.call(Method::POST, "apps", Some(&json!({ "name": wanted.name }))).await?;
    let app = answer["app"]["_id"].as_str().unwrap_or_default();
    let path = format!("apps/{app}");
    match fill(api, &path, wanted).await {
        Ok(mut made) => {
            made["appId"] = app.into();
            Ok(made)
        }
        Err(failure) => match api.call(Method::DELETE, &path, None).await {
            Ok(_) => Err(failure.into()),
            Err(_) => Err(CreateAppError::LeftBehind { app: app.to_owned(), failure }),
        },
    }
}

/// What belongs to the app at `path`.
async fn fill(api: &Api<'_>, path: &str, wanted: &Specification) -> Result<Value, ApiFailure> {
    let mut integrations = Vec::new();
    for body in &wanted.integrations {
        let made = &api.call(Method::POST, &format!("{path}/integrations"), Some(body)).await?["integration"];
        integrations.push(json!({ "id": made["_id"], "type": made["type"] }));
    }
    let mut webhooks = Vec::new();
    for body in &wanted.webhooks {
        let made = &api.call(Method::POST, &format!("{path}/webhooks"), Some(body)).await?["webhook"];
        webhooks.push(json!({ "id": made["_id"], "target": made["target"], "secret": made["secret"] }));
    }
    let key = &api.call(Method::POST, &format!("{path}/keys"), Some(&json!({ "name": "first" }))).await?["key"];
    Ok(json!({ "keyId": key["_id"], "secret": key["secret"], "integrations": integrations, "webhooks": webhooks }))
}
