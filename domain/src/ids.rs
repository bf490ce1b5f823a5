//! Typed ids. An id of one kind cannot stand where another is expected, and one that exists is well formed.
//!
//! Stored things carry 24 hex digits, notifications and events a UUID (v1.1's habit). Ids that a repeat must find again
//! are derived from what is repeated, not drawn.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use uuid::Uuid;

use crate::entropy::Entropy;
use crate::timestamp::Timestamp;

/// Why a text is not an id. Its display names what was expected, never what was given.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("must be {expected}")]
pub struct InvalidId {
    expected: &'static str,
}

macro_rules! object_id {
    ($($(#[$doc:meta])* $name:ident),+ $(,)?) => {$(
        $(#[$doc])*
        #[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
        #[serde(into = "String", try_from = "String")]
        pub struct $name([u8; 12]);

        impl $name {
            /// A new id: four bytes of time, so that ids sort roughly by age, and eight drawn at random.
            pub fn generate(entropy: &impl Entropy) -> Self {
                Self(object_bytes(entropy))
            }

            /// The same id for the same parts, for things that may be created twice and must exist once.
            pub fn derive(parts: &[&[u8]]) -> Self {
                Self(derived_bytes(stringify!($name), parts))
            }

            pub fn as_bytes(&self) -> &[u8; 12] {
                &self.0
            }

            pub fn from_bytes(bytes: [u8; 12]) -> Self {
                Self(bytes)
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&hex::encode(self.0))
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, "{}({})", stringify!($name), self)
            }
        }

        impl FromStr for $name {
            type Err = InvalidId;

            fn from_str(text: &str) -> Result<Self, InvalidId> {
                let mut bytes = [0; 12];
                hex::decode_to_slice(text, &mut bytes)
                    .map_err(|_| InvalidId { expected: "24 hexadecimal digits" })?;
                Ok(Self(bytes))
            }
        }

        impl TryFrom<String> for $name {
            type Error = InvalidId;

            fn try_from(text: String) -> Result<Self, InvalidId> {
                text.parse()
            }
        }

        impl From<$name> for String {
            fn from(id: $name) -> String {
                id.to_string()
            }
        }
    )+};
}

object_id! {
    /// An account: the owner of apps and of account keys.
    AccountId,
    /// An app: the tenant. Every key in the store starts from it.
    AppId,
    /// What SDKs name an app by. Derived from its id, and no secret.
    AppToken,
    /// A person, known to one app.
    AppUserId,
    /// A person's address on one integration.
    ClientId,
    /// The one conversation of an app user.
    ConversationId,
    /// A connection of an app to a channel.
    IntegrationId,
    /// An entry of a menu.
    MenuItemId,
    /// A message of a conversation or a notification's content in `recentNotifications`.
    MessageId,
    /// A helper of an account, with keys of its own and the apps linked to it.
    ServiceAccountId,
    /// A stored message to send again.
    TemplateId,
    /// A request to open a channel to a person.
    LinkId,
    /// A write that something follows from.
    MarkId,
    /// A subscription of a business to an app's events.
    WebhookId,
}

impl MessageId {
    /// The id of a message of that moment: its place in the history can be told from it. The same parts at the same
    /// moment are the same message.
    pub fn at(moment: Timestamp, parts: &[&[u8]]) -> Self {
        let mut bytes = derived_bytes("MessageId", parts);
        let seconds = u32::try_from(moment.seconds()).unwrap_or(u32::MAX);
        let millis = u16::try_from(moment.millis().rem_euclid(1000)).unwrap_or(0);
        bytes[..4].copy_from_slice(&seconds.to_be_bytes());
        bytes[4..6].copy_from_slice(&millis.to_be_bytes());
        Self(bytes)
    }

    /// As [`Self::at`], of one of several messages of a moment: they sort by their place.
    pub fn in_order(moment: Timestamp, place: u16, parts: &[&[u8]]) -> Self {
        let Self(mut bytes) = Self::at(moment, parts);
        bytes[6..8].copy_from_slice(&place.to_be_bytes());
        Self(bytes)
    }

    /// The moment it was made for.
    pub fn moment(&self) -> Timestamp {
        let [a, b, c, d, e, f, ..] = self.0;
        let millis = i64::from(u16::from_be_bytes([e, f]));
        Timestamp::from_millis(i64::from(u32::from_be_bytes([a, b, c, d])) * 1000 + millis)
    }
}

fn object_bytes(entropy: &impl Entropy) -> [u8; 12] {
    let mut bytes = entropy.bytes();
    let seconds = u32::try_from(entropy.now().seconds()).unwrap_or(u32::MAX);
    bytes[..4].copy_from_slice(&seconds.to_be_bytes());
    bytes
}

fn derived_bytes(kind: &str, parts: &[&[u8]]) -> [u8; 12] {
    let mut hash = Sha256::new();
    hash.update(kind.as_bytes());
    for part in parts {
        hash.update((part.len() as u64).to_be_bytes());
        hash.update(part);
    }
    let mut bytes = [0; 12];
    bytes.copy_from_slice(&hash.finalize()[..12]);
    bytes
}

/// A notification's tracking handle: a UUID, given with the 201, valid until delivery ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct NotificationId(Uuid);

impl NotificationId {
    pub fn generate(entropy: &impl Entropy) -> Self {
        Self(uuid::Builder::from_random_bytes(entropy.bytes()).into_uuid())
    }

    pub fn as_bytes(&self) -> &[u8; 16] {
        self.0.as_bytes()
    }

    pub fn from_bytes(bytes: [u8; 16]) -> Self {
        Self(Uuid::from_bytes(bytes))
    }
}

impl fmt::Display for NotificationId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.hyphenated().fmt(f)
    }
}

/// Names one event for ever: every repeat of it carries the same id, so that a receiver can drop it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct EventId(Uuid);

impl EventId {
    /// Derived from what happened to what: subject (a notification, a message), trigger, and the carrier's id if any.
    pub fn derive(subject: &str, trigger: &str, detail: &str) -> Self {
        let name = format!("{subject}\n{trigger}\n{detail}");
        Self(Uuid::new_v5(&Uuid::NAMESPACE_OID, name.as_bytes()))
    }
}

impl fmt::Display for EventId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.hyphenated().fmt(f)
    }
}

/// An API key's id: `app_…`, `act_…`, `svc_…`, or an old one without prefix. At most 64 letters, digits, `_` and `-`.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(into = "String", try_from = "String")]
pub struct KeyId(String);

impl KeyId {
    pub fn generate(entropy: &impl Entropy, prefix: &str) -> Self {
        Self(format!("{prefix}_{}", hex::encode(object_bytes(entropy))))
    }

    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for KeyId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl TryFrom<String> for KeyId {
    type Error = InvalidId;

    fn try_from(text: String) -> Result<Self, InvalidId> {
        let fits = (1..=64).contains(&text.len())
            && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_' || byte == b'-');
        if fits { Ok(Self(text)) } else { Err(InvalidId { expected: "a key id" }) }
    }
}

impl FromStr for KeyId {
    type Err = InvalidId;

    fn from_str(text: &str) -> Result<Self, InvalidId> {
        text.to_owned().try_into()
    }
}

impl From<KeyId> for String {
    fn from(id: KeyId) -> String {
        id.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_object_id_reads_back_what_it_prints_in_lower_case() {
        let id: AppId = "64C0FFEE0123456789ABCDEF".parse().unwrap();
        assert_eq!(id.to_string(), "64c0ffee0123456789abcdef");
        assert_eq!(id.to_string().parse::<AppId>(), Ok(id));
    }

    #[test]
    fn what_is_not_24_hex_digits_is_refused() {
        for text in ["", "64c0", "64c0ffee0123456789abcdeg", "64c0ffee0123456789abcdef0", "#", "../x", "\0"] {
            assert!(text.parse::<AppId>().is_err(), "{text:?}");
        }
    }

    #[test]
    fn derived_ids_depend_on_the_kind_and_on_where_parts_end() {
        let a = MessageId::derive(&[b"ab", b"c"]);
        assert_eq!(a, MessageId::derive(&[b"ab", b"c"]));
        assert_ne!(a, MessageId::derive(&[b"a", b"bc"]));
        assert_ne!(a.as_bytes(), ClientId::derive(&[b"ab", b"c"]).as_bytes());
    }

    #[test]
    fn messages_of_one_moment_sort_by_their_place_whatever_their_hash() {
        let moment = Timestamp::from_millis(1_790_000_000_123);
        let ids: Vec<_> = (0..600).map(|place| MessageId::in_order(moment, place, &[b"SM1"])).collect();
        assert!(ids.is_sorted());
        assert!(ids.iter().all(|id| id.moment() == moment));
        let later = MessageId::in_order(Timestamp::from_millis(1_790_000_000_124), 0, &[b"SM0"]);
        assert!(ids.iter().all(|id| *id < later));
        assert_ne!(ids[1], MessageId::in_order(moment, 1, &[b"SM2"]));
    }

    #[test]
    fn a_key_id_holds_no_separators() {
        assert!("app_64c0ffee0123456789abcdef".parse::<KeyId>().is_ok());
        for text in ["", "a#b", "a/b", "a b", "\u{0}", &"x".repeat(65)] {
            assert!(text.parse::<KeyId>().is_err(), "{text:?}");
        }
    }
}
