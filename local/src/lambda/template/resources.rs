//! Each type of resource that the engine plays, from resolved properties to the model; functions are next door in
//! [`functions`]. Properties that only matter in the cloud are passed over; those of types that the engine does not play are still resolved, to find wrong references.

use std::time::Duration;

use serde::de::{DeserializeOwned, Error as _};
use serde::{Deserialize, Deserializer};
use serde_json::{Value, json};

use super::function_urls;
use super::functions;
use super::intrinsics::{Scope, queue_arn, text};
use super::{Cors, Queue, Redrive, SecretRecipe, Stack, Table, TemplateError};

/// One resource that is there (its condition holds), its properties resolved.
#[derive(Debug, Clone)]
pub struct Resource {
    pub id: String,
    pub kind: String,
    pub binary: Option<String>,
    pub properties: Value,
}

impl Resource {
    pub fn place(&self, property: &str) -> String {
        format!("{}.{property}", self.id)
    }

    pub fn typed<T: DeserializeOwned>(&self) -> Result<T, TemplateError> {
        typed(&self.properties, &self.id)
    }
}

pub fn typed<T: DeserializeOwned>(value: &Value, place: &str) -> Result<T, TemplateError> {
    serde_path_to_error::deserialize(value)
        .map_err(|e| TemplateError::at(&format!("{place}.{}", e.path()), e.inner().to_string()))
}

pub fn read(scope: &Scope, globals: &Value) -> Result<Stack, TemplateError> {
    let resources = present(scope)?;
    let mut stack = Stack::default();
    for resource in &resources {
        match resource.kind.as_str() {
            "AWS::SQS::Queue" => {
                let queue = queue(resource, &resources)?;
                stack.queues.insert(queue.name.clone(), queue);
            }
            "AWS::DynamoDB::Table" => stack.tables.push(table(resource)?),
            "AWS::ApiGatewayV2::Api" => stack.cors = cors(resource)?,
            "AWS::S3::Bucket" => stack.buckets.push(bucket(resource)),
            "AWS::SecretsManager::Secret" => {
                stack.secrets.insert(resource.id.clone(), secret(resource)?);
            }
            _ => {}
        }
    }
    for resource in resources.iter().filter(|r| r.kind == "AWS::Serverless::Function") {
        let function = functions::function(resource, globals, &resources)?;
        stack.event_sources.extend(functions::event_sources(resource, &function, &stack)?);
        stack.streams.extend(functions::streams(resource, &function, &stack)?);
        if let Some(other) = stack.functions.insert(function.name.clone(), function) {
            let message = format!("the binary {} already belongs to {}", other.name, other.logical_id);
            return Err(TemplateError::at(&resource.place("Metadata"), message));
        }
    }
    for resource in resources.iter().filter(|r| r.kind == "AWS::ApiGatewayV2::Route") {
        stack.routes.push(functions::route(resource, &resources, &stack)?);
    }
    for resource in resources.iter().filter(|r| r.kind == "AWS::Lambda::Url") {
        stack.function_urls.push(function_urls::function_url(resource, &resources, &stack)?);
    }
    stack.resources = resources;
    Ok(stack)
}

fn present(scope: &Scope) -> Result<Vec<Resource>, TemplateError> {
    let mut resources = Vec::new();
    for (id, raw) in &scope.resources {
        if let Some(condition) = raw.get("Condition").and_then(Value::as_str)
            && !scope.condition(condition, id)?
        {
            continue;
        }
        let kind = raw.get("Type").and_then(Value::as_str);
        resources.push(Resource {
            id: id.clone(),
            kind: kind.ok_or_else(|| TemplateError::at(id, "has no Type"))?.to_owned(),
            binary: raw.pointer("/Metadata/BuildProperties/Binary").and_then(Value::as_str).map(str::to_owned),
            properties: match raw.get("Properties") {
                Some(properties) => scope.resolve(properties, id)?,
                None => json!({}),
            },
        });
    }
    Ok(resources)
}

// ---------------------------------------------------------------- queues

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct QueueProperties {
    queue_name: Option<String>,
    #[serde(default, deserialize_with = "maybe_number")]
    visibility_timeout: Option<u64>,
    #[serde(default, deserialize_with = "maybe_number")]
    message_retention_period: Option<u64>,
    #[serde(default, deserialize_with = "maybe_number")]
    delay_seconds: Option<u64>,
    redrive_policy: Option<RedriveProperties>,
    fifo_queue: Option<Value>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct RedriveProperties {
    dead_letter_target_arn: String,
    #[serde(deserialize_with = "number")]
    max_receive_count: u64,
}

fn queue_name(resource: &Resource) -> &str {
    resource.properties.get("QueueName").and_then(Value::as_str).unwrap_or(&resource.id)
}

fn queue(resource: &Resource, all: &[Resource]) -> Result<Queue, TemplateError> {
    let properties: QueueProperties = resource.typed()?;
    if properties.fifo_queue.is_some_and(|fifo| text(&fifo) == "true") {
        return Err(TemplateError::at(&resource.place("FifoQueue"), "FIFO queues are not played on this machine"));
    }
    let redrive = properties.redrive_policy.map(|policy| {
        let place = resource.place("RedrivePolicy.deadLetterTargetArn");
        let target = all
            .iter()
            .filter(|r| r.kind == "AWS::SQS::Queue")
            .map(queue_name)
            .find(|name| queue_arn(name) == policy.dead_letter_target_arn)
            .ok_or_else(|| TemplateError::at(&place, format!("{} is no queue here", policy.dead_letter_target_arn)))?;
        Ok(Redrive {
            dead_letter_queue: target.to_owned(),
            max_receive_count: in_range(policy.max_receive_count, 1..=1000, &resource.place("RedrivePolicy"))?,
        })
    });
    let seconds = |value: Option<u64>, default: u64, most: u64, property: &str| {
        in_range(value.unwrap_or(default), 0..=most, &resource.place(property)).map(Duration::from_secs)
    };
    Ok(Queue {
        name: properties.queue_name.unwrap_or_else(|| resource.id.clone()),
        visibility_timeout: seconds(properties.visibility_timeout, 30, 43_200, "VisibilityTimeout")?,
        retention: seconds(properties.message_retention_period, 345_600, 1_209_600, "MessageRetentionPeriod")?,
        delay: seconds(properties.delay_seconds, 0, 900, "DelaySeconds")?,
        redrive: redrive.transpose()?,
    })
}

// ---------------------------------------------------------------- the HTTP API

fn cors(resource: &Resource) -> Result<Option<Cors>, TemplateError> {
    let place = resource.place("CorsConfiguration");
    let Some(configuration) = resource.properties.get("CorsConfiguration") else { return Ok(None) };
    let cors: Cors = typed(configuration, &place)?;
    if cors.allow_credentials && cors.allow_origins.iter().any(|origin| origin == "*") {
        return Err(TemplateError::at(&place, "AllowCredentials does not go with any origin"));
    }
    Ok(Some(cors))
}

// ---------------------------------------------------------------- tables, buckets and secrets

fn table(resource: &Resource) -> Result<Table, TemplateError> {
    let properties = &resource.properties;
    let name = properties.get("TableName").and_then(Value::as_str).unwrap_or(&resource.id).to_owned();
    let mut create = json!({ "TableName": name, "BillingMode": "PAY_PER_REQUEST" });
    for property in ["AttributeDefinitions", "KeySchema"] {
        create[property] = properties
            .get(property)
            .cloned()
            .ok_or_else(|| TemplateError::at(&resource.place(property), "is missing"))?;
    }
    for property in ["GlobalSecondaryIndexes", "LocalSecondaryIndexes"] {
        if let Some(indexes) = properties.get(property) {
            create[property] = indexes.clone();
        }
    }
    let ttl = properties.get("TimeToLiveSpecification").filter(|ttl| text(&ttl["Enabled"]) == "true");
    let ttl_attribute = ttl.and_then(|ttl| ttl["AttributeName"].as_str()).map(str::to_owned);
    Ok(Table { name, create, ttl_attribute })
}

fn bucket(resource: &Resource) -> String {
    let name = resource.properties.get("BucketName").and_then(Value::as_str);
    name.map_or_else(|| resource.id.to_lowercase(), str::to_owned)
}

#[derive(Deserialize, Default)]
#[serde(rename_all = "PascalCase", default)]
struct SecretProperties {
    generate_secret_string: Option<GenerateSecretString>,
}

#[derive(Deserialize, Default)]
#[serde(rename_all = "PascalCase", default)]
struct GenerateSecretString {
    #[serde(deserialize_with = "maybe_number")]
    password_length: Option<u64>,
    exclude_punctuation: bool,
    exclude_characters: String,
    exclude_numbers: bool,
    exclude_lowercase: bool,
    exclude_uppercase: bool,
}

fn secret(resource: &Resource) -> Result<SecretRecipe, TemplateError> {
    let SecretProperties { generate_secret_string: Some(recipe) } = resource.typed()? else {
        return Err(TemplateError::at(
            &resource.place("GenerateSecretString"),
            "is missing: only made-up secrets exist here",
        ));
    };
    let classes = [
        (recipe.exclude_lowercase, "abcdefghijklmnopqrstuvwxyz"),
        (recipe.exclude_uppercase, "ABCDEFGHIJKLMNOPQRSTUVWXYZ"),
        (recipe.exclude_numbers, "0123456789"),
        (recipe.exclude_punctuation, "!\"#$%&'()*+,-./:;<=>?@[\\]^_`{|}~"),
    ];
    let alphabet: String = classes
        .iter()
        .filter(|(excluded, _)| !excluded)
        .flat_map(|(_, class)| class.chars())
        .filter(|c| !recipe.exclude_characters.contains(*c))
        .collect();
    let place = resource.place("GenerateSecretString");
    if alphabet.is_empty() {
        return Err(TemplateError::at(&place, "excludes every character"));
    }
    let length: u32 = in_range(recipe.password_length.unwrap_or(32), 1..=4096, &place)?;
    Ok(SecretRecipe { length: length as usize, alphabet })
}

// ---------------------------------------------------------------- numbers

/// CloudFormation takes numbers as text, too.
fn number<'de, D: Deserializer<'de>>(deserializer: D) -> Result<u64, D::Error> {
    let value = Value::deserialize(deserializer)?;
    text(&value).parse().map_err(|_| D::Error::custom(format!("{value} is not a whole number")))
}

pub fn maybe_number<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<u64>, D::Error> {
    number(deserializer).map(Some)
}

pub fn in_range<T: TryFrom<u64>>(
    value: u64,
    range: std::ops::RangeInclusive<u64>,
    place: &str,
) -> Result<T, TemplateError> {
    let message = format!("{value} is not between {} and {}", range.start(), range.end());
    let out = || TemplateError::at(place, message.clone());
    if range.contains(&value) { T::try_from(value).map_err(|_| out()) } else { Err(out()) }
}
