//! How a webhook request is signed, so that a receiver can trust it and drop repeats.
//!
//! v1.1 has the shared secret in `X-API-Key` and no more. Added to it are the three headers of the Standard Webhooks
//! specification: id, time, and HMAC-SHA256 over `id.time.body`, by a secret that does not travel.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;

use crate::ids::EventId;
use crate::model::{Signing, SigningSecret, Timestamp};

pub const API_KEY: &str = "x-api-key";
pub const ID: &str = "webhook-id";
pub const TIMESTAMP: &str = "webhook-timestamp";
pub const SIGNATURE: &str = "webhook-signature";

/// The value of `webhook-signature`: for each secret that is valid, `v1,` and base64.
pub fn sign(signing: &Signing, id: EventId, at: Timestamp, body: &str) -> String {
    signing.valid(at).map(|secret| by(secret, id, at, body)).collect::<Vec<_>>().join(" ")
}

fn by(secret: &SigningSecret, id: EventId, at: Timestamp, body: &str) -> String {
    let Ok(mut mac) = Hmac::<Sha256>::new_from_slice(&secret.key()) else {
        return String::new();
    };
    mac.update(format!("{id}.{}.{body}", at.seconds()).as_bytes());
    format!("v1,{}", STANDARD.encode(mac.finalize().into_bytes()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::entropy::Counter;

    #[test]
    fn the_signature_covers_id_time_and_body() {
        let signing = Signing::with(SigningSecret::generate(&Counter));
        let id = EventId::derive("n", "t", "");
        let at = Timestamp::from_millis(1_790_000_000_999);
        let signature = sign(&signing, id, at, "{}");
        assert_eq!(signature, sign(&signing, id, Timestamp::from_millis(1_790_000_000_000), "{}"));
        assert_ne!(signature, sign(&signing, id, at, "{ }"));
        assert_ne!(signature, sign(&signing, EventId::derive("m", "t", ""), at, "{}"));
        assert_ne!(signature, sign(&Signing::with(SigningSecret::generate(&Counter)), id, at, "{}"));
    }

    #[test]
    fn while_a_secret_is_replaced_both_sign() {
        let before = Signing::with(SigningSecret::generate(&Counter));
        let id = EventId::derive("n", "t", "");
        let at = Timestamp::from_millis(1_790_000_000_999);
        let after = before.clone().rotated(&Counter, at);
        let alone = |secret: &SigningSecret| sign(&Signing::with(secret.clone()), id, at, "{}");
        assert_eq!(sign(&after, id, at, "{}"), format!("{} {}", alone(&after.current), alone(&before.current)));
    }
}
