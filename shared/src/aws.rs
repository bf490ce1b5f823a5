//! The AWS configuration every client is built from: region, credentials and endpoints as Lambda's environment has them.

use aws_config::environment::EnvironmentVariableCredentialsProvider;
use aws_config::{BehaviorVersion, SdkConfig};

/// Lambda hands credentials over in the environment, so the chain of other providers is never set up.
pub async fn config() -> SdkConfig {
    let credentials = EnvironmentVariableCredentialsProvider::new();
    aws_config::defaults(BehaviorVersion::latest()).credentials_provider(credentials).load().await
}
