//! What the API answers when it refuses: v1.1's error object, from one closed list of codes.

use serde_json::{Value, json};

/// Every code the API can answer with. `docs/ERRORS.md` has the same list.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum ErrorCode {
    BadRequest,
    Unauthorized,
    InvalidAuth,
    Forbidden,
    NotFound,
    AppNotFound,
    IntegrationNotFound,
    MethodNotAllowed,
    RequestEntityTooLarge,
    UnsupportedMediaType,
    TooManyRequests,
    InternalServerError,
    ServiceUnavailable,
}

impl ErrorCode {
    pub const ALL: [Self; 13] = [
        Self::BadRequest,
        Self::Unauthorized,
        Self::InvalidAuth,
        Self::Forbidden,
        Self::NotFound,
        Self::AppNotFound,
        Self::IntegrationNotFound,
        Self::MethodNotAllowed,
        Self::RequestEntityTooLarge,
        Self::UnsupportedMediaType,
        Self::TooManyRequests,
        Self::InternalServerError,
        Self::ServiceUnavailable,
    ];

    pub fn as_str(self) -> &'static str {
        match self {
            Self::BadRequest => "bad_request",
            Self::Unauthorized => "unauthorized",
            Self::InvalidAuth => "invalid_auth",
            Self::Forbidden => "forbidden",
            Self::NotFound => "not_found",
            Self::AppNotFound => "app_not_found",
            Self::IntegrationNotFound => "integration_not_found",
            Self::MethodNotAllowed => "method_not_allowed",
            Self::RequestEntityTooLarge => "request_entity_too_large",
            Self::UnsupportedMediaType => "unsupported_media_type",
            Self::TooManyRequests => "too_many_requests",
            Self::InternalServerError => "internal_server_error",
            Self::ServiceUnavailable => "service_unavailable",
        }
    }

    /// The HTTP status that goes with the code.
    pub fn status(self) -> u16 {
        match self {
            Self::BadRequest => 400,
            Self::Unauthorized | Self::InvalidAuth => 401,
            Self::Forbidden => 403,
            Self::NotFound | Self::AppNotFound | Self::IntegrationNotFound => 404,
            Self::MethodNotAllowed => 405,
            Self::RequestEntityTooLarge => 413,
            Self::UnsupportedMediaType => 415,
            Self::TooManyRequests => 429,
            Self::InternalServerError => 500,
            Self::ServiceUnavailable => 503,
        }
    }
}

/// A refusal: the code, and a sentence for the caller that names the field and the fix.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{}: {description}", code.as_str())]
pub struct ApiError {
    pub code: ErrorCode,
    pub description: String,
}

impl ApiError {
    pub fn new(code: ErrorCode, description: impl Into<String>) -> Self {
        Self { code, description: description.into() }
    }

    /// 400 about one field: `destination.integrationId must be 24 hexadecimal digits`.
    pub fn field(field: &str, problem: impl std::fmt::Display) -> Self {
        Self::new(ErrorCode::BadRequest, format!("{field} {problem}"))
    }

    /// `{"error":{"code","description"}}`
    pub fn body(&self) -> Value {
        json!({ "error": { "code": self.code.as_str(), "description": self.description } })
    }
}
