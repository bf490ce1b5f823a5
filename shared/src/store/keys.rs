//! Every key of the table, spelled here and nowhere else. `docs/STORAGE.md` lists the access patterns they serve.
//!
//! | item         | pk                                 | sk                            |
//! |--------------|------------------------------------|-------------------------------|
//! | API key      | `KEY#{keyId}`                      | `KEY`                         |
//! | app          | `APP#{app}`                        | `APP`                         |
//! | integration  | `APP#{app}`                        | `INTEGRATION#{integration}`   |
//! | webhook      | `APP#{app}`                        | `WEBHOOK#{webhook}`           |
//! | app user     | `APP#{app}#USER#{user}`            | `USER`                        |
//! | message      | `APP#{app}#CONVERSATION#{conv}`    | `MESSAGE#{ms}#{message}`      |
//! | match        | `APP#{app}#AT#{integration}#{addr}`| `MATCH`                       |
//! | notification | `APP#{app}#AT#{integration}#{addr}`| `NOTIFICATION#{ms}#{id}`      |
//! | reply        | `APP#{app}#AT#{integration}#{addr}`| `REPLY#{externalId}`          |
//!
//! All but the API key start from the app: a key of one app cannot be made from another's id. An API key is how an app
//! is found in the first place. `{ms}` is 13 digits, so that text order is time order.

use std::collections::HashMap;

use aws_sdk_dynamodb::types::AttributeValue;

use crate::ids::{AppId, AppUserId, ConversationId, IntegrationId, KeyId, MessageId, NotificationId, WebhookId};
use crate::model::{Address, ExternalId, Timestamp};

pub const PK: &str = "pk";
pub const SK: &str = "sk";
/// Unix seconds after which DynamoDB may drop the item.
pub const TTL: &str = "ttl";

pub const WEBHOOK_PREFIX: &str = "WEBHOOK#";

/// A primary key.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Key {
    pub pk: String,
    pub sk: String,
}

impl Key {
    pub fn attributes(&self) -> HashMap<String, AttributeValue> {
        HashMap::from([
            (PK.to_owned(), AttributeValue::S(self.pk.clone())),
            (SK.to_owned(), AttributeValue::S(self.sk.clone())),
        ])
    }
}

pub fn api_key(id: &KeyId) -> Key {
    Key { pk: format!("KEY#{id}"), sk: "KEY".into() }
}

pub fn app_partition(app: AppId) -> String {
    format!("APP#{app}")
}

pub fn app(app: AppId) -> Key {
    Key { pk: app_partition(app), sk: "APP".into() }
}

pub fn integration(app: AppId, id: IntegrationId) -> Key {
    Key { pk: app_partition(app), sk: format!("INTEGRATION#{id}") }
}

pub fn webhook(app: AppId, id: WebhookId) -> Key {
    Key { pk: app_partition(app), sk: format!("{WEBHOOK_PREFIX}{id}") }
}

pub fn app_user(app: AppId, id: AppUserId) -> Key {
    Key { pk: format!("APP#{app}#USER#{id}"), sk: "USER".into() }
}

pub fn message(app: AppId, conversation: ConversationId, received: Timestamp, id: MessageId) -> Key {
    let pk = format!("APP#{app}#CONVERSATION#{conversation}");
    Key { pk, sk: format!("MESSAGE#{:013}#{id}", received.millis()) }
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

    pub fn notification(&self, accepted: Timestamp, id: NotificationId) -> Key {
        self.key(format!("NOTIFICATION#{:013}#{id}", accepted.millis()))
    }

    /// The bounds of the notifications accepted since a moment, for a query.
    pub fn notifications_since(since: Timestamp) -> (String, String) {
        (format!("NOTIFICATION#{:013}", since.millis().max(0)), "NOTIFICATION#~".into())
    }

    pub fn reply(&self, id: &ExternalId) -> Key {
        self.key(format!("REPLY#{}", id.0))
    }
}
