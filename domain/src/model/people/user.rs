//! The person and how they are reached: app user, client, and the match of an address to both.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::entropy::Entropy;
use crate::ids::{AppUserId, ClientId, ConversationId, IntegrationId};
use crate::model::{Address, ChannelType, Timestamp};

/// By how many addresses a person is reached, those that wait for an answer included: a reply reads what was sent to each.
pub const CLIENT_LIMIT: usize = 200;

/// How many others may be merged into one person: their history is read across all of them.
pub const MERGED_LIMIT: usize = 500;

/// A person's profile, known to one app.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct AppUser {
    #[serde(rename = "_id")]
    pub id: AppUserId,
    /// The business's own name for the person.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub user_id: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub given_name: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub surname: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub email: Option<String>,
    pub signed_up: Timestamp,
    #[serde(default)]
    pub properties: Map<String, Value>,
    /// Whether the person needs a token to log in on an SDK.
    #[serde(default)]
    pub credential_required: bool,
    pub conversation_id: ConversationId,
    pub conversation_started: bool,
    /// Conversations of people who turned out to be this one: their messages are read with this one's.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub merged_conversations: Vec<ConversationId>,
    /// Their ids, which are this person's too.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub merged_users: Vec<AppUserId>,
    /// Grows with every change of the profile and of the clients: who merges two people must have seen the last one.
    #[serde(default)]
    pub revision: u64,
}

impl AppUser {
    /// Somebody of whom nothing is known yet.
    pub fn new(entropy: &impl Entropy, now: Timestamp) -> Self {
        Self {
            id: AppUserId::generate(entropy),
            user_id: None,
            given_name: None,
            surname: None,
            email: None,
            signed_up: now,
            properties: Map::new(),
            credential_required: false,
            conversation_id: ConversationId::generate(entropy),
            conversation_started: false,
            merged_conversations: Vec::new(),
            merged_users: Vec::new(),
            revision: 0,
        }
    }

    /// Whether that id names this person, now or before a merge.
    pub fn is(&self, id: AppUserId) -> bool {
        self.id == id || self.merged_users.contains(&id)
    }

    /// All ids that name this person, their own first.
    pub fn ids(&self) -> Vec<AppUserId> {
        [self.id].into_iter().chain(self.merged_users.iter().copied()).collect()
    }

    /// This person once the other one is merged into them: what they lack they take from the other.
    pub fn joined_by(self, other: &Self) -> Self {
        let mut properties = other.properties.clone();
        properties.extend(self.properties.clone());
        Self {
            user_id: self.user_id.clone().or_else(|| other.user_id.clone()),
            given_name: self.given_name.clone().or_else(|| other.given_name.clone()),
            surname: self.surname.clone().or_else(|| other.surname.clone()),
            email: self.email.clone().or_else(|| other.email.clone()),
            properties,
            conversation_started: self.conversation_started || other.conversation_started,
            merged_conversations: self.merged_conversations.iter().copied().chain(other.conversations()).collect(),
            merged_users: self.merged_users.iter().chain([&other.id]).chain(&other.merged_users).copied().collect(),
            ..self
        }
    }

    /// Given name and surname, as far as they are known.
    pub fn full_name(&self) -> Option<String> {
        let names: Vec<&str> = [&self.given_name, &self.surname].into_iter().flatten().map(String::as_str).collect();
        (!names.is_empty()).then(|| names.join(" "))
    }

    /// All partitions of the person's history, their own first.
    pub fn conversations(&self) -> Vec<ConversationId> {
        [self.conversation_id].into_iter().chain(self.merged_conversations.iter().copied()).collect()
    }
}

/// A person with everything about them: what an answer of the API shows.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Person {
    pub user: AppUser,
    pub clients: Vec<Client>,
    /// Asked for by a link and not confirmed yet.
    pub pending: Vec<Client>,
}

impl Person {
    /// The client that is preferred: the one used, or linked as primary, last.
    pub fn primary(&self) -> Option<&Client> {
        self.clients.iter().filter(|client| client.preferred().is_some()).max_by_key(|client| client.preferred())
    }

    pub fn is_primary(&self, client: &Client) -> bool {
        self.primary().is_some_and(|primary| primary.id == client.id)
    }
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
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub display_name: Option<String>,
    pub status: ClientStatus,
    pub linked: Timestamp,
    /// Linked to be used only when asked for, or when the person writes from there.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub secondary: bool,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last_seen: Option<Timestamp>,
    /// What the channel tells of the person, as it tells it.
    #[serde(default, skip_serializing_if = "Map::is_empty")]
    pub raw: Map<String, Value>,
}

impl Client {
    /// Since when it has been the one to prefer; `None` for one that never was.
    pub fn preferred(&self) -> Option<Timestamp> {
        self.last_seen.or((!self.secondary).then_some(self.linked))
    }

    /// v1.1's `GET …/channels` spelling of the address.
    pub fn address_field(&self) -> &'static str {
        match self.platform {
            ChannelType::Twilio | ChannelType::Messagebird => "phoneNumber",
        }
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum ClientStatus {
    Active,
    Blocked,
    Inactive,
    Pending,
}

/// Whom an address belongs to. One per (integration, address), under any concurrency.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct MatchResult {
    pub app_user_id: AppUserId,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub user_id: Option<String>,
    pub conversation_id: ConversationId,
    pub client: Client,
}
