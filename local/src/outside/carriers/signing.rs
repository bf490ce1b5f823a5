//! Signs callbacks as the carriers do. Written apart from the product's checks on purpose: each is a test of the other.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use hmac::{Hmac, KeyInit, Mac};
use jsonwebtoken::{EncodingKey, Header};
use serde::Serialize;
use sha1::Sha1;
use sha2::{Digest, Sha256};

/// `X-Twilio-Signature`: HMAC-SHA1 over the URL, then the fields sorted by name, with the auth token.
pub fn twilio(auth_token: &str, url: &str, fields: &[(String, String)]) -> Option<String> {
    let mut sorted: Vec<_> = fields.iter().collect();
    sorted.sort();
    sorted.dedup();
    let mut mac = Hmac::<Sha1>::new_from_slice(auth_token.as_bytes()).ok()?;
    mac.update(url.as_bytes());
    for (name, value) in sorted {
        mac.update(name.as_bytes());
        mac.update(value.as_bytes());
    }
    Some(STANDARD.encode(mac.finalize().into_bytes()))
}

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

/// `MessageBird-Signature-JWT`: good for a minute from `now` (Unix seconds), for this URL and body.
pub fn messagebird(signing_key: &str, url: &str, body: &[u8], now: i64) -> Option<String> {
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
