//! The closed list of ways in which a send can fail, and what follows from each.

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::model::{CarrierAnswer, FailedExchange, Failure, FailureCode, Message, Timestamp};

/// A send that failed, or a receipt that says so. `reason` is a sentence for the business; it names no person.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, thiserror::Error)]
#[error("{reason}")]
pub struct SendError {
    pub kind: SendErrorKind,
    pub reason: String,
    /// The carrier's own error object, passed on unchanged.
    pub underlying: Option<Value>,
    /// Seconds the carrier asked us to wait.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub retry_after: Option<u32>,
    /// What the carrier answered, where it was asked, for whoever looks into it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub answer: Option<Box<CarrierAnswer>>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SendErrorKind {
    /// The integration: sender, balance, registration. The business must act.
    Misconfigured,
    /// The carrier does not know the credentials (HTTP 401). The business must act.
    Unauthorized,
    /// The credentials are good but may not do this (HTTP 403). The business must act.
    Forbidden,
    /// This message or address.
    Invalid,
    /// The channel cannot carry this type of message at all.
    Unsupported,
    /// Network, filter or handset said no.
    Rejected,
    /// The person said stop.
    OptedOut,
    /// Too fast. With braces, since tasks that an earlier version wrote have a field in them.
    Throttled {},
    /// The carrier has not taken the message and may do so later.
    Unavailable,
    /// No answer came, or one that does not say: the message may have gone out. No carrier served documents an
    /// idempotency key.
    Undecided,
}

impl SendError {
    pub fn new(kind: SendErrorKind, reason: impl Into<String>) -> Self {
        Self { kind, reason: reason.into(), underlying: None, retry_after: None, answer: None }
    }

    pub fn with_underlying(self, underlying: Value) -> Self {
        Self { underlying: Some(underlying), ..self }
    }

    pub fn with_answer(self, answer: CarrierAnswer) -> Self {
        Self { answer: Some(Box::new(answer)), ..self }
    }

    /// With an answer that says nothing of the message it is about.
    pub fn without(self, message: &Message) -> Self {
        Self { answer: self.answer.map(|answer| Box::new(answer.without(message))), ..self }
    }

    /// As it is kept with the record. `attempt`: of a send. `None`: no carrier was asked.
    pub fn exchange(&self, at: Timestamp, attempt: Option<u32>) -> Option<FailedExchange> {
        let carrier = self.answer.as_deref()?.clone();
        Some(FailedExchange { at, attempt, carrier })
    }

    /// What is known of it, and what is not.
    pub fn undecided(what: &str) -> Self {
        Self::new(SendErrorKind::Undecided, format!("{what}; the message may have gone out"))
    }

    /// v1.1's words for a type that a channel lacks (docs/REFERENCE.md, 3.4).
    pub fn unsupported(type_name: &str) -> Self {
        Self::new(SendErrorKind::Unsupported, format!("Unsupported message type `{type_name}`"))
    }

    /// Whether trying again can help. When is for the retry schedule to say, with `retry_after` as a floor.
    pub fn is_retryable(&self) -> bool {
        matches!(self.kind, SendErrorKind::Throttled {} | SendErrorKind::Unavailable | SendErrorKind::Undecided)
    }

    /// Whether the business has to change something before any message can go this way.
    pub fn is_business_fault(&self) -> bool {
        matches!(self.kind, SendErrorKind::Misconfigured | SendErrorKind::Unauthorized | SendErrorKind::Forbidden)
    }

    /// What the business reads in the failure event (docs/REFERENCE.md, 7.2).
    pub fn failure(&self) -> Failure {
        let code = match self.kind {
            SendErrorKind::Unauthorized => FailureCode::Unauthorized,
            SendErrorKind::Forbidden => FailureCode::Forbidden,
            SendErrorKind::Misconfigured | SendErrorKind::Invalid => FailureCode::BadRequest,
            SendErrorKind::Throttled {} => FailureCode::TooManyRequests,
            SendErrorKind::Unavailable | SendErrorKind::Undecided => FailureCode::ServiceUnavailable,
            SendErrorKind::Unsupported | SendErrorKind::Rejected | SendErrorKind::OptedOut => {
                FailureCode::UncategorizedError
            }
        };
        Failure { code, message: self.reason.clone(), underlying_error: self.underlying.clone() }
    }
}
