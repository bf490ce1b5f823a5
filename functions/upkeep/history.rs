//! Messages that were deleted, one or all up to a moment: hidden, and then erased with the files that end with them.

use shared::batch::Later;
use shared::erasure::{Budget, HistoryWalk};
use shared::ids::{AppId, AppUserId, ConversationId, IntegrationId, MessageId};
use shared::model::{Address, FileKey, Timestamp};
use shared::store::HistoryPart;
use shared::system::now;

use crate::context::Context;

/// What is to be erased.
pub struct History<'a> {
    pub user: AppUserId,
    pub conversations: &'a [ConversationId],
    pub clients: &'a [(IntegrationId, Address)],
    pub until: Timestamp,
}

/// All up to a moment, page by page: where to go on, if it is not done. Whoever is gone is erased by a task of their own.
pub async fn erase(
    context: &Context,
    app: AppId,
    history: &History<'_>,
    walk: &HistoryWalk,
    budget: &mut Budget,
) -> Result<Option<HistoryWalk>, Later> {
    let Some(person) = context.store.app_user(app, history.user).await? else { return Ok(None) };
    if !walk.hidden {
        context.store.clear_messages(app, history.user, history.conversations, history.until).await?;
    }
    let mut walk = HistoryWalk { hidden: true, ..walk.clone() };
    let parts = HistoryPart::all(app, history.conversations, history.clients, history.until);
    while let Some(part) = parts.get(walk.part) {
        if budget.is_spent() {
            return Ok(Some(walk));
        }
        let page = context.store.history_page(part, &person, walk.after.as_deref(), now(), budget).await?;
        for file in page.media.iter().filter_map(|url| FileKey::of_message(url, app, &person)) {
            context.files.delete(&file).await?;
            budget.spend(1);
        }
        context.store.erase_history_page(&page, budget).await?;
        let part = if page.last.is_none() { walk.part + 1 } else { walk.part };
        walk = HistoryWalk { part, after: page.last, ..walk };
    }
    Ok(None)
}

pub async fn erase_one(
    context: &Context,
    app: AppId,
    user: AppUserId,
    message: MessageId,
    file: &str,
) -> Result<(), Later> {
    if let Some(person) = context.store.person_by_id(app, user).await?
        && let Some(found) = context.store.find_message(app, &person, message).await?
    {
        context.store.delete_message(app, &person.user, &found).await?;
    }
    if let Some(file) = file.parse::<FileKey>().ok().filter(|file| file.app_id == app) {
        context.files.delete(&file).await?;
    }
    Ok(())
}
