//! DynamoDB is `dynoxide`, served on a listener of its own; this file makes the template's tables in it, passes
//! requests through, and reads off each answer what it would have cost.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use axum::body::Bytes;
use axum::http::{HeaderMap, StatusCode, header};
use dynoxide::Database;
use serde_json::{Value, json};
use tokio::net::TcpListener;
use tokio::task::JoinHandle;

use crate::lambda::template::Table;

/// How often expired items are deleted; the real service takes its time, too.
const SWEEP: Duration = Duration::from_secs(30);

/// The database and its server. Cloning gives another handle.
#[derive(Clone)]
pub struct DynamoDb {
    database: Database,
    client: reqwest::Client,
    url: Arc<str>,
    _server: Arc<Server>,
}

struct Server(JoinHandle<()>);

impl Drop for Server {
    fn drop(&mut self) {
        self.0.abort();
    }
}

/// An answer of the database with what it consumed.
#[derive(Debug)]
pub struct Answer {
    pub status: StatusCode,
    pub content_type: String,
    pub body: Bytes,
    pub read_units: f64,
    pub write_units: f64,
}

/// Why the database can't be had.
#[derive(Debug, thiserror::Error)]
#[error("the table store can't be used: {0}")]
pub struct DynamoDbError(String);

impl DynamoDb {
    /// Opens `file`, or a database that ends with the engine, and makes the tables that aren't there yet.
    pub async fn open(file: Option<&Path>, tables: &[Table]) -> Result<Self, DynamoDbError> {
        let error = |e: &dyn std::fmt::Display| DynamoDbError(e.to_string());
        // SQLite keeps a database without a name to itself: in memory while it is small, then in a file that vanishes.
        let name = file.map(Path::to_string_lossy).unwrap_or_default();
        let database = Database::new(&name).map_err(|e| error(&e))?;
        // Despite its name this is what says synchronous=NORMAL: no sync to disk for every write, which only a power
        // cut would make good.
        database.disable_bulk_loading().map_err(|e| error(&e))?;
        for table in tables {
            make(&database, table).map_err(|e| DynamoDbError(format!("{}: {e}", table.name)))?;
        }
        let listener = TcpListener::bind(("127.0.0.1", 0)).await.map_err(|e| error(&e))?;
        let url = format!("http://{}/", listener.local_addr().map_err(|e| error(&e))?);
        let server = tokio::spawn(dynoxide::server::serve_on(listener, database.clone()));
        let client = reqwest::Client::builder().no_proxy().build().map_err(|e| error(&e))?;
        Ok(Self { database, client, url: url.into(), _server: Arc::new(Server(server)) })
    }

    /// Passes a request on. Consumed capacity is asked for in any case and taken out again if the caller didn't ask.
    pub async fn forward(&self, headers: &HeaderMap, body: &Bytes) -> Result<Answer, DynamoDbError> {
        let mut request: Value = serde_json::from_slice(body).unwrap_or(Value::Null);
        let target = headers.get("x-amz-target").and_then(|t| t.to_str().ok()).unwrap_or_default();
        let counted = operation_consumes(target) && request.is_object();
        let asked = request["ReturnConsumedCapacity"].as_str().is_some_and(|level| level != "NONE");
        let sent = if counted && !asked {
            request["ReturnConsumedCapacity"] = "TOTAL".into();
            Bytes::from(request.to_string())
        } else {
            body.clone()
        };
        let mut forwarded = self.client.post(&*self.url).body(sent);
        for name in ["x-amz-target", "content-type", "authorization", "x-amz-date"] {
            if let Some(value) = headers.get(name) {
                forwarded = forwarded.header(name, value);
            }
        }
        let error = |e: reqwest::Error| DynamoDbError(e.to_string());
        let response = forwarded.send().await.map_err(error)?;
        let status = response.status();
        let content_type = response.headers().get(header::CONTENT_TYPE).and_then(|t| t.to_str().ok());
        let content_type = content_type.unwrap_or("application/x-amz-json-1.0").to_owned();
        let mut body = response.bytes().await.map_err(error)?;
        let (mut read_units, mut write_units) = (0.0, 0.0);
        if counted && let Ok(Value::Object(mut answer)) = serde_json::from_slice(&body) {
            let units = consumed(answer.get("ConsumedCapacity"));
            if operation_writes(target) {
                write_units = units
            } else {
                read_units = units
            }
            if !asked && answer.remove("ConsumedCapacity").is_some() {
                body = Bytes::from(Value::Object(answer).to_string());
            }
        }
        Ok(Answer { status, content_type, body, read_units, write_units })
    }

    /// Keys of a table's items whose sort keys begin so.
    pub fn items_of(&self, table: &str, prefix: &str) -> Result<Vec<Value>, DynamoDbError> {
        let error = |e: &dyn std::fmt::Display| DynamoDbError(e.to_string());
        let mut found = Vec::new();
        let mut start = Value::Null;
        loop {
            let mut scan = json!({
                "TableName": table, "ProjectionExpression": "pk, sk", "FilterExpression": "begins_with(sk, :prefix)",
                "ExpressionAttributeValues": { ":prefix": { "S": prefix } },
            });
            if !start.is_null() {
                scan["ExclusiveStartKey"] = start;
            }
            let scan = serde_json::from_value(scan).map_err(|e| error(&e))?;
            let answer = self.database.scan(scan).map_err(|e| error(&e))?;
            let answer = serde_json::to_value(answer).map_err(|e| error(&e))?;
            found.extend(answer["Items"].as_array().cloned().unwrap_or_default());
            start = answer["LastEvaluatedKey"].clone();
            if start.is_null() {
                return Ok(found);
            }
        }
    }

    /// Deletes expired items now and then. Runs until dropped.
    pub async fn sweep(&self) {
        let mut ticks = tokio::time::interval(SWEEP);
        loop {
            ticks.tick().await;
            let database = self.database.clone();
            // A failed sweep is made up for by the next.
            let _ = tokio::task::spawn_blocking(move || database.sweep_ttl()).await;
        }
    }
}

fn make(database: &Database, table: &Table) -> Result<(), String> {
    let describe = serde_json::from_value(json!({ "TableName": table.name })).map_err(|e| e.to_string())?;
    if database.describe_table(describe).is_ok() {
        return Ok(());
    }
    let create = serde_json::from_value(table.create.clone()).map_err(|e| e.to_string())?;
    database.create_table(create).map_err(|e| e.to_string())?;
    if let Some(attribute) = &table.ttl_attribute {
        let specification = json!({ "AttributeName": attribute, "Enabled": true });
        let ttl = json!({ "TableName": table.name, "TimeToLiveSpecification": specification });
        let ttl = serde_json::from_value(ttl).map_err(|e| e.to_string())?;
        database.update_time_to_live(ttl).map_err(|e| e.to_string())?;
    }
    Ok(())
}

fn operation(target: &str) -> &str {
    target.rsplit('.').next().unwrap_or_default()
}

fn operation_writes(target: &str) -> bool {
    matches!(operation(target), "PutItem" | "UpdateItem" | "DeleteItem" | "BatchWriteItem" | "TransactWriteItems")
}

fn operation_consumes(target: &str) -> bool {
    let reads = ["GetItem", "Query", "Scan", "BatchGetItem", "TransactGetItems"];
    operation_writes(target) || reads.contains(&operation(target))
}

/// Units of one table, or of several.
fn consumed(capacity: Option<&Value>) -> f64 {
    match capacity {
        Some(Value::Array(tables)) => tables.iter().map(|table| consumed(Some(table))).sum(),
        Some(table) => table["CapacityUnits"].as_f64().unwrap_or(0.0),
        None => 0.0,
    }
}
