//! An outbox entry: once the write that it speaks of is there, what follows from it is sent and told.

use std::time::Duration;

use shared::batch::Later;
use shared::flow::outbox::{self, Look};
use shared::ids::AppId;
use shared::links;
use shared::model::Timestamp;
use shared::store::StoreError;
use shared::tasks::{OutboxEntry, ReceiveTask};
use shared::webhook::Event;

use crate::handler::Context;
use crate::order;

/// Most writes are made within milliseconds of their entry: looked for at these intervals, in milliseconds, before the
/// queue is asked to wait.
const QUICK_LOOKS: [u64; 5] = [10, 20, 40, 80, 160];

pub async fn follow(
    context: &Context,
    app: AppId,
    prepared: Timestamp,
    entry: OutboxEntry,
) -> Result<Vec<Event>, Later> {
    let is_made = is_made(context, app, &entry).await?;
    match outbox::look(is_made, prepared, now()) {
        Look::Follow => consequences(context, app, entry).await,
        // As a task of its own: it is no failure, and uses up none of the queue's tries.
        Look::Again { seconds } => {
            context.queue.send_later(&ReceiveTask::Outbox1 { app_id: app, prepared, entry }, seconds).await?;
            Ok(Vec::new())
        }
        Look::Drop => Ok(Vec::new()),
    }
}

async fn is_made(context: &Context, app: AppId, entry: &OutboxEntry) -> Result<bool, StoreError> {
    for wait in QUICK_LOOKS {
        if context.store.was_made(app, entry).await? {
            return Ok(true);
        }
        tokio::time::sleep(Duration::from_millis(wait)).await;
    }
    context.store.was_made(app, entry).await
}

/// Sends are on their queues before the events are: a repeat finds them claimed.
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
                events.extend(links::replaced(&context.store, app, &older, now()).await?);
            }
            match confirmation {
                Some(task) => context.senders.send(&[(link.client.platform, *task)]).await?,
                None => events.extend(links::begun_without_message(&context.store, app, &link, now()).await?),
            }
            Ok(events)
        }
        OutboxEntry::Unlinking { event, .. } | OutboxEntry::Merge { event, .. } => Ok(vec![*event]),
    }
}

fn now() -> Timestamp {
    std::time::SystemTime::now().into()
}
