//! SQS's own refusals, as its JSON protocol says them.

use super::messages::ReceiptError;

/// A refusal. The query code is what the SDKs show as the error's code.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{code}: {message}")]
pub struct SqsError {
    /// The shape's name in the JSON protocol.
    pub shape: &'static str,
    /// Its older name, sent in `x-amzn-query-error` and in batch results.
    pub code: &'static str,
    pub message: String,
}

impl SqsError {
    fn new(shape: &'static str, code: &'static str, message: impl Into<String>) -> Self {
        Self { shape, code, message: message.into() }
    }

    pub fn no_such_queue() -> Self {
        let message = "The specified queue does not exist.";
        Self::new("QueueDoesNotExist", "AWS.SimpleQueueService.NonExistentQueue", message)
    }

    pub fn invalid(message: impl Into<String>) -> Self {
        Self::new("InvalidParameterValueException", "InvalidParameterValue", message)
    }

    pub fn missing(parameter: &str) -> Self {
        let message = format!("The request must contain the parameter {parameter}.");
        Self::new("MissingRequiredParameterException", "MissingParameter", message)
    }

    pub fn invalid_contents() -> Self {
        let message = "Invalid characters found. Valid unicode characters are #x9 | #xA | #xD | #x20 to #xD7FF | #xE000 to #xFFFD | #x10000 to #x10FFFF";
        Self::new("InvalidMessageContents", "InvalidMessageContents", message)
    }

    pub fn empty_batch() -> Self {
        let message = "There should be at least one entry in the request.";
        Self::new("EmptyBatchRequest", "AWS.SimpleQueueService.EmptyBatchRequest", message)
    }

    pub fn too_many_entries(count: usize) -> Self {
        let message = format!("Maximum number of entries per request are 10. You have sent {count}.");
        Self::new("TooManyEntriesInBatchRequest", "AWS.SimpleQueueService.TooManyEntriesInBatchRequest", message)
    }

    pub fn ids_not_distinct(id: &str) -> Self {
        let message = format!("Id {id} repeated.");
        Self::new("BatchEntryIdsNotDistinct", "AWS.SimpleQueueService.BatchEntryIdsNotDistinct", message)
    }

    pub fn invalid_entry_id() -> Self {
        let message = "A batch entry id can only contain alphanumeric characters, hyphens and underscores. It can be at most 80 letters long.";
        Self::new("InvalidBatchEntryId", "AWS.SimpleQueueService.InvalidBatchEntryId", message)
    }

    pub fn batch_too_long(bytes: usize) -> Self {
        let message = format!("Batch requests cannot be longer than 1048576 bytes. You have sent {bytes} bytes.");
        Self::new("BatchRequestTooLong", "AWS.SimpleQueueService.BatchRequestTooLong", message)
    }

    pub fn not_found(message: impl Into<String>) -> Self {
        Self::new("ResourceNotFoundException", "ResourceNotFoundException", message)
    }

    pub fn unknown_operation(operation: &str) -> Self {
        let message = format!("The operation {operation} is not played on this machine.");
        Self::new("UnknownOperationException", "InvalidAction", message)
    }

    pub fn access_denied(message: impl Into<String>) -> Self {
        Self::new("AccessDeniedException", "AccessDenied", message)
    }

    pub fn throttled() -> Self {
        Self::new("RequestThrottled", "RequestThrottled", "Rate exceeded")
    }

    pub fn internal(message: impl Into<String>) -> Self {
        Self::new("InternalFailure", "InternalFailure", message)
    }

    pub fn is_senders_fault(&self) -> bool {
        self.code != "InternalFailure"
    }
}

impl From<ReceiptError> for SqsError {
    fn from(error: ReceiptError) -> Self {
        match error {
            ReceiptError::Invalid => {
                let message = "The input receipt handle is invalid.";
                Self::new("ReceiptHandleIsInvalid", "ReceiptHandleIsInvalid", message)
            }
            ReceiptError::NotInFlight => {
                let message = "Value for parameter ReceiptHandle is invalid. Reason: Message does not exist or is not available for visibility timeout change.";
                Self::new("MessageNotInflight", "AWS.SimpleQueueService.MessageNotInflight", message)
            }
        }
    }
}

impl From<rusqlite::Error> for SqsError {
    fn from(error: rusqlite::Error) -> Self {
        Self::internal(error.to_string())
    }
}
