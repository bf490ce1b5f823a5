//! Functions with what invokes them: their settings, event sources and routes.

use std::collections::BTreeMap;
use std::time::Duration;

use serde::Deserialize;
use serde_json::{Value, json};

use super::intrinsics::{function_arn, queue_arn, stream_arn, text};
use super::resources::{Resource, in_range, maybe_number, typed};
use super::roles;
use super::{EventSource, Function, Policy, Route, Stack, StreamSource, TemplateError};

#[derive(Deserialize, Default)]
#[serde(rename_all = "PascalCase", default)]
struct FunctionProperties {
    #[serde(deserialize_with = "maybe_number")]
    timeout: Option<u64>,
    #[serde(deserialize_with = "maybe_number")]
    memory_size: Option<u64>,
    environment: Environment,
    logging_config: LoggingConfig,
    role: Option<String>,
    policies: Value,
    events: BTreeMap<String, Event>,
}

#[derive(Deserialize, Default)]
#[serde(rename_all = "PascalCase", default)]
struct Environment {
    variables: BTreeMap<String, Value>,
}

#[derive(Deserialize, Default)]
#[serde(rename_all = "PascalCase", default)]
struct LoggingConfig {
    application_log_level: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Event {
    r#type: String,
    #[serde(default)]
    properties: Value,
}

pub fn function(resource: &Resource, globals: &Value, all: &[Resource]) -> Result<Function, TemplateError> {
    let own: FunctionProperties = resource.typed()?;
    let shared: FunctionProperties = match globals.get("Function") {
        Some(shared) => typed(shared, "Globals.Function")?,
        None => FunctionProperties::default(),
    };
    let name = resource.binary.clone().ok_or_else(|| {
        TemplateError::at(
            &resource.place("Metadata.BuildProperties.Binary"),
            "is missing: which binary is this function?",
        )
    })?;
    let mut environment = BTreeMap::new();
    for (key, value) in shared.environment.variables.into_iter().chain(own.environment.variables) {
        let place = resource.place(&format!("Environment.Variables.{key}"));
        if value.is_object() || value.is_array() || value.is_null() {
            return Err(TemplateError::at(&place, "is not text"));
        }
        let value = text(&value);
        if value.contains("{{resolve:") {
            return Err(TemplateError::at(&place, "is filled in at deployment, for all to read who see the function"));
        }
        environment.insert(key, value);
    }
    let timeout: u32 = in_range(own.timeout.or(shared.timeout).unwrap_or(3), 1..=900, &resource.place("Timeout"))?;
    let log_level = own.logging_config.application_log_level.or(shared.logging_config.application_log_level);
    Ok(Function {
        logical_id: resource.id.clone(),
        name,
        timeout: Duration::from_secs(timeout.into()),
        memory_mb: in_range(
            own.memory_size.or(shared.memory_size).unwrap_or(128),
            128..=10_240,
            &resource.place("MemorySize"),
        )?,
        environment,
        log_level: log_level.unwrap_or_else(|| "INFO".to_owned()),
        policy: match &own.role {
            Some(role) => roles::policy(role, all, &resource.place("Role"))?,
            None => Policy::read(&own.policies).map_err(|e| TemplateError::at(&resource.place("Policies"), e))?,
        },
    })
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct SqsEvent {
    queue: String,
    #[serde(default, deserialize_with = "maybe_number")]
    batch_size: Option<u64>,
    #[serde(default, deserialize_with = "maybe_number")]
    maximum_batching_window_in_seconds: Option<u64>,
    #[serde(default)]
    function_response_types: Vec<String>,
    scaling_config: Option<ScalingConfig>,
    enabled: Option<Value>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct ScalingConfig {
    #[serde(default, deserialize_with = "maybe_number")]
    maximum_concurrency: Option<u64>,
}

pub fn event_sources(
    resource: &Resource,
    function: &Function,
    stack: &Stack,
) -> Result<Vec<EventSource>, TemplateError> {
    let properties: FunctionProperties = resource.typed()?;
    let mut sources = Vec::new();
    for (name, event) in properties.events {
        let place = resource.place(&format!("Events.{name}"));
        if event.r#type == "DynamoDB" {
            continue;
        }
        if event.r#type != "SQS" {
            let message = format!("events of type {} are not played on this machine", event.r#type);
            return Err(TemplateError::at(&place, message));
        }
        let sqs: SqsEvent = typed(&event.properties, &place)?;
        if sqs.enabled.is_some_and(|enabled| text(&enabled) == "false") {
            continue;
        }
        let queue =
            stack.queues.values().find(|q| queue_arn(&q.name) == sqs.queue).ok_or_else(|| {
                TemplateError::at(&format!("{place}.Queue"), format!("{} is no queue here", sqs.queue))
            })?;
        let window = sqs.maximum_batching_window_in_seconds.unwrap_or(0);
        let batch_size: u32 = in_range(sqs.batch_size.unwrap_or(10), 1..=10_000, &format!("{place}.BatchSize"))?;
        if batch_size > 10 && window == 0 {
            return Err(TemplateError::at(&place, "a BatchSize over 10 needs MaximumBatchingWindowInSeconds"));
        }
        // A role that SAM makes may read every queue; one of the function's own must say so.
        let reads = ["sqs:ReceiveMessage", "sqs:DeleteMessage", "sqs:GetQueueAttributes"];
        let lacking = reads.into_iter().find(|action| !function.policy.allows(action, &sqs.queue));
        if let (Some(_), Some(action)) = (&properties.role, lacking) {
            return Err(TemplateError::at(
                &place,
                format!("the function's role does not allow {action} on {}", queue.name),
            ));
        }
        // Lambda refuses such an event source, too.
        if function.timeout > queue.visibility_timeout {
            let message = format!("the function may run longer than messages of {} stay invisible", queue.name);
            return Err(TemplateError::at(&place, message));
        }
        let concurrency = sqs.scaling_config.and_then(|s| s.maximum_concurrency);
        let concurrency: Option<u32> =
            concurrency.map(|c| in_range(c, 2..=1000, &format!("{place}.ScalingConfig"))).transpose()?;
        sources.push(EventSource {
            function: function.name.clone(),
            queue: queue.name.clone(),
            batch_size: batch_size as usize,
            window: Duration::from_secs(in_range(window, 0..=300, &place)?),
            maximum_concurrency: concurrency.map(|c| c as usize),
            report_batch_item_failures: sqs.function_response_types.iter().any(|t| t == "ReportBatchItemFailures"),
        });
    }
    Ok(sources)
}

// ---------------------------------------------------------------- streams

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct StreamEvent {
    stream: String,
    #[serde(default, deserialize_with = "maybe_number")]
    batch_size: Option<u64>,
    #[serde(default)]
    function_response_types: Vec<String>,
    filter_criteria: FilterCriteria,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct FilterCriteria {
    filters: Vec<Filter>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Filter {
    pattern: String,
}

pub fn streams(resource: &Resource, function: &Function, stack: &Stack) -> Result<Vec<StreamSource>, TemplateError> {
    let properties: FunctionProperties = resource.typed()?;
    let mut sources = Vec::new();
    for (name, event) in properties.events.into_iter().filter(|(_, event)| event.r#type == "DynamoDB") {
        let place = resource.place(&format!("Events.{name}"));
        let wrong = |what: &str| TemplateError::at(&place, what);
        let event: StreamEvent = typed(&event.properties, &place)?;
        let table = stack.tables.iter().find(|table| stream_arn(&table.name) == event.stream);
        if !event.function_response_types.iter().any(|kind| kind == "ReportBatchItemFailures") {
            return Err(wrong("a stream's function must report what failed"));
        }
        let [Filter { pattern }] = event.filter_criteria.filters.as_slice() else {
            return Err(wrong("one filter is played on this machine"));
        };
        let reads =
            ["dynamodb:DescribeStream", "dynamodb:GetRecords", "dynamodb:GetShardIterator", "dynamodb:ListStreams"];
        let lacking = reads.into_iter().find(|action| !function.policy.allows(action, &event.stream));
        if let (Some(_), Some(action)) = (&properties.role, lacking) {
            return Err(wrong(&format!("the function's role does not allow {action} on the stream")));
        }
        sources.push(StreamSource {
            function: function.name.clone(),
            table: table.ok_or_else(|| wrong("names the stream of no table here"))?.name.clone(),
            prefix: inserted_prefix(pattern)
                .ok_or_else(|| wrong("only new items by their sort key's beginning are played"))?,
            batch_size: in_range::<u32>(event.batch_size.unwrap_or(100), 1..=10_000, &place)? as usize,
        });
    }
    Ok(sources)
}

/// `{"eventName":["INSERT"],"dynamodb":{"Keys":{"sk":{"S":[{"prefix":"…"}]}}}}`
fn inserted_prefix(pattern: &str) -> Option<String> {
    let pattern: Value = serde_json::from_str(pattern).ok()?;
    let prefix = pattern["dynamodb"]["Keys"]["sk"]["S"][0]["prefix"].as_str()?;
    let keys = json!({ "sk": { "S": [{ "prefix": prefix }] } });
    let played = json!({ "eventName": ["INSERT"], "dynamodb": { "Keys": keys } });
    (pattern == played).then(|| prefix.to_owned())
}

// ---------------------------------------------------------------- routes

pub fn route(resource: &Resource, all: &[Resource], stack: &Stack) -> Result<Route, TemplateError> {
    let property = |name: &str| {
        let value = resource.properties.get(name).and_then(Value::as_str);
        value.ok_or_else(|| TemplateError::at(&resource.place(name), "is missing"))
    };
    let (key, target) = (property("RouteKey")?, property("Target")?);
    let integration = target
        .strip_prefix("integrations/")
        .and_then(|id| all.iter().find(|r| r.id == id && r.kind == "AWS::ApiGatewayV2::Integration"))
        .ok_or_else(|| TemplateError::at(&resource.place("Target"), format!("{target} is no integration here")))?;
    let uri = integration.properties.get("IntegrationUri").and_then(Value::as_str).unwrap_or_default();
    let function =
        stack.functions.values().find(|f| uri == function_arn(function_name(&f.logical_id, all))).ok_or_else(|| {
            TemplateError::at(&integration.place("IntegrationUri"), format!("{uri:?} is no function here"))
        })?;
    if text(&integration.properties["PayloadFormatVersion"]) != "2.0" {
        return Err(TemplateError::at(&integration.place("PayloadFormatVersion"), "must be \"2.0\""));
    }
    let may_invoke = all.iter().filter(|r| r.kind == "AWS::Lambda::Permission").any(|permission| {
        permission.properties["FunctionName"] == function_name(&function.logical_id, all)
            && permission.properties["Principal"] == "apigateway.amazonaws.com"
    });
    if !may_invoke {
        let message = format!("no AWS::Lambda::Permission lets the API invoke {}", function.logical_id);
        return Err(TemplateError::at(&resource.place("Target"), message));
    }
    Ok(Route { key: key.to_owned(), function: function.name.clone() })
}

pub fn function_name<'a>(logical_id: &'a str, all: &'a [Resource]) -> &'a str {
    all.iter()
        .find(|r| r.id == logical_id)
        .and_then(|r| r.properties.get("FunctionName"))
        .and_then(Value::as_str)
        .unwrap_or(logical_id)
}
