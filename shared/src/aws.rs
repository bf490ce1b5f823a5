//! The AWS configuration every client is built from: region, credentials and endpoints as Lambda's environment has them.

use aws_config::{BehaviorVersion, SdkConfig};

pub async fn config() -> SdkConfig {
    aws_config::load_defaults(BehaviorVersion::latest()).await
}
