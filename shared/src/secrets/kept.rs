//! The sealing secret where it is kept: Secrets Manager.

use aws_sdk_secretsmanager::Client;
use uuid::Uuid;

use super::keyring::{MalformedSecret, SealingSecret};
use crate::config::{self, ConfigError};
use crate::model::Timestamp;
use crate::store::error_code;

#[derive(Debug, thiserror::Error)]
pub enum SecretError {
    #[error("Secrets Manager {operation} failed: {code}")]
    Aws { operation: &'static str, code: String },
    #[error("this function is not given the sealing secret")]
    NotGiven,
    #[error(transparent)]
    Malformed(#[from] MalformedSecret),
    #[error("the sealing secret was changed by somebody else meanwhile")]
    Overtaken,
}

/// The secret that an ARN names.
#[derive(Clone)]
pub struct KeptSecret {
    client: Client,
    arn: String,
}

/// The secret as it was read.
#[derive(Debug)]
pub struct Reading {
    pub secret: SealingSecret,
    /// When it was written.
    pub since: Timestamp,
    /// Secrets Manager's own name for what was read.
    id: String,
}

impl KeptSecret {
    /// The one that `SEALING_SECRET_ARN` names.
    pub fn from_env(aws: &aws_config::SdkConfig) -> Result<Self, ConfigError> {
        Ok(Self::new(aws, config::text("SEALING_SECRET_ARN")?))
    }

    pub fn new(aws: &aws_config::SdkConfig, arn: String) -> Self {
        Self { client: Client::new(aws), arn }
    }

    pub async fn read(&self) -> Result<Reading, SecretError> {
        let request = self.client.get_secret_value().secret_id(&self.arn);
        let output = request
            .send()
            .await
            .map_err(|error| SecretError::Aws { operation: "GetSecretValue", code: error_code(&error) })?;
        let since = output.created_date().and_then(|at| at.to_millis().ok()).unwrap_or_default();
        Ok(Reading {
            secret: SealingSecret::read(output.secret_string().unwrap_or_default())?,
            since: Timestamp::from_millis(since),
            id: output.version_id().unwrap_or_default().to_owned(),
        })
    }

    /// Over what was read, and over nothing else: a key that somebody added meanwhile would be lost, and what it sealed.
    pub async fn replace(&self, old: &Reading, new: &SealingSecret) -> Result<(), SecretError> {
        // The name of a value that follows this one: it is given once, and a second value of that name is refused.
        let id = Uuid::new_v5(&Uuid::NAMESPACE_OID, old.id.as_bytes()).to_string();
        let request = self.client.put_secret_value().secret_id(&self.arn).client_request_token(id);
        match request.secret_string(new.write()).send().await.map_err(|error| error_code(&error)) {
            Ok(_) => Ok(()),
            Err(code) if code == "ResourceExistsException" => Err(SecretError::Overtaken),
            Err(code) => Err(SecretError::Aws { operation: "PutSecretValue", code }),
        }
    }
}
