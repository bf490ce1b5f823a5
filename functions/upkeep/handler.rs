//! One batch of erasures. Each makes one step; what is left then goes back on the queue as a task of its own. Files go
//! first, since the table says whose they are.
//!
//! A step that dies is made again over what is left. A task that is done twice finds nothing the second time.

use std::sync::Arc;

use aws_lambda_events::sqs::SqsEvent;
use serde_json::Value;
use shared::batch::{self, Later, Record};
use shared::erasure::Budget;
use shared::files::FilesError;
use shared::ids::AppId;
use shared::model::FileKey;
use shared::store::PeopleWalk;
use shared::tasks::{UpkeepTask, Work};
use shared::telemetry::{Metric, Outcome};
use shared::webhook::Event;

use crate::context::{Context, Next};
use crate::{history, integration, person};

/// A few seconds' worth.
const REQUESTS_A_STEP: u32 = 400;
/// Seconds after which no function remembers an integration any more, and makes people of those who reply to it.
const REMEMBERED: u32 = 60;
pub async fn handle(context: Arc<Context>, batch: SqsEvent) -> Value {
    let each = |record| work(Arc::clone(&context), record);
    batch::run(batch, &context.queue, None, each).await
}

async fn work(context: Arc<Context>, record: Record<UpkeepTask>) -> Result<Vec<Event>, Later> {
    let UpkeepTask::V1 { app_id, work } = record.task;
    let outcome = |metric| Outcome::of(metric).with("appId", app_id).with("work", work.name());
    let mut budget = Budget::new(REQUESTS_A_STEP);
    match step(&context, app_id, &work, &mut budget).await? {
        Next::Nothing => outcome(Metric::DataErased).log(),
        // It would come back for ever: as a failure it ends among the dead letters, with an alarm.
        Next::Again(rest, 0) if rest == work && budget.erased() == 0 => {
            return Err(Later::because("the erasure does not advance"));
        }
        Next::Again(rest, seconds) => {
            context.queue.send_later(&UpkeepTask::V1 { app_id, work: rest }, seconds).await?;
            outcome(Metric::ErasureContinued).log();
        }
    }
    Ok(Vec::new())
}

async fn step(context: &Context, app: AppId, work: &Work, budget: &mut Budget) -> Result<Next, Later> {
    match work {
        Work::EraseApp { shard, conversations } => {
            let walk = PeopleWalk { shard: *shard, conversations: *conversations };
            return erase_app(context, app, walk, budget).await;
        }
        Work::EraseIntegration { integration, walk } => {
            let left = integration::erase(context, app, *integration, walk, budget).await?;
            let again = |walk| Next::Again(Work::EraseIntegration { integration: *integration, walk }, 0);
            return Ok(left.map_or(Next::Nothing, again));
        }
        Work::ErasePhoto { integration, file } => {
            let shown = context.store.integration_photo(app, *integration).await?;
            if shown.is_none_or(|photo| photo.to_string() != *file) {
                delete(context, app, file).await?;
            }
        }
        Work::ErasePicture { file, message } => {
            if !context.store.is_kept(app, *message).await? {
                delete(context, app, file).await?;
            }
        }
        Work::EraseUser { user, told, walk } => {
            return person::erase(context, app, *user, *told, walk, budget).await;
        }
        Work::EraseMessage { user, message, file } => history::erase_one(context, app, *user, *message, file).await?,
        Work::EraseMessages { user, conversations, clients, until, walk } => {
            let history = history::History { user: *user, conversations, clients, until: *until };
            let left = history::erase(context, app, &history, walk, budget).await?;
            let (user, conversations, clients) = (*user, conversations.clone(), clients.clone());
            let again = |walk| Work::EraseMessages { user, conversations, clients, until: *until, walk };
            return Ok(left.map_or(Next::Nothing, |walk| Next::Again(again(walk), 0)));
        }
    }
    Ok(Next::Nothing)
}

/// The task comes before the deletion: of an app that is still there, nothing was deleted.
async fn erase_app(context: &Context, app: AppId, walk: PeopleWalk, budget: &mut Budget) -> Result<Next, Later> {
    if context.store.app_now(app).await?.is_some() {
        return Ok(Next::Nothing);
    }
    let rest = |walk: PeopleWalk| Work::EraseApp { shard: walk.shard, conversations: walk.conversations };
    if context.store.erase_settings(app, budget).await? {
        return Ok(Next::Again(rest(walk), REMEMBERED));
    }
    context.files.delete_all_of_app(app).await?;
    let left = context.store.erase_people(app, walk, budget).await?;
    Ok(left.map_or(Next::Nothing, |walk| Next::Again(rest(walk), 0)))
}

/// The app's file of that key.
async fn delete(context: &Context, app: AppId, file: &str) -> Result<(), FilesError> {
    match file.parse::<FileKey>().ok().filter(|file| file.app_id == app) {
        Some(file) => context.files.delete(&file).await,
        None => Ok(()),
    }
}
