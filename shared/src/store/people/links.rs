//! Links: one at a time for each address, listed under the person it is for.
//!
//! A link that is done or failed stays for some days, and so does one that another took the place of, so that a repeat
//! of what ended it says the same again.

use serde::Serialize;

use super::matches::ClientPointer;
use super::users::{HERE, UNCHANGED};
use crate::conversation::page;
use crate::ids::{AppId, LinkId};
use crate::linking::asking::{self, DailyLimit};
use crate::linking::consent;
use crate::linking::{Link, LinkState};
use crate::model::{AppUser, Client, ClientStatus, ExternalId, MatchResult, SendRecord, Timestamp};
use crate::outbox::Mark;
use crate::sending::recent;
use crate::store::table::keys::{self, AddressPartition, TTL, UserPartition};
use crate::store::table::transaction::{Change, Outcome, TRIES, Transaction, back_off};
use crate::store::{MatchItem, Store, StoreError};

/// What a person's listing shows of an open link. It ends with the link.
#[derive(Serialize)]
pub(in crate::store) struct PendingClient<'a> {
    #[serde(flatten)]
    client: &'a Client,
    ttl: i64,
}

impl<'a> PendingClient<'a> {
    pub fn of(client: &'a Client) -> Self {
        Self { client, ttl: Link::ends(client.linked) }
    }
}

/// What beginning a link came to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Begun {
    Done,
    /// What it was begun over is not as it was read.
    Changed,
    /// The person asked too often today.
    TooOften(DailyLimit),
}

/// A link that is to begin, over what was read.
#[derive(Clone, Copy)]
pub struct Beginning<'a> {
    pub app: AppId,
    pub user: &'a AppUser,
    pub link: &'a Link,
    /// The last link of its address.
    pub older: Option<&'a Link>,
    pub mark: Mark,
}

impl Store {
    pub async fn link(&self, app: AppId, client: &Client) -> Result<Option<Link>, StoreError> {
        self.link_at(&at(app, client)).await
    }

    /// The last link of an address.
    pub async fn link_at(&self, partition: &AddressPartition) -> Result<Option<Link>, StoreError> {
        self.get_consistent("link", &partition.link()).await
    }

    /// One certain link of an address, which may not be its last.
    pub async fn link_of(&self, partition: &AddressPartition, id: LinkId) -> Result<Option<Link>, StoreError> {
        match self.link_at(partition).await? {
            Some(link) if link.id == id => Ok(Some(link)),
            _ => self.get_consistent("link", &partition.past_link(id)).await,
        }
    }

    /// The link of an address that this reply ended.
    pub async fn link_ended_by(
        &self,
        partition: &AddressPartition,
        reply: &ExternalId,
    ) -> Result<Option<Link>, StoreError> {
        let links: Vec<Link> = self.list("link", &partition.pk, &partition.link().sk, true).await?;
        Ok(links.into_iter().find(|link| link.ended_by.as_ref() == Some(reply)))
    }

    /// Whether the link's question is all that was sent to its address since the person last wrote.
    pub async fn is_only_question(
        &self,
        partition: &AddressPartition,
        link: &Link,
        now: Timestamp,
    ) -> Result<bool, StoreError> {
        let last_reply = self.find_match(partition, true).await?.and_then(|owner| owner.last_reply);
        let since = recent::window_start(last_reply, now).min(recent::window_start(Some(link.client.linked), now));
        let until = now.plus_seconds(86_400);
        let sent = |kind| self.stretch::<SendRecord>("send record", &partition.pk, kind, since, until, true);
        let (mut records, sends) = tokio::try_join!(sent("NOTIFICATION"), sent("SEND"))?;
        records.extend(sends);
        Ok(records.len() < page::SOURCE_LIMIT && consent::is_only_question(&records, link.id, last_reply))
    }

    /// Begins a link that waits for its confirmation.
    pub async fn begin_link(&self, beginning: Beginning<'_>) -> Result<Begun, StoreError> {
        let Beginning { app, user, link, .. } = beginning;
        let there = Change::of(&keys::app_user(app, user.id), "").when(HERE);
        let writes = || self.place(Transaction::new(), beginning).check(self, there.clone());
        let refused = self.commit(|| writes().put(self, &pending(app, link), &PendingClient::of(&link.client))).await?;
        Ok(if refused.is_empty() { Begun::Done } else { Begun::Changed })
    }

    /// The same by the person's own word, which counts: of two links that they ask for at once one sees the other.
    pub async fn ask(&self, beginning: Beginning<'_>) -> Result<Begun, StoreError> {
        let Beginning { app, user, link, .. } = beginning;
        let now = link.client.linked;
        let counters = [
            (DailyLimit::Address, at(app, &link.client).asked(asking::day(now))),
            (DailyLimit::Person, UserPartition::new(app, user.id).asked(asking::day(now))),
            (DailyLimit::App, keys::asked(app, asking::day(now))),
        ];
        let counted = counters.map(|(limit, key)| {
            let change = Change::of(&key, "ADD asked :one SET appUserId = :user, #ttl = :ends");
            let change = change.when("attribute_not_exists(asked) OR asked < :most").name("#ttl", TTL);
            let change = change.value(":one", &1).value(":user", &user.id).value(":most", &limit.a_day());
            (limit, change.value(":ends", &asking::day_ends(now).seconds()))
        });
        let unseen = Change::of(&keys::app_user(app, user.id), "ADD revision :one")
            .when(UNCHANGED)
            .value(":seen", &user.revision)
            .value(":one", &1);
        let refused = self.commit(|| {
            let writes =
                counted.iter().fold(Transaction::new(), |writes, (_, count)| writes.update(self, count.clone()));
            let writes = self.place(writes, beginning).update(self, unseen.clone());
            writes.put(self, &pending(app, link), &PendingClient::of(&link.client))
        });
        let refused = refused.await?;
        let over = refused.first().and_then(|first| counted.get(*first)).map(|(limit, _)| *limit);
        Ok(match (over, refused.is_empty()) {
            (Some(limit), _) => Begun::TooOften(limit),
            (None, true) => Begun::Done,
            (None, false) => Begun::Changed,
        })
    }

    /// Begins and completes a link that needs no confirmation, over the address's owner as read.
    pub async fn link_at_once(&self, beginning: Beginning<'_>, owner: Option<&MatchItem>) -> Result<Begun, StoreError> {
        let Beginning { app, user, link, older, .. } = beginning;
        let done = Link { state: LinkState::Done, taken_from: taken_from(owner, user).cloned(), ..link.clone() };
        let refused = self.commit(|| {
            let writes = self.place(Transaction::new(), Beginning { link: &done, ..beginning });
            let writes = self.handing_over(writes, app, user, link, owner);
            match older.filter(|older| older.app_user_id == user.id) {
                Some(older) => writes.delete(self, Change::of(&pending(app, older), "")),
                None => writes,
            }
        });
        Ok(if refused.await?.is_empty() { Begun::Done } else { Begun::Changed })
    }

    /// Puts a link in the place of the last one of its address, which is kept for a while, and is listed no more.
    fn place(&self, writes: Transaction, beginning: Beginning<'_>) -> Transaction {
        let Beginning { app, link, older, mark, .. } = beginning;
        let partition = at(app, &link.client);
        // What has run out may lie there for two days more.
        let place = Change::of(&partition.link(), "").name("#ttl", TTL).value(":now", &link.client.linked.seconds());
        let Some(older) = older else {
            let place = place.when("attribute_not_exists(pk) OR #ttl <= :now");
            return writes.replace(self, place, link).mark(self, app, mark);
        };
        let place = place
            .when("attribute_not_exists(pk) OR #ttl <= :now OR (id = :older AND #state = :state AND appUserId = :user)")
            .name("#state", "state")
            .value(":older", &older.id)
            .value(":state", &older.state)
            .value(":user", &older.app_user_id);
        let writes = writes.replace(self, place, link).mark(self, app, mark);
        let writes = writes.put(self, &partition.past_link(older.id), older);
        match older.is_open() && older.app_user_id != link.app_user_id {
            true => writes.delete(self, Change::of(&pending(app, older), "")),
            false => writes,
        }
    }

    /// The confirmation's message was sent: ASKED → MATCHED.
    pub async fn match_link(&self, app: AppId, link: &Link) -> Result<(), StoreError> {
        let key = at(app, &link.client).link();
        let change =
            Change::of(&key, "SET #state = :matched").when("id = :id AND #state = :asked").name("#state", "state");
        let change = change.value(":matched", &LinkState::Matched).value(":asked", &LinkState::Asked);
        self.change::<Link>("link", change.value(":id", &link.id)).await?;
        Ok(())
    }

    /// The client becomes the person's, whoever had it before: the link as it is then. `None`: it was ended, or replaced,
    /// by another.
    pub async fn complete_link(
        &self,
        app: AppId,
        user: &AppUser,
        link: &Link,
        by: Option<&ExternalId>,
    ) -> Result<Option<Link>, StoreError> {
        let partition = at(app, &link.client);
        for attempt in 0..TRIES {
            let owner = self.find_match(&partition, true).await?;
            let taken_from = taken_from(owner.as_ref(), user);
            let writes = Transaction::new().update(self, ended(&partition, link, LinkState::Done, by, taken_from));
            let writes = self.handing_over(writes, app, user, link, owner.as_ref());
            let writes = writes.delete(self, Change::of(&pending_of(app, user, link), ""));
            match writes.commit(self).await? {
                Outcome::Done => {
                    let (taken_from, ended_by) = (taken_from.cloned(), by.cloned());
                    return Ok(Some(Link { state: LinkState::Done, taken_from, ended_by, ..link.clone() }));
                }
                Outcome::Refused(items) if items.contains(&0) || items.contains(&1) => return Ok(None),
                Outcome::Refused(_) | Outcome::Collided => back_off(attempt).await,
            }
        }
        Err(StoreError::Contended)
    }

    /// The profile first: whoever is gone, or was merged away, is given nothing.
    fn handing_over(
        &self,
        writes: Transaction,
        app: AppId,
        user: &AppUser,
        link: &Link,
        owner: Option<&MatchItem>,
    ) -> Transaction {
        let (integration, address) = (link.client.integration_id, &link.client.external_id);
        let key = at(app, &link.client).match_result();
        let result = MatchResult {
            app_user_id: user.id,
            user_id: user.user_id.clone(),
            conversation_id: user.conversation_id,
            client: Client { status: ClientStatus::Active, ..link.client.clone() },
        };
        let item = MatchItem { result, started_by: None, last_reply: None };
        let pointer = ClientPointer { integration_id: integration, address: address.clone() };
        let listed = UserPartition::new(app, user.id).client(integration, address);
        let writes = writes.update(self, self.start_conversation(app, user.id)).put(self, &listed, &pointer);
        match owner.map(|owner| owner.result.app_user_id) {
            None => writes.put_absent(self, &key, &item),
            Some(old) if old == user.id => writes.put_owned(self, &key, &item, old),
            Some(old) => {
                let theirs = UserPartition::new(app, old).client(integration, address);
                writes.put_owned(self, &key, &item, old).delete(self, Change::of(&theirs, ""))
            }
        }
    }

    /// The link comes to nothing. Nothing happens to one that was ended, or replaced, by another.
    pub async fn fail_link(&self, app: AppId, link: &Link, by: Option<&ExternalId>) -> Result<(), StoreError> {
        let ending = || ended(&at(app, &link.client), link, LinkState::Failed, by, None);
        let unlisting = || Change::of(&pending(app, link), "");
        self.commit(|| Transaction::new().update(self, ending()).delete(self, unlisting())).await?;
        Ok(())
    }
}

fn at(app: AppId, client: &Client) -> AddressPartition {
    AddressPartition::new(app, client.integration_id, &client.external_id)
}

fn pending(app: AppId, link: &Link) -> keys::Key {
    UserPartition::new(app, link.app_user_id).pending(link.client.integration_id, &link.client.external_id)
}

fn pending_of(app: AppId, user: &AppUser, link: &Link) -> keys::Key {
    UserPartition::new(app, user.id).pending(link.client.integration_id, &link.client.external_id)
}

fn taken_from<'a>(owner: Option<&'a MatchItem>, user: &AppUser) -> Option<&'a MatchResult> {
    owner.map(|owner| &owner.result).filter(|old| old.app_user_id != user.id)
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
