//! `template.yaml` as the engine understands it: what is deployed is what runs here. Reading is pure: text and settings
//! in, a [`Stack`] or one clear sentence out; nothing is started or created.

mod function_urls;
mod functions;
mod intrinsics;
mod parameters;
mod policy;
mod resources;
mod roles;
mod yaml;

use std::collections::BTreeMap;
use std::time::Duration;

use serde::Deserialize;
use serde_json::Value;

pub use function_urls::function_url_ids;
pub use intrinsics::{bucket_arn, function_arn, queue_arn, queue_url, secret_arn, stream_arn, table_arn};
pub use policy::Policy;
pub use resources::Resource;

use intrinsics::Scope;

/// The account and region that this machine pretends to be.
pub const ACCOUNT: &str = "123456789012";
pub const REGION: &str = "us-east-1";

/// What the template does not say itself.
#[derive(Debug, Clone, Default)]
pub struct Settings {
    /// Where the API answers, without a slash at its end.
    pub base_url: String,
    /// Where function URLs answer, with a slash at its end, by their logical ids. Others have an address such as AWS would
    /// make up.
    pub function_urls: BTreeMap<String, String>,
    /// Values for the template's parameters; the others keep their defaults. One that it doesn't have is an error.
    pub parameters: BTreeMap<String, String>,
    /// Values for parameters that have none of the above, if the template has them at all.
    pub suggestions: BTreeMap<String, String>,
}

/// The parts of a stack that the engine plays, by their physical names.
#[derive(Debug, Clone, Default)]
pub struct Stack {
    /// By binary name, which is what the engine calls a function.
    pub functions: BTreeMap<String, Function>,
    pub queues: BTreeMap<String, Queue>,
    pub tables: Vec<Table>,
    pub buckets: Vec<String>,
    pub secrets: BTreeMap<String, SecretRecipe>,
    pub routes: Vec<Route>,
    pub cors: Option<Cors>,
    pub function_urls: Vec<FunctionUrl>,
    pub event_sources: Vec<EventSource>,
    pub streams: Vec<StreamSource>,
    pub outputs: BTreeMap<String, String>,
    /// All there is, for who asks more of a template than the engine plays.
    pub resources: Vec<Resource>,
}

#[derive(Debug, Clone)]
pub struct Function {
    pub logical_id: String,
    /// The binary, also the function's name here.
    pub name: String,
    pub timeout: Duration,
    pub memory_mb: u32,
    pub environment: BTreeMap<String, String>,
    /// `ApplicationLogLevel`, such as `INFO`.
    pub log_level: String,
    pub policy: Policy,
}

#[derive(Debug, Clone)]
pub struct Queue {
    pub name: String,
    pub visibility_timeout: Duration,
    pub retention: Duration,
    pub delay: Duration,
    pub redrive: Option<Redrive>,
}

/// After this many receives in vain a message goes to that queue.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Redrive {
    pub dead_letter_queue: String,
    pub max_receive_count: u32,
}

/// A queue that feeds a function.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EventSource {
    pub function: String,
    pub queue: String,
    pub batch_size: usize,
    pub window: Duration,
    pub maximum_concurrency: Option<usize>,
    pub report_batch_item_failures: bool,
}

/// A table's stream that feeds a function with new items of some kind.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StreamSource {
    pub function: String,
    pub table: String,
    /// How their sort keys begin.
    pub prefix: String,
    pub batch_size: usize,
}

/// A route of the HTTP API, in API Gateway's own spelling: `$default` or `METHOD /path/{variable}/{rest+}`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Route {
    pub key: String,
    pub function: String,
}

/// A function's own address.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FunctionUrl {
    pub id: String,
    pub function: String,
    /// Whether everybody may call it, by both statements that AWS wants for that.
    pub is_public: bool,
}

/// What pages of other origins may do with the HTTP API, in the words of the headers that say so. `*` is any.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
pub struct Cors {
    pub allow_origins: Vec<String>,
    #[serde(default)]
    pub allow_methods: Vec<String>,
    #[serde(default)]
    pub allow_headers: Vec<String>,
    #[serde(default)]
    pub expose_headers: Vec<String>,
    /// Seconds for which a browser remembers the answer to a preflight.
    #[serde(default)]
    pub max_age: Option<i64>,
    /// Whether browsers may send cookies along.
    #[serde(default)]
    pub allow_credentials: bool,
}

#[derive(Debug, Clone)]
pub struct Table {
    pub name: String,
    /// A `CreateTable` request in JSON.
    pub create: Value,
    pub ttl_attribute: Option<String>,
}

/// How Secrets Manager would make a secret up.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SecretRecipe {
    pub length: usize,
    pub alphabet: String,
}

/// Why a template can't be run: the place in it, and what is wrong there.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{place}: {message}")]
pub struct TemplateError {
    pub place: String,
    pub message: String,
}

impl TemplateError {
    pub(crate) fn at(place: &str, message: impl Into<String>) -> Self {
        Self { place: place.to_owned(), message: message.into() }
    }
}

impl Stack {
    /// Reads a template.
    ///
    /// # Errors
    /// The first thing in it that would not run: not YAML, an unresolved reference, a function without a binary, an
    /// event source or a redrive of a queue that does not exist, a policy that is not understood.
    pub fn read(text: &str, settings: &Settings) -> Result<Self, TemplateError> {
        let document = yaml::read(text).map_err(|e| TemplateError::at("template", e))?;
        let section = |name: &str| document.get(name).and_then(Value::as_object).cloned().unwrap_or_default();
        let scope = Scope {
            base_url: settings.base_url.clone(),
            function_urls: settings.function_urls.clone(),
            parameters: parameters::read(&section("Parameters"), settings)?,
            conditions: section("Conditions"),
            resources: section("Resources"),
        };
        for name in scope.conditions.keys() {
            scope.condition(name, &format!("Conditions.{name}"))?;
        }
        let globals = scope.resolve(&document["Globals"], "Globals")?;
        let mut stack = resources::read(&scope, &globals)?;
        for (name, output) in section("Outputs") {
            if let Some(condition) = output.get("Condition").and_then(Value::as_str)
                && !scope.condition(condition, &format!("Outputs.{name}"))?
            {
                continue;
            }
            let value = scope.resolve(&output["Value"], &format!("Outputs.{name}.Value"))?;
            stack.outputs.insert(name, intrinsics::text(&value));
        }
        Ok(stack)
    }

    /// The queues that only hold what failed.
    pub fn is_dead_letter_queue(&self, name: &str) -> bool {
        self.queues.values().any(|queue| queue.redrive.as_ref().is_some_and(|r| r.dead_letter_queue == name))
    }
}

#[cfg(test)]
mod tests;
