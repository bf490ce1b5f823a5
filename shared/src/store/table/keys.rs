//! Every key of the table, spelled here and nowhere else. `docs/STORAGE.md` lists the access patterns they serve.
//!
//! | item            | pk                                   | sk                                  |
//! |-----------------|--------------------------------------|-------------------------------------|
//! | API key         | `KEY#{keyId}`                        | `KEY`                               |
//! | key listing     | `ACCOUNT#…`, `APP#{app}` or `SERVICE#…` | `KEY#{keyId}`                    |
//! | account         | `ACCOUNT#{account}`                  | `ACCOUNT`                           |
//! | account's app   | `ACCOUNT#{account}`                  | `APP#{app}`                         |
//! | service account | `ACCOUNT#{account}`                  | `SERVICE#{serviceAccount}`          |
//! | app             | `APP#{app}`                          | `APP`                               |
//! | integration     | `APP#{app}`                          | `INTEGRATION#{integration}`         |
//! | menu            | `APP#{app}`                          | `MENU` or `MENU#{integration}`      |
//! | webhook         | `APP#{app}`                          | `WEBHOOK#{webhook}`                 |
//! | template        | `APP#{app}`                          | `TEMPLATE#{template}`               |
//! | template's name | `APP#{app}`                          | `TEMPLATE_NAME#{name}`              |
//! | app user        | `APP#{app}#USERS#{shard}`            | `{user}#USER`                       |
//! | client          | `APP#{app}#USERS#{shard}`            | `{user}#CLIENT#{integration}#{addr}` |
//! | pending client  | `APP#{app}#USERS#{shard}`            | `{user}#PENDING#{integration}#{addr}` |
//! | merged person   | `APP#{app}#USERS#{shard}`            | `{user}#MERGED#{discarded}`         |
//! | leaving person  | `APP#{app}#USERS#{shard}`            | `{user}#LEAVING`                    |
//! | questions asked for a person | `APP#{app}#USERS#{shard}` | `{user}#ASKED#{day}`              |
//! | questions asked by an app | `APP#{app}`                | `ASKED#{day}`                       |
//! | user's name     | `APP#{app}#NAME#{hash of userId}`    | `NAME`                              |
//! | auth code       | `APP#{app}#CODE#{code}`              | `CODE`                              |
//! | conversation    | `APP#{app}#CONVERSATION#{conv}`      | `CONVERSATION`                      |
//! | message         | `APP#{app}#CONVERSATION#{conv}`      | `MESSAGE#{ms}#{message}`            |
//! | mark of a write | `APP#{app}#CONVERSATION#{conv}`      | `MADE#{mark}`                       |
//! | match           | `APP#{app}#AT#{integration}#{addr}`  | `MATCH`                             |
//! | link            | `APP#{app}#AT#{integration}#{addr}`  | `LINK`                              |
//! | link that gave way | `APP#{app}#AT#{integration}#{addr}` | `LINK#{link}`                     |
//! | questions asked an address | `APP#{app}#AT#{integration}#{addr}` | `ASKED#{day}`              |
//! | notification    | `APP#{app}#AT#{integration}#{addr}`  | `NOTIFICATION#{ms}#{id}`            |
//! | another send    | `APP#{app}#AT#{integration}#{addr}`  | `SEND#{ms}#{id}`                    |
//! | reply           | `APP#{app}#AT#{integration}#{addr}`  | `REPLY#{externalId}`                |
//! | parked task     | `APP#{app}#AT#{integration}#{addr}`  | `PARKED#{ms}#{hash of it}`          |
//!
//! What belongs to an app starts from the app: a key of one app cannot be made from another's id. API keys and accounts
//! are how an app is found in the first place. `{ms}` is 13 digits, so that text order is time order. `{shard}` is the
//! last byte of the user's id: an app's people can be listed partition by partition, and none of these is hot.

use aws_sdk_dynamodb::types::AttributeValue;
use sha2::{Digest, Sha256};

use super::Item;
use crate::ids::{
    AccountId, AppId, AppUserId, ConversationId, IntegrationId, KeyId, LinkId, MarkId, MessageId, ServiceAccountId,
    TemplateId, WebhookId,
};
use crate::model::{Address, ExternalId, KeyOwner, Subject, Timestamp};

pub const PK: &str = "pk";
pub const SK: &str = "sk";
/// Unix seconds after which DynamoDB may drop the item.
pub const TTL: &str = "ttl";

pub const INTEGRATION_PREFIX: &str = "INTEGRATION#";
pub const WEBHOOK_PREFIX: &str = "WEBHOOK#";
pub const TEMPLATE_PREFIX: &str = "TEMPLATE#";
pub const KEY_PREFIX: &str = "KEY#";
pub const APP_PREFIX: &str = "APP#";
pub const SERVICE_PREFIX: &str = "SERVICE#";

/// A primary key.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Key {
    pub pk: String,
    pub sk: String,
}

impl Key {
    /// Where an item lies.
    pub fn of(item: &Item) -> Option<Self> {
        let text = |name| item.get(name)?.as_s().ok().cloned();
        Some(Self { pk: text(PK)?, sk: text(SK)? })
    }

    /// What lies there, in the word of the sort key that is no id: nothing of whom it is about.
    pub fn kind(&self) -> &str {
        let is_word = |text: &&str| !text.is_empty() && text.bytes().all(|c| c.is_ascii_uppercase() || c == b'_');
        self.sk.split('#').find(is_word).unwrap_or("unknown")
    }

    pub fn attributes(&self) -> Item {
        Item::from([
            (PK.to_owned(), AttributeValue::S(self.pk.clone())),
            (SK.to_owned(), AttributeValue::S(self.sk.clone())),
        ])
    }
}

pub fn api_key(id: &KeyId) -> Key {
    Key { pk: format!("KEY#{id}"), sk: "KEY".into() }
}

/// Where an owner's keys are listed.
pub fn owner_partition(owner: KeyOwner) -> String {
    match owner {
        KeyOwner::App(app) => app_partition(app),
        KeyOwner::Account(account) => account_partition(account),
        KeyOwner::ServiceAccount { id, .. } => format!("SERVICE#{id}"),
    }
}

pub fn key_listing(owner: KeyOwner, id: &KeyId) -> Key {
    Key { pk: owner_partition(owner), sk: format!("{KEY_PREFIX}{id}") }
}

pub fn account_partition(account: AccountId) -> String {
    format!("ACCOUNT#{account}")
}

pub fn account(account: AccountId) -> Key {
    Key { pk: account_partition(account), sk: "ACCOUNT".into() }
}

/// The owner's own item, which counts its keys.
pub fn key_owner(owner: KeyOwner) -> Key {
    match owner {
        KeyOwner::App(id) => app(id),
        KeyOwner::Account(id) => account(id),
        KeyOwner::ServiceAccount { account, id } => service_account(account, id),
    }
}

pub fn account_app(account: AccountId, app: AppId) -> Key {
    Key { pk: account_partition(account), sk: format!("{APP_PREFIX}{app}") }
}

pub fn service_account(account: AccountId, id: ServiceAccountId) -> Key {
    Key { pk: account_partition(account), sk: format!("{SERVICE_PREFIX}{id}") }
}

pub fn app_partition(app: AppId) -> String {
    format!("APP#{app}")
}

pub fn app(app: AppId) -> Key {
    Key { pk: app_partition(app), sk: "APP".into() }
}

pub fn integration(app: AppId, id: IntegrationId) -> Key {
    Key { pk: app_partition(app), sk: format!("{INTEGRATION_PREFIX}{id}") }
}

/// The app's menu, or one integration's own.
pub fn menu(app: AppId, integration: Option<IntegrationId>) -> Key {
    let sk = integration.map_or_else(|| "MENU".to_owned(), |id| format!("MENU#{id}"));
    Key { pk: app_partition(app), sk }
}

pub fn webhook(app: AppId, id: WebhookId) -> Key {
    Key { pk: app_partition(app), sk: format!("{WEBHOOK_PREFIX}{id}") }
}

pub fn template(app: AppId, id: TemplateId) -> Key {
    Key { pk: app_partition(app), sk: format!("{TEMPLATE_PREFIX}{id}") }
}

pub fn template_name(app: AppId, name: &str) -> Key {
    Key { pk: app_partition(app), sk: format!("TEMPLATE_NAME#{name}") }
}

/// All of an app's people lie in so many partitions.
pub const USER_SHARDS: u16 = 256;

pub fn user_shard(app: AppId, shard: u8) -> String {
    format!("APP#{app}#USERS#{shard:02x}")
}

/// Where everything listed under one person lies.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UserPartition {
    pub pk: String,
    pub prefix: String,
}

impl UserPartition {
    pub fn new(app: AppId, id: AppUserId) -> Self {
        let [.., shard] = *id.as_bytes();
        Self { pk: user_shard(app, shard), prefix: format!("{id}#") }
    }

    fn key(&self, sk: &str) -> Key {
        Key { pk: self.pk.clone(), sk: format!("{}{sk}", self.prefix) }
    }

    pub fn user(&self) -> Key {
        self.key("USER")
    }

    pub fn leaving(&self) -> Key {
        self.key("LEAVING")
    }

    pub fn client(&self, integration: IntegrationId, address: &Address) -> Key {
        self.key(&format!("CLIENT#{integration}#{}", address.as_str()))
    }

    /// Somebody who was merged into this person.
    pub fn merged(&self, discarded: AppUserId) -> Key {
        self.key(&format!("MERGED#{discarded}"))
    }

    pub fn pending(&self, integration: IntegrationId, address: &Address) -> Key {
        self.key(&format!("PENDING#{integration}#{}", address.as_str()))
    }

    pub fn asked(&self, day: i64) -> Key {
        self.key(&format!("ASKED#{day}"))
    }
}

/// How many questions an app's people had asked on a day.
pub fn asked(app: AppId, day: i64) -> Key {
    Key { pk: app_partition(app), sk: format!("ASKED#{day}") }
}

pub fn app_user(app: AppId, id: AppUserId) -> Key {
    UserPartition::new(app, id).user()
}

/// Somebody who was deleted, until the rest of them is.
pub fn leaving(app: AppId, id: AppUserId) -> Key {
    UserPartition::new(app, id).leaving()
}

/// A business's own name for a person may be longer than a key: its hash stands for it.
pub fn user_name(app: AppId, user_id: &str) -> Key {
    Key { pk: format!("APP#{app}#NAME#{}", hex::encode(Sha256::digest(user_id))), sk: "NAME".into() }
}

pub fn auth_code(app: AppId, code: &str) -> Key {
    Key { pk: format!("APP#{app}#CODE#{code}"), sk: "CODE".into() }
}

pub fn conversation_partition(app: AppId, conversation: ConversationId) -> String {
    format!("APP#{app}#CONVERSATION#{conversation}")
}

pub fn conversation(app: AppId, conversation: ConversationId) -> Key {
    Key { pk: conversation_partition(app, conversation), sk: "CONVERSATION".into() }
}

/// That a write was made which something follows from. It lies with the conversation of the person it is about, and so
/// ends with them.
pub fn mark(app: AppId, conversation: ConversationId, id: MarkId) -> Key {
    Key { pk: conversation_partition(app, conversation), sk: format!("MADE#{id}") }
}

pub fn message(app: AppId, conversation: ConversationId, received: Timestamp, id: MessageId) -> Key {
    let pk = conversation_partition(app, conversation);
    Key { pk, sk: Timed::Message.at(received, id) }
}

/// What has a time in its sort key.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Timed {
    Message,
    Notification,
    /// Anything else that is sent.
    Send,
}

impl Timed {
    /// No moment is later.
    pub const LATEST: Timestamp = Timestamp::from_millis(9_999_999_999_999);

    fn prefix(self) -> &'static str {
        match self {
            Self::Message => "MESSAGE",
            Self::Notification => "NOTIFICATION",
            Self::Send => "SEND",
        }
    }

    fn at(self, moment: Timestamp, id: impl std::fmt::Display) -> String {
        format!("{}#{:013}#{id}", self.prefix(), moment.millis())
    }

    /// The bounds of what lies between two moments, both included.
    pub fn between(self, from: Timestamp, to: Timestamp) -> (String, String) {
        let kind = self.prefix();
        (format!("{kind}#{:013}", from.millis().max(0)), format!("{kind}#{:013}#~", to.millis().max(0)))
    }
}

/// Where everything about one address of one integration lies.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AddressPartition {
    pub pk: String,
}

impl AddressPartition {
    pub fn new(app: AppId, integration: IntegrationId, address: &Address) -> Self {
        Self { pk: format!("APP#{app}#AT#{integration}#{}", address.as_str()) }
    }

    fn key(&self, sk: String) -> Key {
        Key { pk: self.pk.clone(), sk }
    }

    pub fn match_result(&self) -> Key {
        self.key("MATCH".into())
    }

    pub fn link(&self) -> Key {
        self.key("LINK".into())
    }

    /// Where a link lies that another one took the place of.
    pub fn past_link(&self, id: LinkId) -> Key {
        self.key(format!("LINK#{id}"))
    }

    pub fn asked(&self, day: i64) -> Key {
        self.key(format!("ASKED#{day}"))
    }

    pub fn send(&self, accepted: Timestamp, subject: Subject) -> Key {
        let kind = match subject {
            Subject::Notification(_) => Timed::Notification,
            Subject::Message(_) | Subject::Confirmation(_) => Timed::Send,
        };
        self.key(kind.at(accepted, subject))
    }

    /// The prefix stands in the template too, which has the table's stream bring what begins with it.
    pub fn parked(&self, received: Timestamp, hash: &str) -> Key {
        self.key(format!("PARKED#{:013}#{hash}", received.millis()))
    }

    pub fn reply(&self, id: &ExternalId) -> Key {
        self.key(format!("REPLY#{}", id.0))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::system::System;

    #[test]
    fn a_kind_is_a_word_of_ours_whatever_the_key_names() {
        let (app, id) = (AppId::generate(&System), AppUserId::generate(&System));
        let address: Address = serde_json::from_value("TEA SHOP".into()).unwrap();
        let person = UserPartition::new(app, id);
        let at = AddressPartition::new(app, IntegrationId::generate(&System), &address);
        let now = Timestamp::from_millis(1_790_000_000_000);
        for (key, kind) in [
            (self::app(app), "APP"),
            (template_name(app, "TEA"), "TEMPLATE_NAME"),
            (person.user(), "USER"),
            (person.client(IntegrationId::generate(&System), &address), "CLIENT"),
            (at.match_result(), "MATCH"),
            (at.reply(&ExternalId("SM".into())), "REPLY"),
            (at.send(now, Subject::Confirmation(LinkId::generate(&System))), "SEND"),
        ] {
            assert_eq!(key.kind(), kind);
        }
    }
}
