//! The keys by their versions, and what is done with them. No I/O: where they come from is [`super`]'s business.
//!
//! A sealed value begins with one byte, the version of its key. Values from before there were versions have none: they
//! are version 1's, and are known by opening.

use std::collections::BTreeMap;
use std::num::NonZeroU8;

use aes_gcm::aead::{Aead, Payload};
use aes_gcm::{Aes256Gcm, KeyInit};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use hkdf::Hkdf;
use serde::{Deserialize, Serialize};
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

/// Which key a value was sealed under.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct KeyVersion(NonZeroU8);

impl KeyVersion {
    /// Also of all that was sealed before there were versions.
    pub const FIRST: Self = Self(NonZeroU8::MIN);

    fn of_byte(byte: u8) -> Option<Self> {
        NonZeroU8::new(byte).map(Self)
    }

    /// After the last comes the first again: what it once sealed is gone by then.
    fn next(self) -> Self {
        Self(self.0.checked_add(1).unwrap_or(NonZeroU8::MIN))
    }
}

impl std::fmt::Display for KeyVersion {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.0.fmt(f)
    }
}

/// The stack's sealing secret, as Secrets Manager holds it: `{"current": 2, "keys": {"1": "…", "2": "…"}}`. A text that
/// is no such object is the first key, as the template has it made up.
#[derive(Debug, Clone, PartialEq)]
pub struct SealingSecret {
    current: KeyVersion,
    keys: BTreeMap<KeyVersion, Secret>,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Written {
    current: KeyVersion,
    keys: BTreeMap<KeyVersion, String>,
}

/// Not quoted: it may be a secret all the same.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the sealing secret is neither one key nor a list of keys with a current one")]
pub struct MalformedSecret;

impl SealingSecret {
    /// With one key, the first.
    pub fn new(key: Secret) -> Self {
        Self { current: KeyVersion::FIRST, keys: BTreeMap::from([(KeyVersion::FIRST, key)]) }
    }

    pub fn read(text: &str) -> Result<Self, MalformedSecret> {
        if !text.starts_with('{') {
            return if text.is_empty() { Err(MalformedSecret) } else { Ok(Self::new(Secret::new(text))) };
        }
        let Written { current, keys } = serde_json::from_str(text).map_err(|_| MalformedSecret)?;
        if !keys.contains_key(&current) || keys.values().any(String::is_empty) {
            return Err(MalformedSecret);
        }
        Ok(Self { current, keys: keys.into_iter().map(|(version, key)| (version, Secret::new(key))).collect() })
    }

    pub fn write(&self) -> String {
        let keys = self.keys.iter().map(|(version, key)| (*version, key.expose().to_owned())).collect();
        serde_json::json!(Written { current: self.current, keys }).to_string()
    }

    pub fn current(&self) -> KeyVersion {
        self.current
    }

    /// Those that open and no longer seal.
    pub fn retired(&self) -> impl Iterator<Item = KeyVersion> {
        self.keys.keys().copied().filter(|version| *version != self.current)
    }

    /// With one more key, which seals from now on. `None`: there are as many as versions.
    pub fn with_next(mut self, key: Secret) -> Option<Self> {
        let mut version = self.current.next();
        while self.keys.contains_key(&version) {
            if version == self.current {
                return None;
            }
            version = version.next();
        }
        self.keys.insert(version, key);
        Some(Self { current: version, ..self })
    }

    /// Without the keys that only open.
    pub fn without_retired(mut self) -> Self {
        self.keys.retain(|version, _| *version == self.current);
        self
    }
}

/// Why a sealed value does not open.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Unopenable {
    #[error("the sealed value cannot be opened: wrong key, owner or purpose")]
    Wrong,
    /// It may have been sealed since the keys were read.
    #[error("the sealed value cannot be opened: it bears the version of a key that is not there")]
    UnknownVersion,
}

/// Keys ready for use.
pub struct Keyring {
    current: KeyVersion,
    keys: BTreeMap<KeyVersion, Aes256Gcm>,
}

impl Keyring {
    pub fn new(secret: &SealingSecret) -> Self {
        let keys = secret.keys.iter().map(|(version, key)| (*version, cipher(key))).collect();
        Self { current: secret.current, keys }
    }

    /// Base64url of version, nonce and ciphertext.
    pub fn seal(&self, purpose: Purpose, owner: &str, plain: &[u8]) -> String {
        let nonce: [u8; NONCE_LENGTH] = system::random();
        let aad = aad(purpose, owner);
        let payload = Payload { msg: plain, aad: &aad };
        let sealed = self.keys.get(&self.current).and_then(|key| key.encrypt(&nonce.into(), payload).ok());
        let version = [self.current.0.get()];
        URL_SAFE_NO_PAD.encode([version.as_slice(), &nonce, &sealed.unwrap_or_default()].concat())
    }

    pub fn open(&self, purpose: Purpose, owner: &str, sealed: &str) -> Result<Vec<u8>, Unopenable> {
        self.read(purpose, owner, sealed).map(|(plain, _)| plain)
    }

    /// The same under the current key. `None`: that is what it is sealed under.
    pub fn reseal(&self, purpose: Purpose, owner: &str, sealed: &str) -> Result<Option<String>, Unopenable> {
        let (plain, version) = self.read(purpose, owner, sealed)?;
        Ok((version != Some(self.current)).then(|| self.seal(purpose, owner, &plain)))
    }

    /// The text, and the version of its key where it bears one.
    fn read(&self, purpose: Purpose, owner: &str, sealed: &str) -> Result<(Vec<u8>, Option<KeyVersion>), Unopenable> {
        let bytes = URL_SAFE_NO_PAD.decode(sealed).map_err(|_| Unopenable::Wrong)?;
        let (version, versioned) = bytes.split_first().ok_or(Unopenable::Wrong)?;
        let (version, aad) = (KeyVersion::of_byte(*version), aad(purpose, owner));
        let named = version.and_then(|version| self.keys.get(&version));
        if let Some(plain) = named.and_then(|key| decrypt(key, versioned, &aad)) {
            return Ok((plain, version));
        }
        let first = self.keys.get(&KeyVersion::FIRST);
        match first.and_then(|key| decrypt(key, &bytes, &aad)) {
            Some(plain) => Ok((plain, None)),
            None if named.is_none() => Err(Unopenable::UnknownVersion),
            None => Err(Unopenable::Wrong),
        }
    }

    pub fn seal_secret(&self, purpose: Purpose, owner: &str, secret: &Secret) -> String {
        self.seal(purpose, owner, secret.expose().as_bytes())
    }

    pub fn open_secret(&self, purpose: Purpose, owner: &str, sealed: &str) -> Result<Secret, Unopenable> {
        let plain = self.open(purpose, owner, sealed)?;
        String::from_utf8(plain).map(Secret::new).map_err(|_| Unopenable::Wrong)
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
        let context = SendContext::from_bytes(&plain).ok_or(Unopenable::Wrong)?;
        let expires = context.accepted.plus_seconds(CONTEXT_DAYS * 86_400);
        if now < expires { Ok(context) } else { Err(Unopenable::Wrong) }
    }
}

fn cipher(key: &Secret) -> Aes256Gcm {
    let mut bytes = [0; 32];
    let derived = Hkdf::<Sha256>::new(Some(b"heliograph"), key.expose().as_bytes()).expand(b"sealing v1", &mut bytes);
    debug_assert!(derived.is_ok(), "32 bytes are within HKDF's reach");
    Aes256Gcm::new(&bytes.into())
}

fn decrypt(key: &Aes256Gcm, sealed: &[u8], aad: &[u8]) -> Option<Vec<u8>> {
    let (nonce, sealed) = sealed.split_first_chunk::<NONCE_LENGTH>()?;
    key.decrypt(&(*nonce).into(), Payload { msg: sealed, aad }).ok()
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

    fn first() -> SealingSecret {
        SealingSecret::new(Secret::new("stack secret"))
    }

    fn rotated() -> SealingSecret {
        first().with_next(Secret::new("another")).unwrap()
    }

    fn context() -> SendContext {
        SendContext {
            subject: Subject::Notification(NotificationId::generate(&System)),
            accepted: Timestamp::from_millis(1_790_000_000_123),
            address: Address::e164("+14165550142").unwrap(),
            parts: 2,
        }
    }

    /// As releases before versions sealed.
    fn without_version(secret: &str, plain: &[u8]) -> String {
        let nonce: [u8; NONCE_LENGTH] = system::random();
        let payload = Payload { msg: plain, aad: b"key-secret\napp_1" };
        let sealed = cipher(&Secret::new(secret)).encrypt(&nonce.into(), payload).unwrap();
        URL_SAFE_NO_PAD.encode([nonce.as_slice(), &sealed].concat())
    }

    #[test]
    fn a_sealed_value_opens_for_its_purpose_and_owner_only() {
        let keys = Keyring::new(&first());
        let sealed = keys.seal(Purpose::KeySecret, "app_1", b"hush");
        assert_eq!(keys.open(Purpose::KeySecret, "app_1", &sealed).unwrap(), b"hush");
        let other = Keyring::new(&SealingSecret::new(Secret::new("other")));
        for refused in [
            keys.open(Purpose::WebhookSecret, "app_1", &sealed),
            keys.open(Purpose::KeySecret, "app_2", &sealed),
            other.open(Purpose::KeySecret, "app_1", &sealed),
            keys.open(Purpose::KeySecret, "app_1", "not sealed"),
            keys.open(Purpose::KeySecret, "app_1", ""),
        ] {
            assert_eq!(refused, Err(Unopenable::Wrong));
        }
    }

    #[test]
    fn a_value_names_the_version_of_its_key_and_each_key_opens_its_own() {
        let (before, both) = (Keyring::new(&first()), Keyring::new(&rotated()));
        let only_new = Keyring::new(&rotated().without_retired());
        let (old, new) =
            (before.seal(Purpose::KeySecret, "app_1", b"old"), both.seal(Purpose::KeySecret, "app_1", b"new"));
        let version = |sealed: &str| URL_SAFE_NO_PAD.decode(sealed).unwrap()[0];
        assert_eq!((version(&old), version(&new)), (1, 2));
        assert_eq!(both.open(Purpose::KeySecret, "app_1", &old).unwrap(), b"old");
        assert_eq!(both.open(Purpose::KeySecret, "app_1", &new).unwrap(), b"new");
        assert_eq!(before.open(Purpose::KeySecret, "app_1", &new), Err(Unopenable::UnknownVersion));
        assert_eq!(only_new.open(Purpose::KeySecret, "app_1", &old), Err(Unopenable::UnknownVersion));
        let resealed = both.reseal(Purpose::KeySecret, "app_1", &old).unwrap().unwrap();
        assert_eq!(only_new.open(Purpose::KeySecret, "app_1", &resealed).unwrap(), b"old");
        assert_eq!(both.reseal(Purpose::KeySecret, "app_1", &resealed), Ok(None));
    }

    /// Their first byte is chance, and may look like a version: so many are tried that some do.
    #[test]
    fn what_was_sealed_before_there_were_versions_opens_until_its_key_is_gone() {
        let (keys, only_new) = (Keyring::new(&rotated()), Keyring::new(&rotated().without_retired()));
        for _ in 0..2_000 {
            let sealed = without_version("stack secret", b"hush");
            assert_eq!(keys.open(Purpose::KeySecret, "app_1", &sealed).unwrap(), b"hush");
            let resealed = keys.reseal(Purpose::KeySecret, "app_1", &sealed).unwrap().unwrap();
            assert_eq!(only_new.open(Purpose::KeySecret, "app_1", &resealed).unwrap(), b"hush");
        }
    }

    #[test]
    fn a_secret_is_one_key_or_several_and_is_read_as_it_was_written() {
        let text = "a1".repeat(32);
        let made_up = SealingSecret::read(&text).unwrap();
        assert_eq!(made_up, SealingSecret::new(Secret::new(text)));
        assert_eq!((made_up.current(), made_up.retired().count()), (KeyVersion::FIRST, 0));
        let rotated = rotated();
        assert_eq!(rotated.write(), r#"{"current":2,"keys":{"1":"stack secret","2":"another"}}"#);
        assert_eq!(SealingSecret::read(&rotated.write()).unwrap(), rotated);
        assert_eq!(rotated.retired().collect::<Vec<_>>(), [KeyVersion::FIRST]);
        assert_eq!(rotated.without_retired().write(), r#"{"current":2,"keys":{"2":"another"}}"#);
        for bad in [
            "",
            "{",
            "{}",
            r#"{"current":2,"keys":{"1":"a"}}"#,
            r#"{"current":0,"keys":{"0":"a"}}"#,
            r#"{"current":256,"keys":{"256":"a"}}"#,
            r#"{"current":1,"keys":{"1":""}}"#,
            r#"{"current":1,"keys":{"1":"a"},"next":2}"#,
        ] {
            assert_eq!(SealingSecret::read(bad), Err(MalformedSecret), "{bad}");
        }
    }

    #[test]
    fn after_the_last_version_comes_the_first_that_is_free() {
        let mut secret = first();
        for _ in 1..255 {
            secret = secret.with_next(Secret::new("more")).unwrap();
        }
        assert_eq!(secret.current().to_string(), "255");
        assert_eq!(secret.clone().with_next(Secret::new("one too many")), None);
        let next = secret.without_retired().with_next(Secret::new("free again")).unwrap();
        assert_eq!(next.current(), KeyVersion::FIRST);
    }

    #[test]
    fn a_context_survives_the_carrier_and_belongs_to_one_integration_for_thirty_days() {
        let keys = Keyring::new(&first());
        let (app, integration) = (AppId::generate(&System), IntegrationId::generate(&System));
        let context = context();
        let token = keys.seal_context(app, integration, &context);
        assert!(token.len() <= 128, "{} characters", token.len());
        assert!(token.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_'));
        let soon = context.accepted.plus_seconds(60);
        assert_eq!(keys.open_context(app, integration, &token, soon), Ok(context.clone()));
        assert!(keys.open_context(AppId::generate(&System), integration, &token, soon).is_err());
        let late = context.accepted.plus_seconds(CONTEXT_DAYS * 86_400);
        assert!(keys.open_context(app, integration, &token, late).is_err());
    }
}
