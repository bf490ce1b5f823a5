//! What `callbacks` could not put on the queue: the table's stream names it, and it is put there now.
//!
//! In order, and again from the first that the queue does not take: Lambda waits longer each time, and gives up after a
//! day, when these items end.

use serde::Deserialize;
use serde_json::{Value, json};
use shared::batch::Later;
use shared::store::keys::Key;

use crate::context::Context;

/// New items of the table, by key.
#[derive(Deserialize)]
pub struct StreamEvent {
    #[serde(rename = "Records")]
    records: Vec<Record>,
}

#[derive(Deserialize)]
struct Record {
    dynamodb: Written,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Written {
    keys: Keys,
    sequence_number: String,
}

#[derive(Deserialize)]
struct Keys {
    pk: Text,
    sk: Text,
}

#[derive(Deserialize)]
struct Text {
    #[serde(rename = "S")]
    text: String,
}

pub async fn bring(context: &Context, event: StreamEvent) -> Value {
    for Record { dynamodb: Written { keys, sequence_number } } in event.records {
        let key = Key { pk: keys.pk.text, sk: keys.sk.text };
        if let Err(later) = enqueue(context, &key).await {
            tracing::warn!(reason = later.reason, "what was kept for the queue waits on");
            return json!({ "batchItemFailures": [{ "itemIdentifier": sequence_number }] });
        }
    }
    json!({ "batchItemFailures": [] })
}

/// Whoever dies in between enqueues it again: tasks bear that.
async fn enqueue(context: &Context, key: &Key) -> Result<(), Later> {
    let Some(task) = context.store.parked(key).await? else { return Ok(()) };
    context.queue.send(&task).await?;
    Ok(context.store.forget_parked(key).await?)
}
