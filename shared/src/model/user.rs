//! The person and how they are reached: app user, client, and the match of an address to both.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::{Address, ChannelType, Timestamp};
use crate::ids::{AppUserId, ClientId, ConversationId, IntegrationId};

/// A person, known to one app.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct AppUser {
    #[serde(rename = "_id")]
    pub id: AppUserId,
    /// The business's own name for the person.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub user_id: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub given_name: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub surname: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub email: Option<String>,
    pub signed_up: Timestamp,
    #[serde(default)]
    pub properties: Map<String, Value>,
    pub conversation_id: ConversationId,
    pub conversation_started: bool,
    pub clients: Vec<Client>,
}

/// One address of a person on one integration.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Client {
    #[serde(rename = "_id")]
    pub id: ClientId,
    pub platform: ChannelType,
    pub integration_id: IntegrationId,
    pub external_id: Address,
    /// How the address is shown to people, such as `+1 416-555-0142`.
    pub display_name: String,
    pub status: ClientStatus,
    pub primary: bool,
    pub linked: Timestamp,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub last_seen: Option<Timestamp>,
    /// What the channel tells of the person, as it tells it.
    #[serde(default, skip_serializing_if = "Map::is_empty")]
    pub raw: Map<String, Value>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum ClientStatus {
    Active,
    Blocked,
    Inactive,
    Pending,
}

/// Whom an address belongs to. Created once per (integration, address), under any concurrency.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct MatchResult {
    pub app_user_id: AppUserId,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub user_id: Option<String>,
    pub conversation_id: ConversationId,
    pub conversation_started: bool,
    pub client: Client,
}
