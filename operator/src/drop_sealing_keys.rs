//! `drop-sealing-keys`: takes the keys before the current one out of the sealing secret, once nothing needs them: the
//! table is sealed anew, and the last message whose receipts bear a token under them was sent long enough ago.

use std::time::Duration;

use serde_json::{Value, json};
use shared::secrets::SecretError;
use shared::system::now;

use crate::reseal::{self, ResealError, UNTIL_KNOWN};
use crate::stack::{Stack, StackError};

/// Tokens of receipts are believed for thirty days; and a warm function may go on sealing under the key before until it
/// has learnt of the new one.
const DAYS: i64 = 31;

/// Drop the keys before the current one, thirty-one days after the rotation.
#[derive(Debug, clap::Args)]
pub struct Arguments {
    /// At once, since a key is known to others: receipts of messages that were sent before the rotation are refused.
    #[arg(long)]
    leaked: bool,
}

#[derive(Debug, thiserror::Error)]
pub enum DropError {
    #[error(transparent)]
    Stack(#[from] StackError),
    #[error(transparent)]
    Reseal(#[from] ResealError),
    #[error("the sealing secret can't be written: {0}")]
    Secret(#[from] SecretError),
    #[error(
        "receipts of messages from before the rotation may come until {0}: run it then, or with --leaked, and they are \
         refused"
    )]
    TooEarly(String),
}

/// # Errors
/// What stands in the way; no key is dropped then.
pub async fn run(arguments: &Arguments) -> Result<Value, DropError> {
    drop_keys(&Stack::of_environment().await?, arguments.leaked, UNTIL_KNOWN).await
}

/// `pause`: as [`reseal::reseal`]'s.
///
/// # Errors
/// As [`run`].
pub async fn drop_keys(stack: &Stack, leaked: bool, pause: Duration) -> Result<Value, DropError> {
    let old = stack.secret.read().await?;
    let dropped: Vec<String> = old.secret.retired().map(|version| version.to_string()).collect();
    let ends = old.since.plus_seconds(DAYS * 86_400);
    if !dropped.is_empty() && !leaked && now() < ends {
        return Err(DropError::TooEarly(ends.iso()));
    }
    reseal::reseal(stack, pause).await?;
    let new = old.secret.clone().without_retired();
    if new != old.secret {
        stack.secret.replace(&old, &new).await?;
    }
    Ok(json!({ "seals": new.current().to_string(), "dropped": dropped }))
}
