//! What carriers told us and the queue could not take: kept beside the address it is about, until the table's own stream
//! has brought it to the queue.
//!
//! Found by nobody but the stream, which names each new item once and again until it is done with. Erasures of an address
//! take these with them like anything that lies there; the rest ends within a day.

use serde::{Deserialize, Serialize};
use serde_json::Value;
use sha2::{Digest, Sha256};

use crate::ids::AppId;
use crate::model::Timestamp;
use crate::store::table::keys::{AddressPartition, Key};
use crate::store::table::{ItemChange, seconds_from};
use crate::store::{Store, StoreError};
use crate::tasks::{Group, ReceiveTask, Received, Task};

/// The stream gives up after as long.
const KEPT_DAYS: i64 = 1;

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
struct ParkedItem {
    app_id: AppId,
    /// JSON, as the queue would hold it.
    task: String,
    ttl: i64,
}

/// A task as it stands: whoever reads it from the queue may know more than this version.
#[derive(Serialize)]
#[serde(transparent)]
pub struct Parked {
    #[serde(skip)]
    app_id: AppId,
    task: Value,
}

impl Task for Parked {
    fn group(&self) -> Group {
        self.app_id.into()
    }
}

impl Store {
    /// Keeps a task. The same task twice is kept once.
    pub async fn park(&self, task: &ReceiveTask, now: Timestamp) -> Result<(), StoreError> {
        // Only what a carrier told has a place.
        let (app_id, partition, received) = place(task).ok_or(StoreError::Placeless)?;
        let text = |error| StoreError::unwritable(&partition.parked(received, ""), &error);
        let task = serde_json::to_string(task).map_err(text)?;
        let key = partition.parked(received, &hex::encode(&Sha256::digest(&task)[..12]));
        let item = ParkedItem { app_id, task, ttl: seconds_from(now, KEPT_DAYS) };
        self.table.put(ItemChange::of(&key).when_absent(), &item).await?;
        Ok(())
    }

    /// The task that the stream named; `None` once it is on its way, or was erased with its address.
    pub async fn parked(&self, key: &Key) -> Result<Option<Parked>, StoreError> {
        let Some(item) = self.table.get::<ParkedItem>(key).await? else { return Ok(None) };
        let task = serde_json::from_str(&item.task).map_err(|error| StoreError::unreadable(Some(key), &error))?;
        Ok(Some(Parked { app_id: item.app_id, task }))
    }

    pub async fn forget_parked(&self, key: &Key) -> Result<(), StoreError> {
        self.table.delete(key).await
    }
}

/// Where it belongs, and when it came.
fn place(task: &ReceiveTask) -> Option<(AppId, AddressPartition, Timestamp)> {
    let ReceiveTask::V1 { app_id, integration_id, received, what, .. } = task else { return None };
    let address = match what {
        Received::Receipt { context, .. } => &context.address,
        Received::Reply(reply) => &reply.from,
    };
    Some((*app_id, AddressPartition::new(*app_id, *integration_id, address), *received))
}
