//! What the table may answer instead of what was asked.

use aws_sdk_dynamodb::error::{ProvideErrorMetadata, SdkError};

#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    #[error("DynamoDB {operation} failed: {code}")]
    Aws { operation: &'static str, code: String },
    #[error("an item of kind {0} cannot be read")]
    Unreadable(&'static str),
    #[error(transparent)]
    Unopenable(#[from] crate::secrets::Unopenable),
    #[error("other writers kept changing the same item")]
    Contended,
}

/// What DynamoDB says of a request that it will refuse whenever it is made.
const REFUSED_FOR_GOOD: [&str; 3] = ["ValidationException", "AccessDeniedException", "ResourceNotFoundException"];

impl StoreError {
    /// Whether the same request may go through a moment later. It may also have been made.
    pub(in crate::store) fn may_pass(&self) -> bool {
        matches!(self, Self::Aws { code, .. } if !REFUSED_FOR_GOOD.contains(&code.as_str()))
    }
}

/// Keeps the service's code and drops its message, which may repeat keys.
pub(in crate::store) fn aws_error<E, R>(operation: &'static str) -> impl Fn(SdkError<E, R>) -> StoreError
where
    E: ProvideErrorMetadata,
{
    move |error| StoreError::Aws { operation, code: error_code(&error) }
}

pub(crate) fn error_code<E: ProvideErrorMetadata, R>(error: &SdkError<E, R>) -> String {
    match error {
        SdkError::TimeoutError(_) => "time-out".to_owned(),
        SdkError::DispatchFailure(_) => "no connection".to_owned(),
        error => error.code().unwrap_or("unknown").to_owned(),
    }
}
