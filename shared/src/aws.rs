//! The AWS configuration every client is built from: region, credentials and endpoints as Lambda's environment has them.

use aws_config::environment::EnvironmentVariableCredentialsProvider;
use aws_config::{BehaviorVersion, ConfigLoader, Region, SdkConfig};
use aws_credential_types::provider::SharedCredentialsProvider;
use aws_smithy_types::retry::{ReconnectMode, RetryConfig};
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
        .service_config(Environment);
    config.set_endpoint_url(config::text("AWS_ENDPOINT_URL").ok());
    Ok(config.build())
}

/// For whoever has profiles: operators at their own machines. The SDK's own way over our HTTP client.
pub fn defaults() -> Result<ConfigLoader, ConfigError> {
    Ok(aws_config::defaults(BehaviorVersion::latest()).http_client(http::aws()?).retry_config(retries()))
}

/// The SDK's standard, over a client that keeps a connection whatever was answered on it, as the SDK's current retry
/// specification wants it.
fn retries() -> RetryConfig {
    RetryConfig::standard().with_reconnect_mode(ReconnectMode::ReuseAllConnections)
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
