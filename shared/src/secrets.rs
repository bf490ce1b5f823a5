//! Sealing: what must not be readable in the table, in a queue's URL or at a carrier.
//!
//! AES-256-GCM under a key derived from the stack's sealing secret. The purpose and the owner are authenticated with
//! the text, so that a sealed value is worth nothing in any other place. Key management is Secrets Manager's work: the
//! secret comes in by the environment.

use aes_gcm::aead::{Aead, Payload};
use aes_gcm::{Aes256Gcm, KeyInit};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use hkdf::Hkdf;
use sha2::Sha256;

use crate::ids::{AppId, IntegrationId};
use crate::model::{Secret, Timestamp};
use crate::system;
use crate::tasks::SendContext;

const NONCE_LENGTH: usize = 12;
/// How long after acceptance a receipt is believed to belong to a notification. As long as the notification is kept.
const CONTEXT_DAYS: i64 = 30;

/// What a sealed value is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Purpose {
    KeySecret,
    CarrierCredential,
    WebhookSecret,
    WebhookSigningSecret,
    SendContext,
}

impl Purpose {
    fn as_str(self) -> &'static str {
        match self {
            Self::KeySecret => "key-secret",
            Self::CarrierCredential => "carrier-credential",
            Self::WebhookSecret => "webhook-secret",
            Self::WebhookSigningSecret => "webhook-signing-secret",
            Self::SendContext => "send-context",
        }
    }
}

/// A value that was not sealed by this stack for this purpose and owner, or has been changed since.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the sealed value cannot be opened: wrong key, owner or purpose")]
pub struct Unopenable;

/// Seals and opens. Cheap to clone.
#[derive(Clone)]
pub struct Sealer {
    cipher: Aes256Gcm,
}

impl Sealer {
    /// `secret` is the stack's sealing secret: any text of high entropy.
    pub fn new(secret: &Secret) -> Self {
        let mut key = [0; 32];
        let derived =
            Hkdf::<Sha256>::new(Some(b"heliograph"), secret.expose().as_bytes()).expand(b"sealing v1", &mut key);
        debug_assert!(derived.is_ok(), "32 bytes are within HKDF's reach");
        Self { cipher: Aes256Gcm::new(&key.into()) }
    }

    /// Base64url of nonce and ciphertext.
    pub fn seal(&self, purpose: Purpose, owner: &str, plain: &[u8]) -> String {
        let nonce: [u8; NONCE_LENGTH] = system::random();
        let aad = aad(purpose, owner);
        let sealed = self.cipher.encrypt(&nonce.into(), Payload { msg: plain, aad: &aad }).unwrap_or_default();
        URL_SAFE_NO_PAD.encode([nonce.as_slice(), &sealed].concat())
    }

    pub fn open(&self, purpose: Purpose, owner: &str, sealed: &str) -> Result<Vec<u8>, Unopenable> {
        let bytes = URL_SAFE_NO_PAD.decode(sealed).map_err(|_| Unopenable)?;
        let (nonce, sealed) = bytes.split_first_chunk::<NONCE_LENGTH>().ok_or(Unopenable)?;
        let aad = aad(purpose, owner);
        self.cipher.decrypt(&(*nonce).into(), Payload { msg: sealed, aad: &aad }).map_err(|_| Unopenable)
    }

    pub fn seal_secret(&self, purpose: Purpose, owner: &str, secret: &Secret) -> String {
        self.seal(purpose, owner, secret.expose().as_bytes())
    }

    pub fn open_secret(&self, purpose: Purpose, owner: &str, sealed: &str) -> Result<Secret, Unopenable> {
        let plain = self.open(purpose, owner, sealed)?;
        String::from_utf8(plain).map(Secret::new).map_err(|_| Unopenable)
    }

    /// The token of a callback URL: what [`SendContext`] holds, for the carrier to carry back unread.
    pub fn seal_context(&self, app: AppId, integration: IntegrationId, context: &SendContext) -> String {
        self.seal(Purpose::SendContext, &context_owner(app, integration), &context.to_bytes())
    }

    pub fn open_context(
        &self,
        app: AppId,
        integration: IntegrationId,
        token: &str,
        now: Timestamp,
    ) -> Result<SendContext, Unopenable> {
        let plain = self.open(Purpose::SendContext, &context_owner(app, integration), token)?;
        let context = SendContext::from_bytes(&plain).ok_or(Unopenable)?;
        let expires = context.accepted.plus_seconds(CONTEXT_DAYS * 86_400);
        if now < expires { Ok(context) } else { Err(Unopenable) }
    }
}

fn aad(purpose: Purpose, owner: &str) -> Vec<u8> {
    format!("{}\n{owner}", purpose.as_str()).into_bytes()
}

fn context_owner(app: AppId, integration: IntegrationId) -> String {
    format!("{app}/{integration}")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ids::NotificationId;
    use crate::model::{Address, Subject};
    use crate::system::System;

    fn context() -> SendContext {
        SendContext {
            subject: Subject::Notification(NotificationId::generate(&System)),
            accepted: Timestamp::from_millis(1_790_000_000_123),
            address: Address::e164("+14165550142").unwrap(),
            parts: 2,
        }
    }

    #[test]
    fn a_sealed_value_opens_for_its_purpose_and_owner_only() {
        let sealer = Sealer::new(&Secret::new("stack secret"));
        let sealed = sealer.seal(Purpose::KeySecret, "app_1", b"hush");
        assert_eq!(sealer.open(Purpose::KeySecret, "app_1", &sealed).unwrap(), b"hush");
        assert!(sealer.open(Purpose::WebhookSecret, "app_1", &sealed).is_err());
        assert!(sealer.open(Purpose::KeySecret, "app_2", &sealed).is_err());
        assert!(Sealer::new(&Secret::new("other")).open(Purpose::KeySecret, "app_1", &sealed).is_err());
        assert!(sealer.open(Purpose::KeySecret, "app_1", "not sealed").is_err());
    }

    #[test]
    fn a_context_survives_the_carrier_and_belongs_to_one_integration_for_thirty_days() {
        let sealer = Sealer::new(&Secret::new("stack secret"));
        let (app, integration) = (AppId::generate(&System), IntegrationId::generate(&System));
        let context = context();
        let token = sealer.seal_context(app, integration, &context);
        assert!(token.len() <= 128, "{} characters", token.len());
        assert!(token.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_'));
        let soon = context.accepted.plus_seconds(60);
        assert_eq!(sealer.open_context(app, integration, &token, soon), Ok(context.clone()));
        assert!(sealer.open_context(AppId::generate(&System), integration, &token, soon).is_err());
        let late = context.accepted.plus_seconds(CONTEXT_DAYS * 86_400);
        assert!(sealer.open_context(app, integration, &token, late).is_err());
    }
}
