//! `MessageBird-Signature-JWT`. Written apart from the product's check on purpose: each is a test of the other.

use jsonwebtoken::{EncodingKey, Header};
use serde::Serialize;
use sha2::{Digest, Sha256};

/// In MessageBird's order.
#[derive(Serialize)]
struct Claims<'a> {
    iss: &'a str,
    nbf: i64,
    exp: i64,
    jti: String,
    url_hash: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    payload_hash: Option<String>,
}

/// Good for a minute from `now` (Unix seconds), for this URL and body.
pub fn sign(signing_key: &str, url: &str, body: &[u8], now: i64) -> Option<String> {
    let claims = Claims {
        iss: "MessageBird",
        nbf: now,
        exp: now + 60,
        jti: uuid::Uuid::new_v4().to_string(),
        url_hash: hex::encode(Sha256::digest(url)),
        payload_hash: (!body.is_empty()).then(|| hex::encode(Sha256::digest(body))),
    };
    jsonwebtoken::encode(&Header::default(), &claims, &EncodingKey::from_secret(signing_key.as_bytes())).ok()
}
