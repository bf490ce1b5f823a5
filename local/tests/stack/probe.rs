//! A Lambda function for the engine's own tests: does what its event says. An instruction is `{"do": "…", …}`: the
//! event itself, the body of an HTTP request, or the body of a queue's record.

use std::time::Duration;

use aws_sdk_dynamodb::error::DisplayErrorContext;
use aws_sdk_dynamodb::types::AttributeValue;
use lambda_runtime::{Error, LambdaEvent, run, service_fn};
use serde_json::{Value, json};

struct Clients {
    sqs: aws_sdk_sqs::Client,
    dynamodb: aws_sdk_dynamodb::Client,
}

#[tokio::main]
async fn main() -> Result<(), Error> {
    if std::env::var("FAIL_INIT").is_ok_and(|v| !v.is_empty()) {
        return Err("told to fail at the start".into());
    }
    let config = shared::aws::defaults()?.load().await;
    let clients = Clients { sqs: aws_sdk_sqs::Client::new(&config), dynamodb: aws_sdk_dynamodb::Client::new(&config) };
    let clients = &clients;
    run(service_fn(move |event: LambdaEvent<Value>| async move { handle(clients, event.payload).await })).await
}

async fn handle(clients: &Clients, event: Value) -> Result<Value, Error> {
    if let Some(records) = event["Records"].as_array() {
        let mut failed = Vec::new();
        for record in records {
            let instruction = serde_json::from_str(record["body"].as_str().unwrap_or_default())?;
            if obey(clients, instruction, record).await.is_err() {
                failed.push(json!({ "itemIdentifier": record["messageId"] }));
            }
        }
        return Ok(json!({ "batchItemFailures": failed }));
    }
    if event["requestContext"]["http"].is_object() {
        let instruction = serde_json::from_str(event["body"].as_str().unwrap_or("{\"do\":\"echo\"}"))?;
        let answer = obey(clients, instruction, &event).await?;
        let headers = json!({ "content-type": "application/json" });
        return Ok(json!({ "statusCode": 200, "headers": headers, "body": answer.to_string() }));
    }
    obey(clients, event.clone(), &event).await
}

async fn obey(clients: &Clients, instruction: Value, whole: &Value) -> Result<Value, Error> {
    let text = |key: &str| instruction[key].as_str().unwrap_or_default().to_owned();
    match instruction["do"].as_str() {
        Some("echo") => Ok(whole.clone()),
        Some("env") => Ok(std::env::var(text("name")).map_or(Value::Null, Value::String)),
        Some("fail") => Err("told to fail".into()),
        Some("exit") => std::process::exit(3),
        Some("sleep") => {
            tokio::time::sleep(Duration::from_millis(instruction["ms"].as_u64().unwrap_or(0))).await;
            Ok(json!({ "pid": std::process::id() }))
        }
        Some("send") => {
            let url = std::env::var(text("queue"))?;
            let sent = clients.sqs.send_message().queue_url(url).message_body(instruction["body"].to_string());
            let sent = sent.send().await.map_err(|e| DisplayErrorContext(e).to_string())?;
            Ok(json!({ "messageId": sent.message_id() }))
        }
        Some("put") => {
            let put = clients.dynamodb.put_item().table_name(std::env::var("TABLE_NAME")?);
            let put = put.item("pk", AttributeValue::S(text("pk"))).send().await;
            put.map_err(|e| DisplayErrorContext(e).to_string())?;
            Ok(json!({}))
        }
        other => Err(format!("unknown instruction {other:?}").into()),
    }
}
