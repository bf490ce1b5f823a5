//! Two people who turn out to be one: everything of the discarded becomes the survivor's in one transaction, and the
//! discarded id leads to the survivor from then on. Messages stay where they are; the survivor's history reads them too.

use serde::{Deserialize, Serialize};

use super::keys::{self, AddressPartition, UserPartition};
use super::matches::ClientPointer;
use super::transaction::{Change, Outcome, TRIES, Transaction, back_off};
use super::users::{HERE, NameItem, UserItem};
use super::{Store, StoreError};
use crate::ids::{AppId, AppUserId};
use crate::model::{AppUser, Client, Person};

/// What a person's listing holds of somebody who was merged into them: what must go when they are erased.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct MergedPointer {
    pub id: AppUserId,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub user_id: Option<String>,
}

/// What merging came to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Merged {
    Done,
    /// One of them changed in the meantime: read them anew.
    Changed,
}

impl Store {
    /// `discarded` becomes `survivor`. What the survivor's profile lacks, it takes from the other one.
    pub async fn merge(&self, app: AppId, survivor: &Person, discarded: &Person) -> Result<Merged, StoreError> {
        let counts = self.conversation(app, discarded.user.conversation_id).await?;
        for attempt in 0..TRIES {
            let old = UserItem::Merged { merged_into: survivor.user.id };
            let pointer = MergedPointer { id: discarded.user.id, user_id: discarded.user.user_id.clone() };
            let listing = UserPartition::new(app, survivor.user.id);
            let mut writes = Transaction::new()
                .update(self, self.joined(app, &survivor.user, &discarded.user))
                .put_here(self, &keys::app_user(app, discarded.user.id), &old)
                .update(
                    self,
                    Change::of(
                        &keys::conversation(app, survivor.user.conversation_id),
                        "ADD messageCount :messages, unreadCount :unread",
                    )
                    .value(":messages", &counts.message_count)
                    .value(":unread", &counts.unread_count),
                )
                .put(self, &listing.merged(discarded.user.id), &pointer);
            if let Some(user_id) = &discarded.user.user_id {
                let name = NameItem { app_user_id: survivor.user.id };
                writes = writes.put(self, &keys::user_name(app, user_id), &name);
            }
            for client in &discarded.clients {
                writes = self.move_client(writes, app, &survivor.user, &discarded.user, client);
            }
            match writes.commit(self).await? {
                Outcome::Done => return Ok(Merged::Done),
                Outcome::Refused(_) => return Ok(Merged::Changed),
                Outcome::Collided => back_off(attempt).await,
            }
        }
        Err(StoreError::Contended)
    }

    fn joined(&self, app: AppId, survivor: &AppUser, discarded: &AppUser) -> Change {
        let mut properties = discarded.properties.clone();
        properties.extend(survivor.properties.clone());
        let mut expression =
            "SET mergedConversations = :conversations, conversationStarted = :started, properties = :properties"
                .to_owned();
        let mut change_values: Vec<(&str, String)> = Vec::new();
        let fields = [
            ("givenName", &survivor.given_name, &discarded.given_name),
            ("surname", &survivor.surname, &discarded.surname),
            ("email", &survivor.email, &discarded.email),
            ("userId", &survivor.user_id, &discarded.user_id),
        ];
        for (name, own, other) in fields {
            if let (None, Some(other)) = (own, other) {
                expression.push_str(&format!(", {name} = :{name}"));
                change_values.push((name, other.clone()));
            }
        }
        let conversations: Vec<_> =
            survivor.merged_conversations.iter().copied().chain(discarded.conversations()).collect();
        let mut change = Change::of(&keys::app_user(app, survivor.id), expression)
            .when(format!("{HERE} AND (attribute_not_exists(mergedConversations) OR mergedConversations = :known)"))
            .value(":known", &survivor.merged_conversations)
            .value(":conversations", &conversations)
            .value(":started", &(survivor.conversation_started || discarded.conversation_started))
            .value(":properties", &properties);
        for (name, value) in change_values {
            change = change.value(format!(":{name}"), &value);
        }
        change
    }

    fn move_client(
        &self,
        writes: Transaction,
        app: AppId,
        survivor: &AppUser,
        discarded: &AppUser,
        client: &Client,
    ) -> Transaction {
        let (integration_id, address) = (client.integration_id, client.external_id.clone());
        let key = AddressPartition::new(app, integration_id, &address).match_result();
        let user_id = survivor.user_id.as_ref().or(discarded.user_id.as_ref());
        let expression = match user_id {
            Some(_) => "SET appUserId = :survivor, conversationId = :conversation, userId = :name",
            None => "SET appUserId = :survivor, conversationId = :conversation",
        };
        let mut change = Change::of(&key, expression)
            .when("appUserId = :discarded")
            .value(":survivor", &survivor.id)
            .value(":discarded", &discarded.id)
            .value(":conversation", &survivor.conversation_id);
        if let Some(user_id) = user_id {
            change = change.value(":name", user_id);
        }
        let from = UserPartition::new(app, discarded.id).client(integration_id, &address);
        let to = UserPartition::new(app, survivor.id).client(integration_id, &address);
        let pointer = ClientPointer { integration_id, address };
        writes.update(self, change).delete(self, Change::of(&from, "")).put(self, &to, &pointer)
    }
}
