//! The match index and the app users behind it.
//!
//! A match item says whose an (integration, address) is; it and the app user come into being in one transaction, so
//! that no concurrency makes two people of one address.

use aws_sdk_dynamodb::types::{Put, TransactWriteItem};
use serde::{Deserialize, Serialize};

use super::keys::{self, AddressPartition};
use super::{Store, StoreError, error_code, to_item};
use crate::ids::{AppId, AppUserId, ClientId, ConversationId, IntegrationId};
use crate::model::{Address, AppUser, ChannelType, Client, ClientStatus, ExternalId, MatchResult, Timestamp};

const CREATION_TRIES: usize = 8;

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct MatchItem {
    #[serde(flatten)]
    pub result: MatchResult,
    /// The reply that made this person known, when it was not a notification: `conversation:start` belongs to it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub started_by: Option<ExternalId>,
    /// When the person last wrote, on this address.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub last_reply: Option<Timestamp>,
}

/// An address that may have to be created.
pub struct NewClient<'a> {
    pub app: AppId,
    pub integration: IntegrationId,
    pub channel: ChannelType,
    pub address: &'a Address,
    /// How the address is shown to people; as it is spelled, without.
    pub display_name: Option<&'a str>,
    pub started_by: Option<&'a ExternalId>,
    pub now: Timestamp,
}

impl Store {
    /// Whose this address is. `consistent` sees a creation of a moment ago, at twice the cost.
    pub async fn find_match(
        &self,
        partition: &AddressPartition,
        consistent: bool,
    ) -> Result<Option<MatchItem>, StoreError> {
        self.read("match", &partition.match_result(), consistent).await
    }

    /// Creates app user, client and conversation for an address, or finds those that another invocation just created.
    pub async fn create_match(&self, new: NewClient<'_>) -> Result<MatchItem, StoreError> {
        let partition = AddressPartition::new(new.app, new.integration, new.address);
        let (item, user) = new_person(&new);
        for _ in 0..CREATION_TRIES {
            if self.try_create(&partition, new.app, &item, &user).await? {
                return Ok(item);
            }
            if let Some(found) = self.find_match(&partition, true).await? {
                return Ok(found);
            }
        }
        Err(StoreError::Contended)
    }

    async fn try_create(
        &self,
        partition: &AddressPartition,
        app: AppId,
        item: &MatchItem,
        user: &AppUser,
    ) -> Result<bool, StoreError> {
        let match_put = self.put_absent(to_item("match", &partition.match_result(), item)?)?;
        let user_key = keys::app_user(app, user.id);
        let user_put = self.put_absent(to_item("app user", &user_key, user)?)?;
        let request = self.client.transact_write_items().transact_items(match_put).transact_items(user_put);
        match request.send().await {
            Ok(_) => Ok(true),
            Err(error) if error_code(&error) == "TransactionCanceledException" => Ok(false),
            Err(error) => Err(super::aws_error("TransactWriteItems")(error)),
        }
    }

    pub(super) fn put_absent(&self, item: super::Item) -> Result<TransactWriteItem, StoreError> {
        let put = Put::builder()
            .table_name(&self.table)
            .set_item(Some(item))
            .condition_expression("attribute_not_exists(pk)")
            .build()
            .map_err(|_| StoreError::Unreadable("transaction"))?;
        Ok(TransactWriteItem::builder().put(put).build())
    }

    /// The person with their profile.
    pub async fn app_user(&self, app: AppId, id: AppUserId) -> Result<Option<AppUser>, StoreError> {
        self.get_consistent("app user", &keys::app_user(app, id)).await
    }
}

fn new_person(new: &NewClient<'_>) -> (MatchItem, AppUser) {
    let client = Client {
        id: ClientId::generate(),
        platform: new.channel,
        integration_id: new.integration,
        external_id: new.address.clone(),
        display_name: new.display_name.unwrap_or(new.address.as_str()).to_owned(),
        status: ClientStatus::Active,
        primary: true,
        linked: new.now,
        last_seen: None,
        raw: serde_json::Map::new(),
    };
    let user = AppUser {
        id: AppUserId::generate(),
        user_id: None,
        given_name: None,
        surname: None,
        email: None,
        signed_up: new.now,
        properties: serde_json::Map::new(),
        conversation_id: ConversationId::generate(),
        conversation_started: true,
        clients: vec![client.clone()],
    };
    let result = MatchResult {
        app_user_id: user.id,
        user_id: None,
        conversation_id: user.conversation_id,
        conversation_started: true,
        client,
    };
    (MatchItem { result, started_by: new.started_by.cloned(), last_reply: None }, user)
}
