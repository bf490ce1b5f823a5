//! One batch of erasures. Each makes one step; what is left then goes back on the queue as a task of its own. Files go
//! first, since the table says whose they are.
//!
//! A step that dies is made again over what is left. A task that is done twice finds nothing the second time.

use std::sync::Arc;

use aws_lambda_events::sqs::SqsEvent;
use serde_json::Value;
use shared::batch::{self, Later, Record};
use shared::config::ConfigError;
use shared::files::Files;
use shared::flow::erasure::{Budget, Progress};
use shared::ids::{AppId, IntegrationId};
use shared::model::{Address, FileKey, Timestamp};
use shared::queue::Queue;
use shared::store::{ErasedAddress, ErasedPerson, Store};
use shared::tasks::{UpkeepTask, Work};
use shared::telemetry::{Metric, Outcome};
use shared::webhook::Event;

/// A few seconds' worth.
const REQUESTS_A_STEP: u32 = 400;
/// Seconds until a send that is under way is looked at again.
const PATIENCE: u32 = 300;

pub struct Context {
    store: Store,
    files: Files,
    queue: Queue,
}

/// What follows from a step.
enum Next {
    Nothing,
    /// Seconds from now.
    Again(Work, u32),
}

impl Context {
    pub async fn from_env() -> Result<Self, ConfigError> {
        let aws = shared::aws::config().await;
        Ok(Self {
            store: Store::from_env(&aws)?,
            files: Files::from_env(&aws)?,
            queue: Queue::from_env(&aws, "UPKEEP_QUEUE_URL")?,
        })
    }

    pub async fn warm(&self) {
        self.store.warm().await;
    }
}

pub async fn handle(context: Arc<Context>, batch: SqsEvent) -> Value {
    let each = |record| work(Arc::clone(&context), record);
    batch::run(batch, &context.queue, None, each).await
}

async fn work(context: Arc<Context>, record: Record<UpkeepTask>) -> Result<Vec<Event>, Later> {
    let UpkeepTask::V1 { app_id, work } = record.task;
    let outcome = |metric| Outcome::of(metric).with("appId", app_id).with("work", work.name());
    match step(&context, app_id, &work).await? {
        Next::Nothing => outcome(Metric::DataErased).log(),
        Next::Again(rest, seconds) => {
            context.queue.send_later(&UpkeepTask::V1 { app_id, work: rest }, seconds).await?;
            outcome(Metric::ErasureContinued).log();
        }
    }
    Ok(Vec::new())
}

async fn step(context: &Context, app: AppId, work: &Work) -> Result<Next, Later> {
    let store = &context.store;
    let budget = &mut Budget::new(REQUESTS_A_STEP);
    let progress = match work {
        Work::EraseApp { shard } => return erase_app(context, app, *shard, budget).await,
        Work::EraseUser { user, user_id, conversations, clients } => {
            let person = ErasedPerson {
                id: *user,
                user_id: user_id.clone(),
                conversations: conversations.clone(),
                addresses: addresses(clients),
            };
            for id in store.ids_of(app, person.id).await? {
                context.files.delete_all_of_person(app, id).await?;
            }
            let now = Timestamp::from(std::time::SystemTime::now());
            store.erase_person(app, &person, now, budget).await?
        }
        Work::EraseFile { file } => {
            if let Some(file) = file.parse::<FileKey>().ok().filter(|file| file.app_id == app) {
                context.files.delete(&file).await?;
            }
            Progress::Done
        }
        Work::EraseMessages { conversations, clients, until } => {
            for url in store.media_until(app, conversations, *until, budget).await? {
                if let Some(file) = FileKey::of_message(&url, app) {
                    context.files.delete(&file).await?;
                }
            }
            store.erase_messages(app, conversations, &addresses(clients), *until, budget).await?
        }
    };
    Ok(match progress {
        Progress::Done => Next::Nothing,
        Progress::More => Next::Again(work.clone(), 0),
        Progress::Waiting => Next::Again(work.clone(), PATIENCE),
    })
}

/// The task comes before the deletion: of an app that is still there, nothing was deleted.
async fn erase_app(context: &Context, app: AppId, shard: u16, budget: &mut Budget) -> Result<Next, Later> {
    if context.store.app_now(app).await?.is_some() {
        return Ok(Next::Nothing);
    }
    context.files.delete_all_of_app(app).await?;
    let left = context.store.erase_app(app, shard, budget).await?;
    Ok(left.map_or(Next::Nothing, |shard| Next::Again(Work::EraseApp { shard }, 0)))
}

fn addresses(clients: &[(IntegrationId, Address)]) -> Vec<ErasedAddress> {
    let address = |(integration, address): &(IntegrationId, Address)| ErasedAddress {
        integration: *integration,
        address: address.clone(),
    };
    clients.iter().map(address).collect()
}
