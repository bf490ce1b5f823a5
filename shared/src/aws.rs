//! The AWS configuration every client is built from: region, credentials and endpoints as Lambda's environment has them.

use std::time::Duration;

use aws_config::environment::EnvironmentVariableCredentialsProvider;
use aws_config::{BehaviorVersion, ConfigLoader, Region, SdkConfig};
use aws_credential_types::provider::SharedCredentialsProvider;
use aws_smithy_types::retry::{ReconnectMode, RetryConfig};
use aws_smithy_types::timeout::TimeoutConfig;
use aws_types::service_config::{LoadServiceConfig, ServiceConfigKey};

use crate::config::{self, ConfigError};
use crate::http;

/// For functions. Nothing but the environment is asked: the SDK's own loader looks for profiles, roles and instance
/// metadata too, none of which a Lambda has; docs/BENCHMARKS.md has what that costs.
pub fn config() -> Result<SdkConfig, ConfigError> {
    let credentials = SharedCredentialsProvider::new(EnvironmentVariableCredentialsProvider::new());
    let mut config = SdkConfig::builder()
        .behavior_version(BehaviorVersion::latest())
        .region(Region::new(config::text("AWS_REGION")?))
        .credentials_provider(credentials)
        .http_client(http::aws()?)
        .retry_config(retries())
        .timeout_config(time_outs())
        .service_config(Environment);
    config.set_endpoint_url(config::text("AWS_ENDPOINT_URL").ok());
    Ok(config.build())
}

/// For whoever has profiles: operators at their own machines. The SDK's own way over our HTTP client.
pub fn defaults() -> Result<ConfigLoader, ConfigError> {
    let loader = aws_config::defaults(BehaviorVersion::latest()).http_client(http::aws()?);
    Ok(loader.retry_config(retries()).timeout_config(time_outs()))
}

/// The SDK's standard, over a client that keeps a connection whatever was answered on it, as the SDK's current retry
/// specification wants it.
fn retries() -> RetryConfig {
    RetryConfig::standard().with_reconnect_mode(ReconnectMode::ReuseAllConnections)
}

/// The table and the queues answer within milliseconds. What is silent for two seconds will not answer, and what was asked
/// in vain for five leaves the shortest invocation, of ten, the time to say so. Who was cut off may have been heard: every
/// write is made to be repeated.
fn time_outs() -> TimeoutConfig {
    bounded(Duration::from_secs(2), Duration::from_secs(5))
}

/// For the bucket: files are megabytes, and the functions that keep them have fifteen seconds.
pub fn time_outs_for_files() -> TimeoutConfig {
    bounded(Duration::from_secs(4), Duration::from_secs(9))
}

fn bounded(attempt: Duration, operation: Duration) -> TimeoutConfig {
    TimeoutConfig::builder().operation_attempt_timeout(attempt).operation_timeout(operation).build()
}

/// What is set for one service: `AWS_ENDPOINT_URL_DYNAMODB`.
#[derive(Debug)]
struct Environment;

impl LoadServiceConfig for Environment {
    fn load_config(&self, key: ServiceConfigKey<'_>) -> Option<String> {
        let service = key.service_id().to_uppercase().replace(' ', "_");
        std::env::var(format!("{}_{service}", key.env())).ok()
    }
}
