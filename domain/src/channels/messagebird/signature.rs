//! MessageBird's two signatures: a JWT over URL and body, and the older keyed digest with a time stamp.
//!
//! Which one an account sends is its own matter; where both come, the JWT decides. Both end, so that a captured callback
//! is soon worthless; repeats within that time are dropped by message id further on.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use hmac::{Hmac, KeyInit, Mac};
use http::HeaderValue;
use jsonwebtoken::{Algorithm, DecodingKey, Validation};
use serde::Deserialize;
use sha2::{Digest, Sha256};
use subtle::ConstantTimeEq;

use super::{LEEWAY, LEGACY_AGE_LIMIT};
use crate::channels::fields::{Fields, query};
use crate::channels::{Callback, Unverified, Verified};
use crate::model::Timestamp;

const JWT: &str = "messagebird-signature-jwt";
const LEGACY: &str = "messagebird-signature";
const LEGACY_TIME: &str = "messagebird-request-timestamp";
const ISSUER: &str = "MessageBird";

/// Checks the callback against the account's signing key.
pub fn verify(key: &[u8], callback: Callback) -> Result<Verified, Unverified> {
    if let Some(token) = callback.headers.get(JWT) {
        check_jwt(key, token, &callback)?;
    } else if let Some(signature) = callback.headers.get(LEGACY) {
        check_legacy(key, signature, &callback)?;
    } else {
        return Err(Unverified::Missing);
    }
    Ok(Verified::new(callback))
}

#[derive(Deserialize)]
struct Claims {
    iss: String,
    /// Unix seconds.
    nbf: i64,
    exp: i64,
    jti: String,
    url_hash: String,
    payload_hash: Option<String>,
}

fn check_jwt(key: &[u8], token: &HeaderValue, callback: &Callback) -> Result<(), Unverified> {
    let mut validation = Validation::new(Algorithm::HS256);
    validation.algorithms = vec![Algorithm::HS256, Algorithm::HS384, Algorithm::HS512];
    // Claims are checked below, by the callback's time and not by the library's clock.
    validation.required_spec_claims.clear();
    validation.validate_exp = false;
    validation.validate_aud = false;
    let claims = jsonwebtoken::decode::<Claims>(token.as_bytes(), &DecodingKey::from_secret(key), &validation)
        .map_err(|_| Unverified::Wrong)?
        .claims;
    let body_matches = match &claims.payload_hash {
        Some(hash) => !callback.body.is_empty() && is_digest(hash, &callback.body),
        None => callback.body.is_empty(),
    };
    if claims.iss != ISSUER
        || claims.jti.is_empty()
        || !is_digest(&claims.url_hash, callback.url.as_bytes())
        || !body_matches
    {
        return Err(Unverified::Wrong);
    }
    let now = callback.received.seconds();
    let is_fresh = now >= claims.nbf.saturating_sub(LEEWAY) && now <= claims.exp.saturating_add(LEEWAY);
    if is_fresh { Ok(()) } else { Err(Unverified::Stale) }
}

fn is_digest(hash: &str, bytes: &[u8]) -> bool {
    hash.as_bytes().ct_eq(hex::encode(Sha256::digest(bytes)).as_bytes()).into()
}

fn check_legacy(key: &[u8], signature: &HeaderValue, callback: &Callback) -> Result<(), Unverified> {
    let time = callback.headers.get(LEGACY_TIME).ok_or(Unverified::Missing)?;
    let time = time.to_str().map_err(|_| Unverified::Wrong)?;
    let signature = STANDARD.decode(signature.as_bytes()).map_err(|_| Unverified::Wrong)?;
    Hmac::<Sha256>::new_from_slice(key)
        .map_err(|_| Unverified::NoKey)?
        .chain_update(format!("{time}\n{}\n", sorted_query(&callback.url)))
        .chain_update(Sha256::digest(&callback.body))
        .verify_slice(&signature)
        .map_err(|_| Unverified::Wrong)?;
    let seconds: i64 = time.parse().map_err(|_| Unverified::Wrong)?;
    if is_recent(seconds, callback.received) { Ok(()) } else { Err(Unverified::Stale) }
}

fn is_recent(seconds: i64, received: Timestamp) -> bool {
    received.seconds().abs_diff(seconds) <= LEGACY_AGE_LIMIT.unsigned_abs()
}

/// Parameters sorted by name and encoded again. MessageBird writes the `+` of a time zone bare, where it would be a
/// blank, and signs it as `+`.
fn sorted_query(url: &str) -> String {
    let mut fields = Fields::encoded(query(url).as_bytes()).into_pairs();
    fields.sort_by(|a, b| a.0.cmp(&b.0));
    let mut encoded = form_urlencoded::Serializer::new(String::new());
    for (name, value) in fields {
        let value = if name == "statusDatetime" { value.replace(' ', "+") } else { value };
        encoded.append_pair(&name, &value);
    }
    encoded.finish()
}

#[cfg(test)]
#[path = "signature_tests.rs"]
mod tests;
