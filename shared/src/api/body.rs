//! What a body must be before it is read: declared as what is wanted, not too large, not compressed.

use lambda_http::{Request, http};

use crate::model::{ApiError, ErrorCode};

/// docs/REFERENCE.md, 11.
pub const LIMIT: usize = 100 * 1024;

/// The body of a request that must be JSON and not too large.
pub fn json(request: &Request) -> Result<&[u8], ApiError> {
    let body: &[u8] = request.body().as_ref();
    if body.len() > LIMIT {
        let problem = format!("The body must have at most {LIMIT} bytes");
        return Err(ApiError::new(ErrorCode::RequestEntityTooLarge, problem));
    }
    let content_type = request.headers().get(http::header::CONTENT_TYPE).and_then(|value| value.to_str().ok());
    let essence = content_type.unwrap_or_default().split(';').next().unwrap_or_default().trim();
    if !essence.eq_ignore_ascii_case("application/json") {
        return Err(ApiError::new(ErrorCode::UnsupportedMediaType, "Content-Type must be application/json"));
    }
    uncompressed(request)?;
    Ok(body)
}

/// What is compressed is not unpacked: nobody could say how large it is before.
pub fn uncompressed(request: &Request) -> Result<(), ApiError> {
    match request.headers().get(http::header::CONTENT_ENCODING).map(|value| value.as_bytes()) {
        None => Ok(()),
        Some(encoding) if encoding.is_empty() || encoding.eq_ignore_ascii_case(b"identity") => Ok(()),
        Some(_) => {
            let problem = "Content-Encoding must be left out: bodies are taken as they are, not compressed";
            Err(ApiError::new(ErrorCode::UnsupportedMediaType, problem))
        }
    }
}
