//! `reseal`: what the table holds sealed under other keys than the current one is sealed anew. Walks over the whole table,
//! and goes on until a walk has found nothing to do.

use std::time::Duration;

use serde_json::{Value, json};
use shared::secrets::{Keyring, SecretError};
use shared::store::{Resealed, StoreError};

use crate::stack::{Stack, StackError};

/// A warm function seals under the key before for as long as it remembers what it has opened, and no longer: what it
/// opens then bears the new version.
pub const UNTIL_KNOWN: Duration = Duration::from_secs(35);
/// Walks, of which each finds less.
const WALKS: usize = 5;

/// Seal anew what the table holds under earlier keys. Takes a walk over the whole table, and half a minute more.
#[derive(Debug, clap::Args)]
pub struct Arguments {}

#[derive(Debug, thiserror::Error)]
pub enum ResealError {
    #[error(transparent)]
    Stack(#[from] StackError),
    #[error("the sealing secret can't be read: {0}")]
    Secret(#[from] SecretError),
    #[error(
        "the table can't be read or written: {0}; what was sealed anew stays so, and the rest follows when it is run again"
    )]
    Store(#[from] StoreError),
    #[error("{0} values of the table open under none of the keys: is one missing?")]
    Unopenable(usize),
    #[error("in {WALKS} walks there was always something left: run it again")]
    Endless,
}

/// # Errors
/// What stands in the way; every value is sealed under one key or the other then.
pub async fn run(_: &Arguments) -> Result<Value, ResealError> {
    reseal(&Stack::of_environment().await?, UNTIL_KNOWN).await
}

/// `pause`: between a walk that changed something and the next.
///
/// # Errors
/// As [`run`].
pub async fn reseal(stack: &Stack, pause: Duration) -> Result<Value, ResealError> {
    let secret = stack.secret.read().await?.secret;
    let keys = Keyring::new(&secret);
    let mut resealed = 0;
    for _ in 0..WALKS {
        let walk = walk(stack, &keys).await?;
        resealed += walk.changed;
        if walk.unopenable > 0 {
            return Err(ResealError::Unopenable(walk.unopenable));
        }
        if walk.changed + walk.overtaken == 0 {
            return Ok(json!({ "seals": secret.current().to_string(), "resealed": resealed }));
        }
        tokio::time::sleep(pause).await;
    }
    Err(ResealError::Endless)
}

async fn walk(stack: &Stack, keys: &Keyring) -> Result<Resealed, StoreError> {
    let mut whole = Resealed::default();
    let mut place = None;
    loop {
        let (page, next) = stack.store.reseal(keys, place.as_ref()).await?;
        whole.changed += page.changed;
        whole.overtaken += page.overtaken;
        whole.unopenable += page.unopenable;
        match next {
            Some(next) => place = Some(next),
            None => return Ok(whole),
        }
    }
}
