//! Links: one at a time for each address, listed under the person it is for.
//!
//! A link that is done or failed stays for some days, so that a repeat of what ended it says the same again.

use serde::Serialize;

use super::keys::{self, AddressPartition, TTL, UserPartition};
use super::matches::ClientPointer;
use super::transaction::{Change, Outcome, TRIES, Transaction, back_off};
use super::users::UNCHANGED;
use super::{MatchItem, Store, StoreError};
use crate::ids::AppId;
use crate::model::{AppUser, Client, ClientStatus, ExternalId, Link, LinkState, MatchResult};

/// What a person's listing shows of an open link. It ends with the link.
#[derive(Serialize)]
pub(super) struct PendingClient<'a> {
    #[serde(flatten)]
    client: &'a Client,
    ttl: i64,
}

impl<'a> PendingClient<'a> {
    pub fn of(client: &'a Client) -> Self {
        Self { client, ttl: Link::ends(client.linked) }
    }
}

impl Store {
    pub async fn link(&self, app: AppId, client: &Client) -> Result<Option<Link>, StoreError> {
        self.link_at(&AddressPartition::new(app, client.integration_id, &client.external_id)).await
    }

    pub async fn link_at(&self, partition: &AddressPartition) -> Result<Option<Link>, StoreError> {
        self.get_consistent("link", &partition.link()).await
    }

    /// Begins a link in the place of the one that was seen at its address, if any. `false`: there is another by now, or
    /// the person by whose own word it begins, `asking`, is not as they were seen: of two that they ask for at once one
    /// sees the other.
    pub async fn begin_link(
        &self,
        app: AppId,
        link: &Link,
        older: Option<&Link>,
        asking: Option<&AppUser>,
    ) -> Result<bool, StoreError> {
        let partition = AddressPartition::new(app, link.client.integration_id, &link.client.external_id);
        let pending =
            |person| UserPartition::new(app, person).pending(link.client.integration_id, &link.client.external_id);
        // What has run out may lie there for two days more.
        let place = Change::of(&partition.link(), "").name("#ttl", TTL).value(":now", &link.client.linked.seconds());
        let place = match older {
            None => place.when("attribute_not_exists(pk) OR #ttl <= :now"),
            Some(older) => {
                place.when("attribute_not_exists(pk) OR #ttl <= :now OR id = :older").value(":older", &older.id)
            }
        };
        let listed = PendingClient::of(&link.client);
        let refused = self.commit(|| {
            let writes = Transaction::new().replace(self, place.clone(), link);
            let writes = writes.put(self, &pending(link.app_user_id), &listed);
            let writes = match asking {
                Some(user) => writes.update(self, changed(app, user)),
                None => writes,
            };
            match older.map(|older| older.app_user_id).filter(|older| *older != link.app_user_id) {
                Some(older) => writes.delete(self, Change::of(&pending(older), "")),
                None => writes,
            }
        });
        Ok(refused.await?.is_empty())
    }

    /// The confirmation's message was sent: ASKED → MATCHED.
    pub async fn match_link(&self, app: AppId, link: &Link) -> Result<(), StoreError> {
        let key = AddressPartition::new(app, link.client.integration_id, &link.client.external_id).link();
        let change =
            Change::of(&key, "SET #state = :matched").when("id = :id AND #state = :asked").name("#state", "state");
        let change = change.value(":matched", &LinkState::Matched).value(":asked", &LinkState::Asked);
        self.change::<Link>("link", change.value(":id", &link.id)).await?;
        Ok(())
    }

    /// The client becomes the person's, whoever had it before; the link says whom it was taken from. Nothing happens to a
    /// link that was ended, or replaced, by another.
    pub async fn complete_link(
        &self,
        app: AppId,
        user: &AppUser,
        link: &Link,
        by: Option<&ExternalId>,
    ) -> Result<(), StoreError> {
        let partition = AddressPartition::new(app, link.client.integration_id, &link.client.external_id);
        for attempt in 0..TRIES {
            let owner = self.find_match(&partition, true).await?;
            match self.completion(app, user, link, by, owner.as_ref()).commit(self).await? {
                Outcome::Done => return Ok(()),
                Outcome::Refused(items) if items.contains(&0) || items.contains(&1) => return Ok(()),
                Outcome::Refused(_) | Outcome::Collided => back_off(attempt).await,
            }
        }
        Err(StoreError::Contended)
    }

    fn completion(
        &self,
        app: AppId,
        user: &AppUser,
        link: &Link,
        by: Option<&ExternalId>,
        owner: Option<&MatchItem>,
    ) -> Transaction {
        let (integration, address) = (link.client.integration_id, &link.client.external_id);
        let partition = AddressPartition::new(app, integration, address);
        let listing = UserPartition::new(app, user.id);
        let result = MatchResult {
            app_user_id: user.id,
            user_id: user.user_id.clone(),
            conversation_id: user.conversation_id,
            client: Client { status: ClientStatus::Active, ..link.client.clone() },
        };
        let item = MatchItem { result, started_by: None, last_reply: None };
        let taken_from = owner.map(|owner| &owner.result).filter(|old| old.app_user_id != user.id);
        let pointer = ClientPointer { integration_id: integration, address: address.clone() };
        let writes = Transaction::new()
            .update(self, ended(&partition, link, LinkState::Done, by, taken_from))
            .update(self, self.start_conversation(app, user.id))
            .put(self, &listing.client(integration, address), &pointer)
            .delete(self, Change::of(&listing.pending(integration, address), ""));
        match owner.map(|owner| owner.result.app_user_id) {
            None => writes.put_absent(self, &partition.match_result(), &item),
            Some(old) => {
                let writes = writes.put_owned(self, &partition.match_result(), &item, old);
                if old == user.id {
                    return writes;
                }
                let theirs = UserPartition::new(app, old).client(integration, address);
                writes.delete(self, Change::of(&theirs, ""))
            }
        }
    }

    /// The link comes to nothing. Nothing happens to one that was ended, or replaced, by another.
    pub async fn fail_link(&self, app: AppId, link: &Link, by: Option<&ExternalId>) -> Result<(), StoreError> {
        let (integration, address) = (link.client.integration_id, &link.client.external_id);
        let partition = AddressPartition::new(app, integration, address);
        let pending = UserPartition::new(app, link.app_user_id).pending(integration, address);
        let ending = || ended(&partition, link, LinkState::Failed, by, None);
        self.commit(|| Transaction::new().update(self, ending()).delete(self, Change::of(&pending, ""))).await?;
        Ok(())
    }
}

/// The person is as they were seen, and is not from now on.
fn changed(app: AppId, user: &AppUser) -> Change {
    Change::of(&keys::app_user(app, user.id), "ADD revision :one")
        .when(UNCHANGED)
        .value(":seen", &user.revision)
        .value(":one", &1)
}

fn ended(
    partition: &AddressPartition,
    link: &Link,
    state: LinkState,
    by: Option<&ExternalId>,
    taken_from: Option<&MatchResult>,
) -> Change {
    let mut expression = "SET #state = :state".to_owned();
    expression.push_str(if by.is_some() { ", endedBy = :by" } else { "" });
    expression.push_str(if taken_from.is_some() { ", takenFrom = :old" } else { "" });
    let mut change = Change::of(&partition.link(), expression)
        .when("id = :id AND (#state = :asked OR #state = :matched)")
        .name("#state", "state")
        .value(":state", &state)
        .value(":asked", &LinkState::Asked)
        .value(":matched", &LinkState::Matched)
        .value(":id", &link.id);
    if let Some(by) = by {
        change = change.value(":by", by);
    }
    if let Some(old) = taken_from {
        change = change.value(":old", old);
    }
    change
}
