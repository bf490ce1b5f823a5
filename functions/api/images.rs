//! `POST …/images`: a picture and the message that shows it, in one request (docs/REFERENCE.md, 4.4).
//!
//! The picture is kept as one that was uploaded for the person, and the message is said as any other. Before the picture
//! is kept, `upkeep` is asked to look a minute later whether the message was: without it the picture goes.

use shared::api::multipart::{self, Form, Upload};
use shared::api::{Answer, Call};
use shared::files::File;
use shared::model::{FileFacts, FileKey, FileOwner, Posting};
use shared::store::StoreError;
use shared::system::System;
use shared::tasks::Work;

use crate::context::Context;
use crate::conversation::may_speak_as;
use crate::messages::draft::{Draft, TRIES, who_they_are_now};

pub async fn post(context: &Context, call: &Call<'_>) -> Answer {
    let app_id = call.app()?;
    let mut person = context.api.person(call).await?;
    let Form { file, fields } = multipart::form(call.request()).await?;
    let Upload { name, media_type, bytes } = file.picture()?;
    let facts = FileFacts { media_type: media_type.clone(), size: bytes.len() as u64 };
    for _ in 0..TRIES {
        let key = FileKey::generate(&System, app_id, FileOwner::Person(person.user.id), name.clone());
        let posting = Posting::of_picture(fields.clone(), &key.url(&context.public_url), &media_type)?;
        may_speak_as(call, posting.role)?;
        let draft = Draft::compose(context, app_id, &person, &posting, Some(facts.clone())).await?;
        let work = Work::ErasePicture { file: key.to_string(), message: draft.place()? };
        context.upkeep.in_a_minute(app_id, work).await?;
        context.files.put(&key, File { media_type: media_type.clone(), bytes: bytes.clone() }).await?;
        if let Some(answer) = draft.keep(context).await? {
            return Ok(answer);
        }
        person = who_they_are_now(context, app_id, &person).await?;
    }
    Err(StoreError::Contended.into())
}
