//! `POST …/messages`.

use shared::api::{Answer, Call};
use shared::model::Posting;
use shared::store::StoreError;

use super::draft::{Draft, TRIES, who_they_are_now};
use crate::context::Context;
use crate::conversation::may_speak_as;

pub async fn post(context: &Context, call: &Call<'_>) -> Answer {
    let app = call.app()?;
    let mut person = context.api.person(call).await?;
    let posting = Posting::parse(call.json_bytes()?)?;
    may_speak_as(call, posting.role)?;
    for _ in 0..TRIES {
        let draft = Draft::compose(context, app, &person, &posting, None).await?;
        if let Some(answer) = draft.keep(context).await? {
            return Ok(answer);
        }
        person = who_they_are_now(context, app, &person).await?;
    }
    Err(StoreError::Contended.into())
}
