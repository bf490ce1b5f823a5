//! The match index: whose an (integration, address) is.
//!
//! A match item is the one truth about a client; a person's listing only points to it. Person and listing are written
//! first, the match last and under a condition, so that no concurrency makes two people of one address; whoever loses
//! takes its own two items away again.

use serde::{Deserialize, Serialize};

use crate::ids::{AppId, AppUserId, ClientId, IntegrationId};
use crate::model::{Address, AppUser, ChannelType, Client, ClientStatus, ExternalId, MatchResult, Timestamp};
use crate::store::table::keys::{AddressPartition, UserPartition};
use crate::store::table::{ItemChange, Written};
use crate::store::{Store, StoreError};
use crate::system::System;

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct MatchItem {
    #[serde(flatten)]
    pub result: MatchResult,
    /// The reply that made this person known, when it was not a notification: `conversation:start` belongs to it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub started_by: Option<ExternalId>,
    /// When the person last wrote, on this address.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last_reply: Option<Timestamp>,
}

/// What a person's listing holds of a client: where it is.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(in crate::store) struct ClientPointer {
    pub integration_id: IntegrationId,
    pub address: Address,
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
    /// Whose this address is.
    pub async fn find_match(&self, partition: &AddressPartition) -> Result<Option<MatchItem>, StoreError> {
        self.table.get(&partition.match_result()).await
    }

    /// At half the price: a creation of a moment ago may not be seen.
    pub async fn find_match_lagging(&self, partition: &AddressPartition) -> Result<Option<MatchItem>, StoreError> {
        self.table.get_lagging(&partition.match_result()).await
    }

    /// An address whose person is gone is nobody's: whoever writes from there is somebody new.
    pub async fn release_address(&self, partition: &AddressPartition, gone: AppUserId) -> Result<(), StoreError> {
        self.table.take_away(ItemChange::of(&partition.match_result()).when_is("appUserId", &gone)).await?;
        Ok(())
    }

    /// Creates app user, client and conversation for an address, or finds those that another invocation just created.
    pub async fn create_match(&self, new: NewClient<'_>) -> Result<MatchItem, StoreError> {
        let partition = AddressPartition::new(new.app, new.integration, new.address);
        let (item, user) = new_person(&new);
        let listing = UserPartition::new(new.app, user.id);
        let pointer_key = listing.client(new.integration, new.address);
        let pointer = ClientPointer { integration_id: new.integration, address: new.address.clone() };
        let (user_key, match_key) = (listing.user(), partition.match_result());
        let (user_put, pointer_put) =
            tokio::join!(self.table.put(&user_key, &user), self.table.put(&pointer_key, &pointer));
        user_put.and(pointer_put)?;
        match self.table.put(ItemChange::of(&match_key).when_absent(), &item).await?.read()? {
            Written::Done(_) => Ok(item),
            Written::Refused(found) => {
                let found: MatchItem = found.ok_or(StoreError::Contended)?;
                // A repeat of our own write, whose first answer was lost, finds itself.
                if found.result.app_user_id != user.id {
                    tokio::try_join!(self.table.delete(&user_key), self.table.delete(&pointer_key))?;
                }
                Ok(found)
            }
        }
    }
}

fn new_person(new: &NewClient<'_>) -> (MatchItem, AppUser) {
    let client = Client {
        id: ClientId::generate(&System),
        platform: new.channel,
        integration_id: new.integration,
        external_id: new.address.clone(),
        display_name: Some(new.display_name.unwrap_or(new.address.as_str()).to_owned()),
        status: ClientStatus::Active,
        linked: new.now,
        secondary: false,
        last_seen: None,
        raw: serde_json::Map::new(),
    };
    let user = AppUser { conversation_started: true, ..AppUser::new(&System, new.now) };
    let result = MatchResult { app_user_id: user.id, user_id: None, conversation_id: user.conversation_id, client };
    (MatchItem { result, started_by: new.started_by.cloned(), last_reply: None }, user)
}
