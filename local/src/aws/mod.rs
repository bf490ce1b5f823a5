//! The AWS endpoint that functions are given, `/_aws/{caller}`: tells SQS, DynamoDB and Secrets Manager apart by the
//! request's target, holds the caller to its policy, lets faults strike, counts, and passes on. A caller that is no function of the stack
//! (tests, the seed, an operator's CLI) may do anything and is counted under its name. S3 has an endpoint of its own,
//! [`s3`].

pub mod buckets;
pub mod dynamodb;
pub mod queues;
pub mod s3;
pub mod secrets;
pub mod streams;

use axum::Router;
use axum::body::Bytes;
use axum::extract::{DefaultBodyLimit, Path, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::post;
use serde_json::{Value, json};

use crate::aws::buckets::Buckets;
use crate::aws::dynamodb::DynamoDb;
use crate::aws::queues::protocol::Call;
use crate::aws::queues::requests::queue_of;
use crate::aws::queues::{Queues, SqsError};
use crate::aws::secrets::Secrets;
use crate::aws::streams::Streams;
use crate::control::faults::{Fault, FaultKind, Faults, reset};
use crate::control::ledger::Ledger;
use crate::lambda::runtime::Runtime;
use crate::lambda::template::{Function, REGION, queue_arn, table_arn};

/// DynamoDB's largest request; SQS has its own, smaller limits.
const MAX_REQUEST: usize = 16 << 20;

#[derive(Clone)]
pub struct Aws {
    pub base_url: String,
    pub queues: Queues,
    pub table: DynamoDb,
    pub streams: Streams,
    pub buckets: Buckets,
    pub secrets: Secrets,
    pub runtime: Runtime,
    pub faults: Faults,
    pub ledger: Ledger,
}

/// To be mounted at `/_aws`.
pub fn router(aws: Aws) -> Router {
    Router::new()
        .route("/{caller}", post(serve))
        .route("/{caller}/", post(serve))
        .route("/{caller}/{*rest}", post(serve_below))
        .layer(DefaultBodyLimit::max(MAX_REQUEST))
        .with_state(aws)
}

async fn serve_below(
    state: State<Aws>,
    Path((caller, _)): Path<(String, String)>,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    serve(state, Path(caller), headers, body).await
}

async fn serve(State(aws): State<Aws>, Path(caller): Path<String>, headers: HeaderMap, body: Bytes) -> Response {
    let target = headers.get("x-amz-target").and_then(|t| t.to_str().ok()).unwrap_or_default();
    let (service, operation) = match target.split_once('.') {
        Some(("AmazonSQS", operation)) => (Service::Sqs, operation),
        Some(("secretsmanager", operation)) => (Service::SecretsManager, operation),
        Some((prefix, operation)) if prefix.starts_with("DynamoDB") => (Service::DynamoDb, operation),
        _ => {
            let message = "Neither SQS nor DynamoDB nor Secrets Manager is meant.";
            return refusal(StatusCode::BAD_REQUEST, "UnknownOperationException", message);
        }
    };
    let function = aws.runtime.function_of(&caller);
    let account = function.as_ref().map_or(caller.as_str(), |f| f.name.as_str());
    let call = format!("{}:{operation}", service.name());
    if let Some(function) = &function
        && let Some(action) = denied(function, service, operation, &body)
    {
        let message = format!("{} is not authorized to perform: {action}", function.logical_id);
        return match service {
            Service::Sqs => sqs_refusal(&SqsError::access_denied(message)),
            Service::DynamoDb => refusal(StatusCode::BAD_REQUEST, "AccessDeniedException", &message),
            Service::SecretsManager => secrets_refusal(StatusCode::BAD_REQUEST, "AccessDeniedException", &message),
        };
    }
    let fault = aws.faults.take_operation(service.name(), operation, account);
    let strikes = |kind| fault.as_ref().is_some_and(|fault| fault.kind == kind);
    let (duplicate, lost) = (strikes(FaultKind::Duplicate), strikes(FaultKind::Lost));
    if let Some(fault) = fault
        && let Some(response) = faulty(service, &fault).await
    {
        return response;
    }
    let response = match service {
        Service::Sqs => sqs(&aws, account, operation, &body, duplicate).await,
        Service::DynamoDb => {
            if duplicate {
                dynamodb(&aws, account, operation, &headers, &body).await;
            }
            dynamodb(&aws, account, operation, &headers, &body).await
        }
        Service::SecretsManager => {
            if duplicate {
                secrets_manager(&aws, account, operation, &headers, &body);
            }
            secrets_manager(&aws, account, operation, &headers, &body)
        }
    };
    if aws.runtime.killed_after(&caller, &call) || lost { reset() } else { response }
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Service {
    Sqs,
    DynamoDb,
    SecretsManager,
}

impl Service {
    fn name(self) -> &'static str {
        match self {
            Self::Sqs => "sqs",
            Self::DynamoDb => "dynamodb",
            Self::SecretsManager => "secretsmanager",
        }
    }
}

async fn sqs(aws: &Aws, account: &str, operation: &str, body: &Bytes, duplicate: bool) -> Response {
    let Ok(request) = serde_json::from_slice(body) else {
        return sqs_refusal(&SqsError::invalid("The request is not JSON."));
    };
    let call = Call { queues: &aws.queues, base_url: &aws.base_url, duplicate };
    match call.run(operation, request).await {
        Ok(answer) => {
            let answer = answer.to_string();
            aws.ledger.sqs(account, operation, body.len().max(answer.len()));
            json_response(StatusCode::OK, answer)
        }
        Err(error) => {
            aws.ledger.sqs(account, operation, body.len());
            sqs_refusal(&error)
        }
    }
}

async fn dynamodb(aws: &Aws, account: &str, operation: &str, headers: &HeaderMap, body: &Bytes) -> Response {
    match aws.table.forward(headers, body).await {
        Ok(answer) => {
            // A write whose condition fails is charged like one that holds.
            let refused_write = if answer.status == StatusCode::OK { 0.0 } else { failed_condition(&answer.body) };
            if operation == "PutItem" && answer.status == StatusCode::OK && !aws.streams.is_empty() {
                let request: Value = serde_json::from_slice(body).unwrap_or_default();
                aws.streams.wrote(&request["Item"]);
            }
            aws.ledger.dynamodb(account, operation, answer.read_units, answer.write_units + refused_write);
            (answer.status, [(header::CONTENT_TYPE, answer.content_type)], answer.body).into_response()
        }
        Err(error) => refusal(StatusCode::INTERNAL_SERVER_ERROR, "InternalServerError", &error.to_string()),
    }
}

fn secrets_manager(aws: &Aws, account: &str, operation: &str, headers: &HeaderMap, body: &Bytes) -> Response {
    let signature = headers.get(header::AUTHORIZATION).and_then(|given| given.to_str().ok()).unwrap_or_default();
    if !signature.starts_with("AWS4-HMAC-SHA256 ") {
        let message = "Missing Authentication Token";
        return secrets_refusal(StatusCode::BAD_REQUEST, "MissingAuthenticationTokenException", message);
    }
    if !signature.contains(&format!("/{REGION}/secretsmanager/aws4_request")) {
        let message = "Credential should be scoped to correct service: 'secretsmanager'.";
        return secrets_refusal(StatusCode::BAD_REQUEST, "InvalidSignatureException", message);
    }
    aws.ledger.call(account, Service::SecretsManager.name(), operation);
    match aws.secrets.run(operation, serde_json::from_slice(body).unwrap_or_default()) {
        Ok(answer) => json_1_1(StatusCode::OK, answer.to_string()),
        Err(refusal) if refusal.kind == "InternalServiceError" => {
            secrets_refusal(StatusCode::INTERNAL_SERVER_ERROR, refusal.kind, &refusal.message)
        }
        Err(refusal) => secrets_refusal(StatusCode::BAD_REQUEST, refusal.kind, &refusal.message),
    }
}

/// At least one unit; its true size isn't told in a refusal.
fn failed_condition(body: &[u8]) -> f64 {
    let refusal: Value = serde_json::from_slice(body).unwrap_or_default();
    let kind = refusal["__type"].as_str().unwrap_or_default();
    if kind.ends_with("ConditionalCheckFailedException") { 1.0 } else { 0.0 }
}

async fn faulty(service: Service, fault: &Fault) -> Option<Response> {
    match (fault.kind, service) {
        (FaultKind::Throttle, Service::Sqs) => Some(sqs_refusal(&SqsError::throttled())),
        (FaultKind::Throttle, Service::DynamoDb) => {
            let message = "Throughput exceeds the current capacity of your table or index.";
            Some(refusal(StatusCode::BAD_REQUEST, "ThrottlingException", message))
        }
        (FaultKind::Throttle, Service::SecretsManager) => {
            Some(secrets_refusal(StatusCode::BAD_REQUEST, "ThrottlingException", "Rate exceeded"))
        }
        (FaultKind::Status(code), _) => {
            let status = StatusCode::from_u16(code).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
            Some(refusal(status, "InternalServerError", "A fault was asked for."))
        }
        _ => fault.answer().await,
    }
}

/// The action that the function's policy does not allow, if there is one.
fn denied(function: &Function, service: Service, operation: &str, body: &[u8]) -> Option<String> {
    let request: Value = serde_json::from_slice(body).unwrap_or_default();
    let needed = match service {
        Service::Sqs => sqs_needs(operation, &request),
        Service::DynamoDb => dynamodb_needs(operation, &request),
        Service::SecretsManager => vec![(format!("secretsmanager:{operation}"), secrets::secret_of(&request))],
    };
    needed
        .into_iter()
        .find(|(action, resource)| !function.policy.allows(action, resource))
        .map(|(action, resource)| format!("{action} on resource: {resource}"))
}

fn sqs_needs(operation: &str, request: &Value) -> Vec<(String, String)> {
    let resource = queue_of(request).map_or_else(|_| "*".to_owned(), |name| queue_arn(&name));
    // Batches are allowed with the single operation.
    vec![(format!("sqs:{}", operation.trim_end_matches("Batch")), resource)]
}

fn dynamodb_needs(operation: &str, request: &Value) -> Vec<(String, String)> {
    let action = |name: &str| format!("dynamodb:{name}");
    let table = |request: &Value| {
        let table = table_arn(request["TableName"].as_str().unwrap_or_default());
        match request["IndexName"].as_str() {
            Some(index) => format!("{table}/index/{index}"),
            None => table,
        }
    };
    match operation {
        "BatchGetItem" | "BatchWriteItem" => {
            let tables = request["RequestItems"].as_object().into_iter().flatten();
            tables.map(|(name, _)| (action(operation), table_arn(name))).collect()
        }
        "TransactWriteItems" | "TransactGetItems" => {
            let items =
                request["TransactItems"].as_array().into_iter().flatten().filter_map(Value::as_object).flatten();
            let name = |kind: &str| match kind {
                "ConditionCheck" => action("ConditionCheckItem"),
                verb => action(&format!("{verb}Item")),
            };
            items.map(|(kind, item)| (name(kind), table(item))).collect()
        }
        _ => vec![(action(operation), table(request))],
    }
}

fn sqs_refusal(error: &SqsError) -> Response {
    let status = if error.is_senders_fault() { StatusCode::BAD_REQUEST } else { StatusCode::INTERNAL_SERVER_ERROR };
    let fault = if error.is_senders_fault() { "Sender" } else { "Receiver" };
    let body = json!({ "__type": format!("com.amazonaws.sqs#{}", error.shape), "message": error.message });
    let mut response = json_response(status, body.to_string());
    if let Ok(value) = format!("{};{fault}", error.code).parse() {
        response.headers_mut().insert("x-amzn-query-error", value);
    }
    response
}

fn refusal(status: StatusCode, kind: &str, message: &str) -> Response {
    let body = json!({ "__type": format!("com.amazonaws.dynamodb.v20120810#{kind}"), "message": message });
    json_response(status, body.to_string())
}

/// In protocol 1.1, where a shape has no namespace.
fn secrets_refusal(status: StatusCode, kind: &str, message: &str) -> Response {
    json_1_1(status, json!({ "__type": kind, "Message": message }).to_string())
}

fn json_1_1(status: StatusCode, body: String) -> Response {
    (status, [(header::CONTENT_TYPE, "application/x-amz-json-1.1")], body).into_response()
}

fn json_response(status: StatusCode, body: String) -> Response {
    (status, [(header::CONTENT_TYPE, "application/x-amz-json-1.0")], body).into_response()
}
