//! A person who is deleted: hidden, told of, and erased, with their files.

use shared::batch::Later;
use shared::flow::erasure::{Budget, Progress};
use shared::ids::{AppId, AppUserId};
use shared::tasks::Work;
use shared::webhook::Event;

use crate::handler::{Context, Next, PATIENCE, now};

pub async fn erase(
    context: &Context,
    app: AppId,
    user: AppUserId,
    told: bool,
    budget: &mut Budget,
) -> Result<Next, Later> {
    let store = &context.store;
    let bearer = store.hide_user(app, user, now()).await?;
    if bearer != user {
        return Ok(Next::Again(Work::EraseUser { user: bearer, told: false }, 0));
    }
    if !told && let Some(leaving) = store.leaving(app, user).await? {
        let event = Event::user_deleted(app, leaving.person, leaving.deleted);
        context.publisher.publish(&[event]).await?;
    }
    for id in store.ids_of(app, user).await? {
        context.files.delete_all_of_person(app, id).await?;
    }
    let rest = Work::EraseUser { user, told: true };
    Ok(match store.erase_person(app, user, now(), budget).await? {
        Progress::Done => Next::Nothing,
        Progress::More => Next::Again(rest, 0),
        Progress::Waiting => Next::Again(rest, PATIENCE),
    })
}
