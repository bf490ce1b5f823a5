//! API keys and the secret texts they hold.

use std::fmt;

use secrecy::{ExposeSecret, SecretString};
use serde::{Deserialize, Serialize};
use subtle::ConstantTimeEq;

use crate::entropy::Entropy;
use crate::ids::{AccountId, AppId, KeyId, ServiceAccountId};

/// A secret text. It neither prints nor serialises; comparing takes the same time wherever two secrets differ.
#[derive(Clone)]
pub struct Secret(SecretString);

impl Secret {
    pub fn new(text: impl Into<String>) -> Self {
        Self(SecretString::from(text.into()))
    }

    /// A new URL-safe secret of 43 characters (256 bits).
    pub fn generate(entropy: &impl Entropy) -> Self {
        use base64::Engine;
        Self::new(base64::engine::general_purpose::URL_SAFE_NO_PAD.encode(entropy.bytes::<32>()))
    }

    /// The text itself, for the moment it is signed with, sealed or sent.
    pub fn expose(&self) -> &str {
        self.0.expose_secret()
    }

    pub fn matches(&self, given: &str) -> bool {
        self.expose().as_bytes().ct_eq(given.as_bytes()).into()
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret(…)")
    }
}

impl PartialEq for Secret {
    fn eq(&self, other: &Self) -> bool {
        self.matches(other.expose())
    }
}

impl From<&str> for Secret {
    fn from(text: &str) -> Self {
        Self::new(text)
    }
}

/// Whose key it is, and so how far it reaches.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", tag = "owner", content = "id")]
pub enum KeyOwner {
    /// Core methods of this one app.
    App(AppId),
    /// Everything of all apps of this account.
    Account(AccountId),
    /// Core methods, management and keys of the apps linked to this service account.
    ServiceAccount { account: AccountId, id: ServiceAccountId },
}

impl KeyOwner {
    /// What ids of such keys begin with.
    pub fn prefix(self) -> &'static str {
        match self {
            Self::App(_) => "app",
            Self::Account(_) => "act",
            Self::ServiceAccount { .. } => "svc",
        }
    }
}

/// A key id with its secret.
#[derive(Debug, Clone, PartialEq)]
pub struct ApiKey {
    pub id: KeyId,
    pub owner: KeyOwner,
    /// What it is called in lists.
    pub name: Option<String>,
    pub secret: Secret,
}

impl ApiKey {
    /// A new key with a secret of its own.
    pub fn generate(entropy: &impl Entropy, owner: KeyOwner, name: Option<String>) -> Self {
        Self { id: KeyId::generate(entropy, owner.prefix()), owner, name, secret: Secret::generate(entropy) }
    }
}
