//! What the API answers when it refuses: v1.1's error object, from one closed list of codes.

use serde_json::{Value, json};

macro_rules! codes {
    ($($variant:ident = $name:literal $status:literal),+ $(,)?) => {
        /// Every code the API can answer with. `docs/ERRORS.md` has the same list.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
        pub enum ErrorCode { $($variant),+ }

        impl ErrorCode {
            pub const ALL: &[Self] = &[$(Self::$variant),+];

            pub fn as_str(self) -> &'static str {
                match self { $(Self::$variant => $name),+ }
            }

            /// The HTTP status that goes with the code.
            pub fn status(self) -> u16 {
                match self { $(Self::$variant => $status),+ }
            }
        }
    };
}

codes! {
    BadRequest = "bad_request" 400,
    Unauthorized = "unauthorized" 401,
    InvalidAuth = "invalid_auth" 401,
    Forbidden = "forbidden" 403,
    NotFound = "not_found" 404,
    AppNotFound = "app_not_found" 404,
    ConversationNotFound = "conversation_not_found" 404,
    IntegrationNotFound = "integration_not_found" 404,
    KeyNotFound = "key_not_found" 404,
    MenuNotFound = "menu_not_found" 404,
    MessageNotFound = "message_not_found" 404,
    ServiceAccountNotFound = "service_account_not_found" 404,
    TemplateNotFound = "template_not_found" 404,
    UserNotFound = "user_not_found" 404,
    WebhookNotFound = "webhook_not_found" 404,
    MethodNotAllowed = "method_not_allowed" 405,
    Conflict = "conflict" 409,
    RequestEntityTooLarge = "request_entity_too_large" 413,
    UnsupportedMediaType = "unsupported_media_type" 415,
    RangeNotSatisfiable = "range_not_satisfiable" 416,
    Locked = "locked" 423,
    TooManyRequests = "too_many_requests" 429,
    InternalServerError = "internal_server_error" 500,
    ServiceUnavailable = "service_unavailable" 503,
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

    /// What a path names is not there, or not this caller's: `User not found`.
    pub fn missing(code: ErrorCode) -> Self {
        let words = code.as_str().replace('_', " ");
        let mut letters = words.chars();
        let first = letters.next().map(|letter| letter.to_ascii_uppercase());
        Self::new(code, first.into_iter().chain(letters).collect::<String>())
    }

    /// `{"error":{"code","description"}}`
    pub fn body(&self) -> Value {
        json!({ "error": { "code": self.code.as_str(), "description": self.description } })
    }
}
