//! Messages that were deleted, one or all up to a moment: hidden, and then erased with the files that end with them.

use shared::batch::Later;
use shared::flow::erasure::{Budget, Progress};
use shared::ids::{AppId, AppUserId, MessageId};
use shared::model::FileKey;
use shared::store::HistoryPart;

use crate::handler::{Context, now};

/// All up to a moment, page by page. Whoever is gone is erased by a task of their own.
pub async fn erase(
    context: &Context,
    app: AppId,
    user: AppUserId,
    parts: &[HistoryPart],
    budget: &mut Budget,
) -> Result<Progress, Later> {
    let Some(person) = context.store.app_user(app, user).await? else { return Ok(Progress::Done) };
    for part in parts {
        let mut after = None;
        loop {
            if budget.is_spent() {
                return Ok(Progress::More);
            }
            let page = context.store.history_page(part, &person, after, now(), budget).await?;
            for file in page.media.iter().filter_map(|url| FileKey::of_message(url, app, &person)) {
                context.files.delete(&file).await?;
                budget.spend(1);
            }
            context.store.erase_history_page(&page, budget).await?;
            if page.is_last() {
                break;
            }
            after = Some(page);
        }
    }
    Ok(Progress::Done)
}

pub async fn erase_one(
    context: &Context,
    app: AppId,
    user: AppUserId,
    message: MessageId,
    file: &str,
) -> Result<Progress, Later> {
    if let Some(person) = context.store.person_by_id(app, user).await?
        && let Some(found) = context.store.find_message(app, &person, message).await?
    {
        context.store.delete_message(app, &person.user, &found).await?;
    }
    if let Some(file) = file.parse::<FileKey>().ok().filter(|file| file.app_id == app) {
        context.files.delete(&file).await?;
    }
    Ok(Progress::Done)
}
