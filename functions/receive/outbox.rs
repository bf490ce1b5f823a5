//! An outbox entry: once the write that it speaks of is made, what follows from it is sent and told.

use std::time::Duration;

use shared::batch::Later;
use shared::ids::AppId;
use shared::linking;
use shared::model::Timestamp;
use shared::outbox::{self, Follows, Look, Mark, OutboxEntry};
use shared::store::StoreError;
use shared::system::now;
use shared::tasks::ReceiveTask;
use shared::webhook::Event;

use crate::context::Context;
use crate::order;

/// Most writes are made within milliseconds of their entry: looked for at these intervals, in milliseconds, before the
/// queue is asked to wait.
const QUICK_LOOKS: [u64; 5] = [10, 20, 40, 80, 160];

/// Sends are on their queues before the events are: a repeat finds them claimed.
pub async fn follow(
    context: &Context,
    app: AppId,
    prepared: Timestamp,
    mark: Mark,
    follows: Follows,
) -> Result<Vec<Event>, Later> {
    let is_made = patiently(|| context.store.was_made(app, mark)).await?;
    match outbox::look(is_made, prepared, now()) {
        Look::Follow => {
            // A message's mark lies in the conversation that the message does.
            let sends = order::behind_others(&context.store, app, mark.conversation, follows.sends).await?;
            context.senders.send(&sends).await?;
            Ok(follows.events)
        }
        // As a task of its own: it is no failure, and uses up none of the queue's tries.
        Look::Again { seconds } => {
            context.queue.send_later(&ReceiveTask::Outbox2 { app_id: app, prepared, mark, follows }, seconds).await?;
            Ok(Vec::new())
        }
        Look::Drop => Ok(Vec::new()),
    }
}

/// An entry of an earlier version, which knew no marks.
pub async fn follow_unmarked(
    context: &Context,
    app: AppId,
    prepared: Timestamp,
    entry: OutboxEntry,
) -> Result<Vec<Event>, Later> {
    let is_made = patiently(|| context.store.is_there(app, &entry)).await?;
    match outbox::look(is_made, prepared, now()) {
        Look::Follow => consequences(context, app, entry).await,
        Look::Again { seconds } => {
            context.queue.send_later(&ReceiveTask::Outbox1 { app_id: app, prepared, entry }, seconds).await?;
            Ok(Vec::new())
        }
        Look::Drop => Ok(Vec::new()),
    }
}

async fn patiently<F>(is_made: impl Fn() -> F) -> Result<bool, StoreError>
where
    F: Future<Output = Result<bool, StoreError>>,
{
    for wait in QUICK_LOOKS {
        if is_made().await? {
            return Ok(true);
        }
        tokio::time::sleep(Duration::from_millis(wait)).await;
    }
    is_made().await
}

async fn consequences(context: &Context, app: AppId, entry: OutboxEntry) -> Result<Vec<Event>, Later> {
    match entry {
        OutboxEntry::Message { conversation, sends, event, .. } => {
            let sends = order::behind_others(&context.store, app, conversation, sends).await?;
            context.senders.send(&sends).await?;
            Ok(vec![*event])
        }
        OutboxEntry::Link { link, confirmation, gives_way } => {
            let mut events = Vec::new();
            if let Some(older) = gives_way {
                events.extend(linking::replaced(&context.store, app, &older, now()).await?);
            }
            match confirmation {
                Some(task) => context.senders.send(&[(link.client.platform, *task)]).await?,
                None => events.extend(linking::sent_of(&context.store, app, &link, now()).await?),
            }
            Ok(events)
        }
        OutboxEntry::Unlinking { event, .. } | OutboxEntry::Merge { event, .. } => Ok(vec![*event]),
    }
}
