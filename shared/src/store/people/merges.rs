//! Two people who turn out to be one: everything of the discarded becomes the survivor's in one transaction, and the
//! discarded id leads to the survivor from then on. Messages stay where they are; the survivor's history reads them too.

use serde::{Deserialize, Serialize};

use super::links::PendingClient;
use super::matches::ClientPointer;
use super::users::{NameItem, UserItem, as_read};
use crate::ids::{AppId, AppUserId, ConversationId};
use crate::model::{AppUser, CLIENT_LIMIT, Client, MERGED_LIMIT, Person};
use crate::outbox::Mark;
use crate::store::messages::conversations::Conversation;
use crate::store::table::keys::{self, AddressPartition, UserPartition};
use crate::store::table::{ItemChange, Transaction};
use crate::store::{Store, StoreError};

/// What a person's listing holds of somebody who was merged into them: what must go when they are erased.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(in crate::store) struct MergedPointer {
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
    /// Too many clients, too many merged into them, or too large profiles, for one person, transaction or item.
    TooLarge,
}

/// A profile stays well below the 400 KB of an item.
const PROFILE_LIMIT: usize = 300 * 1024;

impl Store {
    /// `discarded` becomes `survivor`. Both must be as they were read, and so must the discarded one's counters: what
    /// happens beside a merge is merged too, or was before.
    pub async fn merge(
        &self,
        app: AppId,
        survivor: &Person,
        discarded: &Person,
        mark: Mark,
    ) -> Result<Merged, StoreError> {
        let counts = self.conversation(app, discarded.user.conversation_id).await?;
        let joined = survivor.user.clone().joined_by(&discarded.user);
        let size = serde_json::to_vec(&joined).map_or(usize::MAX, |bytes| bytes.len());
        let writes = merging(app, survivor, discarded, &joined, &counts).mark(app, mark);
        let clients =
            survivor.clients.len() + survivor.pending.len() + discarded.clients.len() + discarded.pending.len();
        let is_within_limits = clients <= CLIENT_LIMIT && joined.merged_users.len() <= MERGED_LIMIT;
        if size > PROFILE_LIMIT || !is_within_limits || !writes.fits() {
            return Ok(Merged::TooLarge);
        }
        Ok(if self.table.commit(writes).await?.is_done() { Merged::Done } else { Merged::Changed })
    }
}

fn merging(app: AppId, survivor: &Person, discarded: &Person, joined: &AppUser, counts: &Conversation) -> Transaction {
    let (to, from) = (&survivor.user, &discarded.user);
    let joined = AppUser { revision: to.revision + 1, ..joined.clone() };
    let pointer = MergedPointer { id: from.id, user_id: from.user_id.clone() };
    let mut writes = Transaction::new()
        .put(as_read(app, to), &joined)
        .put(as_read(app, from), &UserItem::Merged { merged_into: to.id })
        .check(uncounted(app, from.conversation_id, counts))
        .update(added(app, to.conversation_id, counts))
        .put(&UserPartition::new(app, to.id).merged(from.id), &pointer);
    if let Some(user_id) = &from.user_id {
        writes = writes.put(&keys::user_name(app, user_id), &NameItem { app_user_id: to.id });
    }
    // A name that comes by the merge is told with every client.
    if to.user_id != joined.user_id {
        let own = survivor.clients.iter().map(|client| owned(app, client, to.id, &joined));
        writes = own.fold(writes, Transaction::update);
    }
    let writes =
        discarded.clients.iter().fold(writes, |writes, client| move_client(writes, app, &joined, from, client));
    discarded.pending.iter().fold(writes, |writes, client| move_pending(writes, app, to, from, client))
}

fn move_client(
    writes: Transaction,
    app: AppId,
    survivor: &AppUser,
    discarded: &AppUser,
    client: &Client,
) -> Transaction {
    let (integration_id, address) = (client.integration_id, client.external_id.clone());
    let change = owned(app, client, discarded.id, survivor);
    let from = UserPartition::new(app, discarded.id).client(integration_id, &address);
    let to = UserPartition::new(app, survivor.id).client(integration_id, &address);
    writes.update(change).delete(&from).put(&to, &ClientPointer { integration_id, address })
}

/// A link that is open goes on as the survivor's; its listing ends when it does.
fn move_pending(
    writes: Transaction,
    app: AppId,
    survivor: &AppUser,
    discarded: &AppUser,
    client: &Client,
) -> Transaction {
    let (integration, address) = (client.integration_id, &client.external_id);
    let link = ItemChange::of(&AddressPartition::new(app, integration, address).link())
        .set("appUserId", &survivor.id)
        .when_is("appUserId", &discarded.id);
    let from = UserPartition::new(app, discarded.id).pending(integration, address);
    let to = UserPartition::new(app, survivor.id).pending(integration, address);
    writes.update(link).delete(&from).put(&to, &PendingClient::of(client))
}

/// A client that was `former`'s is this person's, by the name that they have.
fn owned(app: AppId, client: &Client, former: AppUserId, person: &AppUser) -> ItemChange {
    ItemChange::of(&AddressPartition::new(app, client.integration_id, &client.external_id).match_result())
        .set("appUserId", &person.id)
        .set("conversationId", &person.conversation_id)
        .set_if("userId", person.user_id.as_ref())
        .when_is("appUserId", &former)
}

/// Nothing was said in the conversation since it was read.
fn uncounted(app: AppId, id: ConversationId, counts: &Conversation) -> ItemChange {
    ItemChange::of(&keys::conversation(app, id))
        .when("attribute_not_exists(#messageCount) OR #messageCount = :messages")
        .when("attribute_not_exists(#unreadCount) OR #unreadCount = :unread")
        .value(":messages", &counts.message_count)
        .value(":unread", &counts.unread_count)
}

fn added(app: AppId, id: ConversationId, counts: &Conversation) -> ItemChange {
    let own = ItemChange::of(&keys::conversation(app, id));
    own.add("messageCount", counts.message_count).add("unreadCount", counts.unread_count)
}
