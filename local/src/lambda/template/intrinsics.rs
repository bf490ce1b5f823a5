//! What `!Ref`, `!Sub`, `!GetAtt`, `!If` and their kin come to on this machine. Anything that can't be resolved is an
//! error that names the place: a template that deploys wrongly should fail here first.

use std::collections::BTreeMap;

use serde_json::{Map, Value};

use super::{ACCOUNT, REGION, TemplateError};

/// How deep intrinsics may refer to each other; CloudFormation has no cycles, so more is one.
const DEEPEST: usize = 32;

/// Everything a reference may point at.
pub struct Scope {
    pub base_url: String,
    pub function_urls: BTreeMap<String, String>,
    pub parameters: BTreeMap<String, Value>,
    pub conditions: Map<String, Value>,
    pub resources: Map<String, Value>,
}

impl Scope {
    /// A copy of `value` without intrinsics. Members that come to `AWS::NoValue` are left out.
    ///
    /// # Errors
    /// The place and what couldn't be resolved there.
    pub fn resolve(&self, value: &Value, place: &str) -> Result<Value, TemplateError> {
        Ok(self.resolve_at(value, place, 0)?.unwrap_or(Value::Null))
    }

    /// Whether a condition of the template holds.
    pub fn condition(&self, name: &str, place: &str) -> Result<bool, TemplateError> {
        self.condition_at(name, place, 0)
    }

    fn resolve_at(&self, value: &Value, place: &str, depth: usize) -> Result<Option<Value>, TemplateError> {
        if depth > DEEPEST {
            return Err(TemplateError::at(place, "references go round in a circle"));
        }
        match value {
            Value::Array(items) => {
                let mut resolved = Vec::with_capacity(items.len());
                for (index, item) in items.iter().enumerate() {
                    resolved.extend(self.resolve_at(item, &format!("{place}[{index}]"), depth + 1)?);
                }
                Ok(Some(Value::Array(resolved)))
            }
            Value::Object(object) => match intrinsic(object) {
                Some((name, argument)) => self.call(name, argument, place, depth),
                None => {
                    let mut resolved = Map::new();
                    for (key, item) in object {
                        if let Some(item) = self.resolve_at(item, &format!("{place}.{key}"), depth + 1)? {
                            resolved.insert(key.clone(), item);
                        }
                    }
                    Ok(Some(Value::Object(resolved)))
                }
            },
            plain => Ok(Some(plain.clone())),
        }
    }

    fn call(&self, name: &str, argument: &Value, place: &str, depth: usize) -> Result<Option<Value>, TemplateError> {
        let bad = |what: &str| TemplateError::at(place, format!("{name} {what}"));
        let resolved = |value: &Value| self.resolve_at(value, place, depth + 1);
        match name {
            "Ref" => {
                let target = argument.as_str().ok_or_else(|| bad("needs a name"))?;
                if target == "AWS::NoValue" {
                    return Ok(None);
                }
                self.reference(target, place, depth).map(Some)
            }
            "Fn::GetAtt" => {
                let path = strings(argument).ok_or_else(|| bad("needs a resource and an attribute"))?;
                let [resource, attribute] = path.as_slice() else {
                    return Err(bad("needs a resource and an attribute"));
                };
                self.attribute(resource, attribute, place, depth).map(Some)
            }
            "Fn::Sub" => self.substitute(argument, place, depth).map(Some),
            "Fn::If" => {
                let Some([condition, yes, no]) = argument.as_array().map(Vec::as_slice) else {
                    return Err(bad("needs a condition and two values"));
                };
                let condition = condition.as_str().ok_or_else(|| bad("needs the name of a condition"))?;
                resolved(if self.condition_at(condition, place, depth + 1)? { yes } else { no })
            }
            "Fn::Join" | "Fn::Select" | "Fn::Split" => {
                let argument = resolved(argument)?.unwrap_or_default();
                list_function(name, &argument).map(Some).ok_or_else(|| bad("needs other arguments than these"))
            }
            "Condition" | "Fn::Equals" | "Fn::Not" | "Fn::And" | "Fn::Or" => {
                Ok(Some(Value::Bool(self.truth(name, argument, place, depth)?)))
            }
            other => Err(TemplateError::at(place, format!("{other} can't be resolved on this machine"))),
        }
    }

    fn truth(&self, name: &str, argument: &Value, place: &str, depth: usize) -> Result<bool, TemplateError> {
        let bad = |what: &str| TemplateError::at(place, format!("{name} {what}"));
        if name == "Condition" {
            return self.condition_at(argument.as_str().ok_or_else(|| bad("needs a name"))?, place, depth + 1);
        }
        let items = self.resolve_at(argument, place, depth + 1)?.unwrap_or_default();
        let items = items.as_array().ok_or_else(|| bad("needs a list"))?;
        let truths = || items.iter().map(Value::as_bool).collect::<Option<Vec<bool>>>();
        match (name, items.as_slice()) {
            ("Fn::Equals", [left, right]) => Ok(text(left) == text(right)),
            ("Fn::Not", [Value::Bool(held)]) => Ok(!held),
            ("Fn::And", _) => Ok(truths().ok_or_else(|| bad("needs conditions"))?.into_iter().all(|t| t)),
            ("Fn::Or", _) => Ok(truths().ok_or_else(|| bad("needs conditions"))?.into_iter().any(|t| t)),
            _ => Err(bad("has the wrong number of values")),
        }
    }

    fn condition_at(&self, name: &str, place: &str, depth: usize) -> Result<bool, TemplateError> {
        let condition = self
            .conditions
            .get(name)
            .ok_or_else(|| TemplateError::at(place, format!("there is no condition {name}")))?;
        self.resolve_at(condition, &format!("Conditions.{name}"), depth + 1)?
            .and_then(|held| held.as_bool())
            .ok_or_else(|| TemplateError::at(&format!("Conditions.{name}"), "is neither true nor false"))
    }

    fn substitute(&self, argument: &Value, place: &str, depth: usize) -> Result<Value, TemplateError> {
        let (pattern, own) = match argument {
            Value::String(pattern) => (pattern.as_str(), None),
            Value::Array(items) => match items.as_slice() {
                [Value::String(pattern), Value::Object(own)] => (pattern.as_str(), Some(own)),
                _ => return Err(TemplateError::at(place, "Fn::Sub needs a text and its values")),
            },
            _ => return Err(TemplateError::at(place, "Fn::Sub needs a text")),
        };
        let mut rest = pattern;
        let mut whole = String::new();
        while let Some(start) = rest.find("${") {
            whole.push_str(&rest[..start]);
            let after = &rest[start + 2..];
            let end = after.find('}').ok_or_else(|| TemplateError::at(place, "Fn::Sub has a ${ without its }"))?;
            let name = &after[..end];
            rest = &after[end + 1..];
            let value = if let Some(literal) = name.strip_prefix('!') {
                Value::String(format!("${{{literal}}}"))
            } else if let Some(value) = own.and_then(|own| own.get(name)) {
                self.resolve_at(value, place, depth + 1)?.unwrap_or_default()
            } else if let Some((resource, attribute)) = name.split_once('.') {
                self.attribute(resource, attribute, place, depth)?
            } else {
                self.reference(name, place, depth)?
            };
            whole.push_str(&text(&value));
        }
        whole.push_str(rest);
        Ok(Value::String(whole))
    }

    fn reference(&self, name: &str, place: &str, depth: usize) -> Result<Value, TemplateError> {
        if let Some(value) = self.parameters.get(name) {
            return Ok(value.clone());
        }
        let pseudo = match name {
            "AWS::StackName" => Some("local".to_owned()),
            "AWS::StackId" => Some(format!("arn:aws:cloudformation:{REGION}:{ACCOUNT}:stack/local/local")),
            "AWS::Region" => Some(REGION.to_owned()),
            "AWS::AccountId" => Some(ACCOUNT.to_owned()),
            "AWS::Partition" => Some("aws".to_owned()),
            "AWS::URLSuffix" => Some("amazonaws.com".to_owned()),
            _ => None,
        };
        if let Some(pseudo) = pseudo {
            return Ok(Value::String(pseudo));
        }
        let physical = self.physical_name(name, place, depth)?;
        Ok(Value::String(match self.kind(name) {
            "AWS::SQS::Queue" => queue_url(&self.base_url, &physical),
            "AWS::SecretsManager::Secret" => secret_arn(&physical),
            "AWS::IAM::ManagedPolicy" => policy_arn(&physical),
            _ => physical,
        }))
    }

    fn attribute(&self, resource: &str, attribute: &str, place: &str, depth: usize) -> Result<Value, TemplateError> {
        let physical = self.physical_name(resource, place, depth)?;
        let kind = self.kind(resource);
        Ok(Value::String(match (kind, attribute) {
            ("AWS::DynamoDB::Table", "Arn") => table_arn(&physical),
            ("AWS::DynamoDB::Table", "StreamArn") => stream_arn(&physical),
            ("AWS::S3::Bucket", "Arn") => bucket_arn(&physical),
            ("AWS::SQS::Queue", "Arn") => queue_arn(&physical),
            ("AWS::SQS::Queue", "QueueName") => physical,
            ("AWS::SQS::Queue", "QueueUrl") => queue_url(&self.base_url, &physical),
            ("AWS::SecretsManager::Secret", "Id") => secret_arn(&physical),
            ("AWS::Serverless::Function" | "AWS::Lambda::Function", "Arn") => function_arn(&physical),
            ("AWS::ApiGatewayV2::Api", "ApiEndpoint") => self.base_url.clone(),
            ("AWS::ApiGatewayV2::Api", "ApiId") => physical,
            ("AWS::Lambda::Url", "FunctionUrl") => {
                let known = self.function_urls.get(resource).cloned();
                known.unwrap_or_else(|| format!("https://{}.lambda-url.{REGION}.on.aws/", resource.to_lowercase()))
            }
            ("AWS::Logs::LogGroup", "Arn") => format!("arn:aws:logs:{REGION}:{ACCOUNT}:log-group:{physical}:*"),
            ("AWS::IAM::Role", "Arn") => role_arn(&physical),
            _ => {
                let message =
                    format!("{resource} ({kind}) has no attribute {attribute:?} that is known on this machine");
                return Err(TemplateError::at(place, message));
            }
        }))
    }

    /// The name a resource would have once deployed: its own, or its logical id.
    fn physical_name(&self, logical_id: &str, place: &str, depth: usize) -> Result<String, TemplateError> {
        let resource = self
            .resources
            .get(logical_id)
            .ok_or_else(|| TemplateError::at(place, format!("there is no parameter or resource {logical_id}")))?;
        let own_name = match self.kind(logical_id) {
            "AWS::SQS::Queue" => "QueueName",
            "AWS::DynamoDB::Table" => "TableName",
            "AWS::S3::Bucket" => "BucketName",
            "AWS::Serverless::Function" | "AWS::Lambda::Function" => "FunctionName",
            "AWS::Logs::LogGroup" => "LogGroupName",
            _ => return Ok(logical_id.to_owned()),
        };
        match resource.get("Properties").and_then(|p| p.get(own_name)) {
            Some(name) => Ok(text(&self.resolve_at(name, place, depth + 1)?.unwrap_or_default())),
            // The names of buckets have no capitals.
            None if own_name == "BucketName" => Ok(logical_id.to_lowercase()),
            None => Ok(logical_id.to_owned()),
        }
    }

    fn kind(&self, logical_id: &str) -> &str {
        self.resources.get(logical_id).and_then(|r| r.get("Type")).and_then(Value::as_str).unwrap_or_default()
    }
}

pub fn queue_url(base_url: &str, name: &str) -> String {
    format!("{base_url}/_aws/{ACCOUNT}/{name}")
}

pub fn queue_arn(name: &str) -> String {
    format!("arn:aws:sqs:{REGION}:{ACCOUNT}:{name}")
}

pub fn table_arn(name: &str) -> String {
    format!("arn:aws:dynamodb:{REGION}:{ACCOUNT}:table/{name}")
}

pub fn stream_arn(table: &str) -> String {
    format!("{}/stream/local", table_arn(table))
}

pub fn bucket_arn(name: &str) -> String {
    format!("arn:aws:s3:::{name}")
}

pub fn function_arn(name: &str) -> String {
    format!("arn:aws:lambda:{REGION}:{ACCOUNT}:function:{name}")
}

pub fn role_arn(name: &str) -> String {
    format!("arn:aws:iam::{ACCOUNT}:role/{name}")
}

pub fn policy_arn(name: &str) -> String {
    format!("arn:aws:iam::{ACCOUNT}:policy/{name}")
}

pub fn secret_arn(name: &str) -> String {
    format!("arn:aws:secretsmanager:{REGION}:{ACCOUNT}:secret:{name}-local0")
}

fn intrinsic(object: &Map<String, Value>) -> Option<(&str, &Value)> {
    let (name, argument) = object.iter().next()?;
    let is_call = name == "Ref" || name.starts_with("Fn::") || (name == "Condition" && argument.is_string());
    (object.len() == 1 && is_call).then_some((name.as_str(), argument))
}

/// `None` if the arguments don't fit.
fn list_function(name: &str, argument: &Value) -> Option<Value> {
    match (name, argument.as_array()?.as_slice()) {
        ("Fn::Join", [Value::String(by), Value::Array(parts)]) => {
            Some(Value::String(parts.iter().map(text).collect::<Vec<String>>().join(by)))
        }
        ("Fn::Split", [Value::String(by), Value::String(whole)]) => {
            Some(Value::Array(whole.split(by.as_str()).map(Value::from).collect()))
        }
        ("Fn::Select", [index, Value::Array(items)]) => items.get(text(index).parse::<usize>().ok()?).cloned(),
        _ => None,
    }
}

fn strings(value: &Value) -> Option<Vec<&str>> {
    value.as_array()?.iter().map(Value::as_str).collect()
}

/// CloudFormation's values are all text.
pub fn text(value: &Value) -> String {
    match value {
        Value::String(s) => s.clone(),
        other => other.to_string(),
    }
}
