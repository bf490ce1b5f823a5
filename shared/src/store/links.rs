//! Links: one at a time for each address, listed under the person it is for.
//!
//! A link that is done or failed stays for some days, so that a repeat of what ended it says the same again.

use serde::Serialize;

use super::keys::{AddressPartition, UserPartition};
use super::matches::ClientPointer;
use super::transaction::{Change, Outcome, TRIES, Transaction, back_off};
use super::{MatchItem, Store, StoreError};
use crate::ids::AppId;
use crate::model::{AppUser, Client, ClientStatus, ExternalId, Link, LinkState, MatchResult};

/// What a person's listing shows of an open link. It ends with the link.
#[derive(Serialize)]
struct PendingClient<'a> {
    #[serde(flatten)]
    client: &'a Client,
    ttl: i64,
}

/// Whom a linked address was taken from.
#[derive(Debug, Clone, PartialEq)]
pub struct Linked {
    pub result: MatchResult,
    pub taken_from: Option<MatchResult>,
}

impl Store {
    pub async fn link(&self, app: AppId, client: &Client) -> Result<Option<Link>, StoreError> {
        self.link_at(&AddressPartition::new(app, client.integration_id, &client.external_id)).await
    }

    pub async fn link_at(&self, partition: &AddressPartition) -> Result<Option<Link>, StoreError> {
        self.get_consistent("link", &partition.link()).await
    }

    /// Begins a link; one that was open for this address is given up.
    pub async fn begin_link(&self, app: AppId, link: &Link) -> Result<(), StoreError> {
        let partition = AddressPartition::new(app, link.client.integration_id, &link.client.external_id);
        let pending = |link: &Link| {
            UserPartition::new(app, link.app_user_id).pending(link.client.integration_id, &link.client.external_id)
        };
        let older = self.link_at(&partition).await?.filter(|older| older.app_user_id != link.app_user_id);
        for attempt in 0..TRIES {
            let mut writes = Transaction::new().put(self, &partition.link(), link).put(
                self,
                &pending(link),
                &PendingClient { client: &link.client, ttl: link.ttl },
            );
            if let Some(older) = &older {
                writes = writes.delete(self, Change::of(&pending(older), ""));
            }
            match writes.commit(self).await? {
                Outcome::Done | Outcome::Refused(_) => return Ok(()),
                Outcome::Collided => back_off(attempt).await,
            }
        }
        Err(StoreError::Contended)
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

    /// The client becomes the person's, whoever had it before. `None`: the link was ended, or replaced, by another.
    pub async fn complete_link(
        &self,
        app: AppId,
        user: &AppUser,
        link: &Link,
        by: Option<&ExternalId>,
    ) -> Result<Option<Linked>, StoreError> {
        let partition = AddressPartition::new(app, link.client.integration_id, &link.client.external_id);
        for attempt in 0..TRIES {
            let owner = self.find_match(&partition, true).await?;
            let result = MatchResult {
                app_user_id: user.id,
                user_id: user.user_id.clone(),
                conversation_id: user.conversation_id,
                client: Client { status: ClientStatus::Active, ..link.client.clone() },
            };
            let taken_from = owner.as_ref().map(|owner| owner.result.clone()).filter(|old| old.app_user_id != user.id);
            let writes = self.completion(app, user, link, by, &result, owner.as_ref());
            match writes.commit(self).await? {
                Outcome::Done => return Ok(Some(Linked { result, taken_from })),
                Outcome::Refused(items) if items.contains(&0) || items.contains(&1) => return Ok(None),
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
        result: &MatchResult,
        owner: Option<&MatchItem>,
    ) -> Transaction {
        let (integration, address) = (link.client.integration_id, &link.client.external_id);
        let partition = AddressPartition::new(app, integration, address);
        let listing = UserPartition::new(app, user.id);
        let item = MatchItem { result: result.clone(), started_by: None, last_reply: None };
        let pointer = ClientPointer { integration_id: integration, address: address.clone() };
        let writes = Transaction::new()
            .update(self, ended(&partition, link, LinkState::Done, by))
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

    /// The link comes to nothing. `false`: it was ended, or replaced, by another.
    pub async fn fail_link(&self, app: AppId, link: &Link, by: Option<&ExternalId>) -> Result<bool, StoreError> {
        let (integration, address) = (link.client.integration_id, &link.client.external_id);
        let partition = AddressPartition::new(app, integration, address);
        let pending = UserPartition::new(app, link.app_user_id).pending(integration, address);
        for attempt in 0..TRIES {
            let writes = Transaction::new()
                .update(self, ended(&partition, link, LinkState::Failed, by))
                .delete(self, Change::of(&pending, ""));
            match writes.commit(self).await? {
                Outcome::Done => return Ok(true),
                Outcome::Refused(_) => return Ok(false),
                Outcome::Collided => back_off(attempt).await,
            }
        }
        Err(StoreError::Contended)
    }
}

fn ended(partition: &AddressPartition, link: &Link, state: LinkState, by: Option<&ExternalId>) -> Change {
    let expression = if by.is_some() { "SET #state = :state, endedBy = :by" } else { "SET #state = :state" };
    let change = Change::of(&partition.link(), expression)
        .when("id = :id AND (#state = :asked OR #state = :matched)")
        .name("#state", "state")
        .value(":state", &state)
        .value(":asked", &LinkState::Asked)
        .value(":matched", &LinkState::Matched)
        .value(":id", &link.id);
    match by {
        Some(by) => change.value(":by", by),
        None => change,
    }
}
