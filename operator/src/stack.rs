//! The stack that the environment names, reached and compared with its sealing secret before anything is written: a key
//! that was sealed by another secret than the stack's would be written, printed, and never work.

use aws_config::SdkConfig;
use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::config::ProvideCredentials;
use aws_sdk_dynamodb::error::{DisplayErrorContext, ProvideErrorMetadata, SdkError};
use aws_sdk_dynamodb::types::AttributeValue;
use shared::config::{self, ConfigError};
use shared::ids::KeyId;
use shared::secrets::{KeptSecret, Sealer, SealingError, SecretError};
use shared::store::{Store, StoreError, keys};

#[derive(Debug, thiserror::Error)]
pub enum StackError {
    #[error(transparent)]
    Config(#[from] ConfigError),
    #[error("there is no AWS region: set AWS_REGION, or choose a profile that has one (AWS_PROFILE)")]
    NoRegion,
    #[error("there are no AWS credentials: set AWS_ACCESS_KEY_ID and its kin, or AWS_PROFILE ({0})")]
    NoCredentials(String),
    #[error("there is no table {table} in {region} for these credentials: TABLE_NAME is the stack's output TableName")]
    NoTable { table: String, region: String },
    #[error("the table {table} can't be read ({code}): these credentials may lack dynamodb:Scan or be expired")]
    Refused { table: String, code: String },
    #[error("DynamoDB in {region} can't be reached: {cause}")]
    Unreachable { region: String, cause: String },
    #[error("the sealing secret can't be read: {0}; SEALING_SECRET_ARN is the stack's output SealingSecretArn")]
    Secret(#[from] SecretError),
    #[error(
        "the sealing secret is not this table's: it does not open the key {0} that is there; is it another stack's?"
    )]
    ForeignSecret(KeyId),
    #[error("the table can't be read: {0}")]
    Store(#[from] StoreError),
}

/// A deployed stack, and a right to its table.
#[derive(Clone)]
pub struct Stack {
    pub aws: SdkConfig,
    pub table: String,
    pub store: Store,
    /// Its sealing secret, where it is kept.
    pub secret: KeptSecret,
}

impl Stack {
    /// The one that `TABLE_NAME` and `SEALING_SECRET_ARN` name, for whoever the AWS command line would take the caller for.
    ///
    /// # Errors
    /// What is missing or wrong, in one sentence; nothing is written then.
    pub async fn of_environment() -> Result<Self, StackError> {
        let (table, secret) = (config::text("TABLE_NAME")?, config::text("SEALING_SECRET_ARN")?);
        Self::open(aws().await?, table, secret).await
    }

    /// # Errors
    /// As [`Stack::of_environment`].
    pub async fn open(aws: SdkConfig, table: String, secret: String) -> Result<Self, StackError> {
        let region = aws.region().map(ToString::to_string).unwrap_or_default();
        let known = known_key(&aws, &table, &region).await?;
        let secret = KeptSecret::new(&aws, secret);
        secret.read().await?;
        let store = Store::new(&aws, table.clone(), Sealer::reading(secret.clone()));
        if let Some(id) = known {
            match store.api_key(&id).await {
                Err(StoreError::Sealing(SealingError::Unopenable(_))) => return Err(StackError::ForeignSecret(id)),
                read => drop(read?),
            }
        }
        Ok(Self { aws, table, store, secret })
    }
}

/// Region and credentials, found where the AWS command line finds them.
///
/// # Errors
/// When there are none.
pub async fn aws() -> Result<SdkConfig, StackError> {
    let aws = shared::aws::defaults()?.load().await;
    if aws.region().is_none() {
        return Err(StackError::NoRegion);
    }
    let none = || StackError::NoCredentials("no way to find any".to_owned());
    let credentials = aws.credentials_provider().ok_or_else(none)?.provide_credentials().await;
    credentials.map_err(|error| StackError::NoCredentials(error.to_string()))?;
    Ok(aws)
}

/// Some API key of the table; a table that nobody was given a key of has none.
async fn known_key(aws: &SdkConfig, table: &str, region: &str) -> Result<Option<KeyId>, StackError> {
    let pages = Client::new(aws).scan().table_name(table).filter_expression("sk = :key").projection_expression("pk");
    let pages = pages.expression_attribute_values(":key", AttributeValue::S("KEY".to_owned()));
    let mut pages = pages.into_paginator().items().send();
    while let Some(item) = pages.next().await {
        let item = item.map_err(|error| refusal(&error, table, region))?;
        let pk = item.get(keys::PK).and_then(|pk| pk.as_s().ok());
        if let Some(id) = pk.and_then(|pk| pk.strip_prefix(keys::KEY_PREFIX)?.parse().ok()) {
            return Ok(Some(id));
        }
    }
    Ok(None)
}

fn refusal<E: ProvideErrorMetadata + std::error::Error + 'static>(
    error: &SdkError<E>,
    table: &str,
    region: &str,
) -> StackError {
    let (table, region) = (table.to_owned(), region.to_owned());
    match error.code() {
        Some("ResourceNotFoundException") => StackError::NoTable { table, region },
        Some(code) => StackError::Refused { table, code: code.to_owned() },
        None => StackError::Unreachable { region, cause: DisplayErrorContext(error).to_string() },
    }
}
