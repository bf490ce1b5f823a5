//! `PUT …/profile/photo`: the picture that a profile shows (docs/REFERENCE.md, 9).
//!
//! A photo ends when it is shown no more. Whoever replaces one says so beforehand, and a minute later `upkeep` looks what
//! is shown: by then the change is made, or never will be. A photo that is uploaded is looked at too, so that of two at
//! once one stays. What a deleted integration showed goes with it.

use serde_json::json;
use shared::api::multipart::{self, Upload};
use shared::api::{Answer, Call};
use shared::files::File;
use shared::gateway::{self, Refusal};
use shared::model::{FileKey, FileOwner, Integration};
use shared::queue::QueueError;
use shared::system::System;
use shared::tasks::Work;

use super::{missing, named};
use crate::context::Context;

pub async fn upload(context: &Context, call: &Call<'_>) -> Answer {
    let old = named(context, call).await?;
    old.profile()?;
    let Upload { name, media_type, bytes } = multipart::upload(call.request()).await?.picture()?;
    let key = FileKey::generate(&System, old.app_id, FileOwner::Integration(old.id), name);
    let url = key.url(&context.public_url);
    look_again(context, &old, key.clone()).await?;
    replaced(context, &old).await?;
    context.files.put(&key, File { media_type, bytes }).await?;
    let edit = |integration: Integration| Ok::<_, Refusal>(integration.with_photo(url.clone())?);
    context.store.change_integration(old.app_id, old.id, edit).await?.ok_or_else(missing)?;
    Ok(gateway::json(200, &json!({ "photoUrl": url })))
}

/// To be said before a profile shows another photo, or none.
pub async fn replaced(context: &Context, old: &Integration) -> Result<(), QueueError> {
    match old.photo() {
        Some(photo) => look_again(context, old, photo).await,
        None => Ok(()),
    }
}

async fn look_again(context: &Context, integration: &Integration, photo: FileKey) -> Result<(), QueueError> {
    let work = Work::ErasePhoto { integration: integration.id, file: photo.to_string() };
    context.upkeep.in_a_minute(integration.app_id, work).await
}
