//! The table of a deployed stack, for an operator: reached and compared with the sealing secret before anything is
//! written. A key that was sealed by another secret than the stack's would be written, printed, and never work.

use aws_config::SdkConfig;
use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::config::ProvideCredentials;
use aws_sdk_dynamodb::error::{DisplayErrorContext, ProvideErrorMetadata, SdkError};
use aws_sdk_dynamodb::types::AttributeValue;
use shared::config::{self, ConfigError};
use shared::ids::KeyId;
use shared::model::Secret;
use shared::secrets::Sealer;
use shared::store::{Store, StoreError, keys};

/// What the template has Secrets Manager make up.
const SECRET_LENGTH: usize = 64;

#[derive(Debug, thiserror::Error)]
pub enum OperatorError {
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
    #[error(
        "SEALING_SECRET is not what the stack made ({SECRET_LENGTH} letters and digits): take the value of the secret \
         that the output SealingSecretArn names, not its ARN, and without quotes or line breaks"
    )]
    MalformedSecret,
    #[error(
        "SEALING_SECRET is not this table's: it does not open the key {0} that is there; is it another stack's secret?"
    )]
    ForeignSecret(KeyId),
    #[error("the table can't be read: {0}")]
    Store(#[from] StoreError),
}

/// The store that `TABLE_NAME` and `SEALING_SECRET` name, after it was found to be there and to be the secret's own.
pub async fn store() -> Result<Store, OperatorError> {
    let (table, secret) = (config::text("TABLE_NAME")?, config::secret("SEALING_SECRET")?);
    let is_made = |secret: &str| secret.len() == SECRET_LENGTH && secret.bytes().all(|b| b.is_ascii_alphanumeric());
    if !is_made(secret.expose()) {
        return Err(OperatorError::MalformedSecret);
    }
    let aws = shared::aws::defaults()?.load().await;
    let region = aws.region().ok_or(OperatorError::NoRegion)?.to_string();
    check_credentials(&aws).await?;
    let known = known_key(&aws, &table, &region).await?;
    open(&aws, table, &secret, known).await
}

async fn check_credentials(aws: &SdkConfig) -> Result<(), OperatorError> {
    let none = || OperatorError::NoCredentials("no way to find any".to_owned());
    let credentials = aws.credentials_provider().ok_or_else(none)?.provide_credentials().await;
    credentials.map(drop).map_err(|error| OperatorError::NoCredentials(error.to_string()))
}

/// Some API key of the table; a table that nobody was given a key of has none.
async fn known_key(aws: &SdkConfig, table: &str, region: &str) -> Result<Option<KeyId>, OperatorError> {
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
) -> OperatorError {
    let (table, region) = (table.to_owned(), region.to_owned());
    match error.code() {
        Some("ResourceNotFoundException") => OperatorError::NoTable { table, region },
        Some(code) => OperatorError::Refused { table, code: code.to_owned() },
        None => OperatorError::Unreachable { region, cause: DisplayErrorContext(error).to_string() },
    }
}

async fn open(aws: &SdkConfig, table: String, secret: &Secret, known: Option<KeyId>) -> Result<Store, OperatorError> {
    let store = Store::new(aws, table, Sealer::new(secret));
    if let Some(id) = known {
        match store.api_key(&id).await {
            Err(StoreError::Unopenable(_)) => return Err(OperatorError::ForeignSecret(id)),
            read => drop(read?),
        }
    }
    Ok(store)
}
