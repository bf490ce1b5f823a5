//! How a webhook request is signed, so that a receiver can trust it and drop repeats.
//!
//! v1.1 has the shared secret in `X-API-Key` and no more. Added to it are the three headers of the Standard Webhooks
//! specification: id, time, and HMAC-SHA256 over `id.time.body`. Libraries for it take the key as `whsec_` and the
//! base64 of the webhook's secret.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;

use crate::ids::EventId;
use crate::model::{Secret, Timestamp};

pub const API_KEY: &str = "x-api-key";
pub const ID: &str = "webhook-id";
pub const TIMESTAMP: &str = "webhook-timestamp";
pub const SIGNATURE: &str = "webhook-signature";

/// The value of `webhook-signature`: `v1,` and base64.
pub fn sign(secret: &Secret, id: EventId, at: Timestamp, body: &str) -> String {
    let key = secret.expose().as_bytes();
    let Ok(mut mac) = Hmac::<Sha256>::new_from_slice(key) else {
        return String::new();
    };
    mac.update(format!("{id}.{}.{body}", at.seconds()).as_bytes());
    format!("v1,{}", STANDARD.encode(mac.finalize().into_bytes()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_signature_covers_id_time_and_body() {
        let secret = Secret::new("hush");
        let id = EventId::derive("n", "t", "");
        let at = Timestamp::from_millis(1_790_000_000_999);
        let signature = sign(&secret, id, at, "{}");
        assert_eq!(signature, sign(&secret, id, Timestamp::from_millis(1_790_000_000_000), "{}"));
        assert_ne!(signature, sign(&secret, id, at, "{ }"));
        assert_ne!(signature, sign(&secret, EventId::derive("m", "t", ""), at, "{}"));
        assert_ne!(signature, sign(&Secret::new("other"), id, at, "{}"));
    }
}
