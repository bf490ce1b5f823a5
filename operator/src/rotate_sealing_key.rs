//! `rotate-sealing-key`: adds a key to the stack's sealing secret, which seals from now on. Those before it go on opening
//! what they sealed, until `drop-sealing-keys`.

use serde_json::{Value, json};
use shared::model::Secret;
use shared::secrets::SecretError;
use shared::system::System;

use crate::stack::{Stack, StackError};

/// Add a key to the sealing secret, which seals from now on. All that was sealed before stays valid.
#[derive(Debug, clap::Args)]
pub struct Arguments {}

#[derive(Debug, thiserror::Error)]
pub enum RotationError {
    #[error(transparent)]
    Stack(#[from] StackError),
    #[error("the sealing secret can't be written: {0}")]
    Secret(#[from] SecretError),
    #[error("there are as many keys as a sealed value can name: drop the old ones first")]
    TooMany,
}

/// # Errors
/// When the secret can't be read or written; it is as it was then.
pub async fn run(_: &Arguments) -> Result<Value, RotationError> {
    rotate(&Stack::of_environment().await?).await
}

/// # Errors
/// As [`run`].
pub async fn rotate(stack: &Stack) -> Result<Value, RotationError> {
    let old = stack.secret.read().await?;
    let new = old.secret.clone().with_next(Secret::generate(&System)).ok_or(RotationError::TooMany)?;
    stack.secret.replace(&old, &new).await?;
    let opening: Vec<String> = new.retired().map(|version| version.to_string()).collect();
    Ok(json!({ "seals": new.current().to_string(), "open": opening }))
}
