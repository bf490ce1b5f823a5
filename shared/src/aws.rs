//! The AWS configuration every client is built from: region, credentials and endpoints as Lambda's environment has them.

use aws_config::environment::EnvironmentVariableCredentialsProvider;
use aws_config::{BehaviorVersion, ConfigLoader, SdkConfig};
use aws_smithy_types::retry::{ReconnectMode, RetryConfig};

use crate::config::ConfigError;
use crate::http;

/// Lambda hands credentials over in the environment, so the chain of other providers is never set up.
pub async fn config() -> Result<SdkConfig, ConfigError> {
    Ok(defaults()?.credentials_provider(EnvironmentVariableCredentialsProvider::new()).load().await)
}

/// The SDK's own defaults over our HTTP client, which keeps a connection whatever was answered on it, as the SDK's
/// current retry specification wants it.
pub fn defaults() -> Result<ConfigLoader, ConfigError> {
    let retries = RetryConfig::standard().with_reconnect_mode(ReconnectMode::ReuseAllConnections);
    Ok(aws_config::defaults(BehaviorVersion::latest()).http_client(http::aws()?).retry_config(retries))
}
