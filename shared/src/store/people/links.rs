//! Links: one at a time for each address, listed under the person it is for.
//!
//! A link that is done or failed stays for some days, and so does one that another took the place of, so that a repeat
//! of what ended it says the same again.

use serde::Serialize;

use super::matches::ClientPointer;
use super::users::{as_read, here, start_conversation};
use crate::conversation::page;
use crate::ids::{AppId, LinkId};
use crate::linking::asking::{self, DailyLimit};
use crate::linking::{Link, LinkState, consent};
use crate::model::{AppUser, Client, ClientStatus, ExternalId, MatchResult, SendRecord, Timestamp};
use crate::outbox::Mark;
use crate::sending::recent;
use crate::store::table::keys::{self, AddressPartition, Key, TTL, Timed, UserPartition};
use crate::store::table::{Committed, ItemChange, Label, Query, Transaction, Tries};
use crate::store::{MatchItem, Store, StoreError};

const OPEN: Label = Label("the link is open");
const PERSON: Label = Label("the person is there");

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
        self.table.get(&partition.link()).await
    }

    /// One certain link of an address, which may not be its last.
    pub async fn link_of(&self, partition: &AddressPartition, id: LinkId) -> Result<Option<Link>, StoreError> {
        match self.link_at(partition).await? {
            Some(link) if link.id == id => Ok(Some(link)),
            _ => self.table.get(&partition.past_link(id)).await,
        }
    }

    /// The link of an address that this reply ended.
    pub async fn link_ended_by(
        &self,
        partition: &AddressPartition,
        reply: &ExternalId,
    ) -> Result<Option<Link>, StoreError> {
        let links: Vec<Link> = self.table.query(Query::of(&partition.pk).under(partition.link().sk)).await?;
        Ok(links.into_iter().find(|link| link.ended_by.as_ref() == Some(reply)))
    }

    /// Whether the link's question is all that was sent to its address since the person last wrote.
    pub async fn is_only_question(
        &self,
        partition: &AddressPartition,
        link: &Link,
        now: Timestamp,
    ) -> Result<bool, StoreError> {
        let last_reply = self.find_match(partition).await?.and_then(|owner| owner.last_reply);
        let since = recent::window_start(last_reply, now).min(recent::window_start(Some(link.client.linked), now));
        let until = now.plus_seconds(86_400);
        let sent = |kind| self.stretch::<SendRecord>(&partition.pk, kind, since, until, true);
        let (mut records, sends) = tokio::try_join!(sent(Timed::Notification), sent(Timed::Send))?;
        records.extend(sends);
        Ok(records.len() < page::SOURCE_LIMIT && consent::is_only_question(&records, link.id, last_reply))
    }

    /// Begins a link that waits for its confirmation.
    pub async fn begin_link(&self, beginning: Beginning<'_>) -> Result<Begun, StoreError> {
        let Beginning { app, user, link, .. } = beginning;
        let writes = place(Transaction::new(), beginning).check(here(app, user.id));
        let writes = writes.put(&pending(app, link), &PendingClient::of(&link.client));
        Ok(Begun::of(&self.table.commit(writes).await?))
    }

    /// The same by the person's own word, which counts: of two links that they ask for at once one sees the other.
    pub async fn ask(&self, beginning: Beginning<'_>) -> Result<Begun, StoreError> {
        let Beginning { app, user, link, .. } = beginning;
        let day = asking::day(link.client.linked);
        let counters = [
            (DailyLimit::Address, at(app, &link.client).asked(day)),
            (DailyLimit::Person, UserPartition::new(app, user.id).asked(day)),
            (DailyLimit::App, keys::asked(app, day)),
        ];
        let ends = asking::day_ends(link.client.linked).seconds();
        let writes = counters.iter().fold(Transaction::new(), |writes, (limit, key)| {
            let count = ItemChange::of(key).add("asked", 1).set("appUserId", &user.id).set(TTL, &ends);
            writes.update(count.when_below("asked", limit.a_day()).labelled(label(*limit)))
        });
        let writes = place(writes, beginning)
            .update(as_read(app, user).add("revision", 1))
            .put(&pending(app, link), &PendingClient::of(&link.client));
        let committed = self.table.commit(writes).await?;
        let over = counters.iter().find(|(limit, _)| committed.is_refused_by(label(*limit)));
        Ok(over.map_or_else(|| Begun::of(&committed), |(limit, _)| Begun::TooOften(*limit)))
    }

    /// Begins and completes a link that needs no confirmation, over the address's owner as read.
    pub async fn link_at_once(&self, beginning: Beginning<'_>, owner: Option<&MatchItem>) -> Result<Begun, StoreError> {
        let Beginning { app, user, link, older, .. } = beginning;
        let done = Link { state: LinkState::Done, taken_from: taken_from(owner, user).cloned(), ..link.clone() };
        let writes = place(Transaction::new(), Beginning { link: &done, ..beginning });
        let writes = handing_over(writes, app, user, link, owner);
        let writes = match older.filter(|older| older.app_user_id == user.id) {
            Some(older) => writes.delete(&pending(app, older)),
            None => writes,
        };
        Ok(Begun::of(&self.table.commit(writes).await?))
    }

    /// The confirmation's message was sent: ASKED → MATCHED.
    pub async fn match_link(&self, app: AppId, link: &Link) -> Result<(), StoreError> {
        let change = ItemChange::of(&at(app, &link.client).link())
            .set("state", &LinkState::Matched)
            .when_is("id", &link.id)
            .when_is("state", &LinkState::Asked);
        self.table.update(change).await?;
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
        let mut tries = Tries::default();
        loop {
            let owner = self.find_match(&partition).await?;
            let taken_from = taken_from(owner.as_ref(), user);
            let ended = ended(&partition, link, LinkState::Done, by, taken_from).labelled(OPEN);
            let writes = handing_over(Transaction::new().update(ended), app, user, link, owner.as_ref());
            match self.table.commit(writes.delete(&pending_of(app, user, link))).await? {
                Committed::Done => {
                    let (taken_from, ended_by) = (taken_from.cloned(), by.cloned());
                    return Ok(Some(Link { state: LinkState::Done, taken_from, ended_by, ..link.clone() }));
                }
                refused if refused.is_refused_by(OPEN) || refused.is_refused_by(PERSON) => return Ok(None),
                Committed::Refused(_) => tries.again().await?,
            }
        }
    }

    /// The link comes to nothing. Nothing happens to one that was ended, or replaced, by another.
    pub async fn fail_link(&self, app: AppId, link: &Link, by: Option<&ExternalId>) -> Result<(), StoreError> {
        let ended = ended(&at(app, &link.client), link, LinkState::Failed, by, None);
        self.table.commit(Transaction::new().update(ended).delete(&pending(app, link))).await?;
        Ok(())
    }
}

impl Begun {
    fn of(committed: &Committed) -> Self {
        if committed.is_done() { Self::Done } else { Self::Changed }
    }
}

fn label(limit: DailyLimit) -> Label {
    Label(match limit {
        DailyLimit::Address => "questions asked an address",
        DailyLimit::Person => "questions asked for a person",
        DailyLimit::App => "questions asked by an app's people",
    })
}

/// Puts a link in the place of the last one of its address, which is kept for a while, and is listed no more.
fn place(writes: Transaction, beginning: Beginning<'_>) -> Transaction {
    let Beginning { app, link, older, mark, .. } = beginning;
    let partition = at(app, &link.client);
    // What has run out may lie there for two days more.
    let place = ItemChange::of(&partition.link()).value(":now", &link.client.linked.seconds());
    let Some(older) = older else {
        let place = place.when("attribute_not_exists(pk) OR #ttl <= :now");
        return writes.put(place, link).mark(app, mark);
    };
    let place = place
        .when("attribute_not_exists(pk) OR #ttl <= :now OR (#id = :older AND #state = :state AND #appUserId = :user)")
        .value(":older", &older.id)
        .value(":state", &older.state)
        .value(":user", &older.app_user_id);
    let writes = writes.put(place, link).mark(app, mark).put(&partition.past_link(older.id), older);
    match older.is_open() && older.app_user_id != link.app_user_id {
        true => writes.delete(&pending(app, older)),
        false => writes,
    }
}

/// The profile first: whoever is gone, or was merged away, is given nothing.
fn handing_over(
    writes: Transaction,
    app: AppId,
    user: &AppUser,
    link: &Link,
    owner: Option<&MatchItem>,
) -> Transaction {
    let (integration, address) = (link.client.integration_id, &link.client.external_id);
    let result = MatchResult {
        app_user_id: user.id,
        user_id: user.user_id.clone(),
        conversation_id: user.conversation_id,
        client: Client { status: ClientStatus::Active, ..link.client.clone() },
    };
    let item = MatchItem { result, started_by: None, last_reply: None };
    let pointer = ClientPointer { integration_id: integration, address: address.clone() };
    let writes = writes
        .update(start_conversation(app, user.id).labelled(PERSON))
        .put(&UserPartition::new(app, user.id).client(integration, address), &pointer);
    let place = ItemChange::of(&at(app, &link.client).match_result());
    let Some(old) = owner.map(|owner| owner.result.app_user_id) else {
        return writes.put(place.when_absent(), &item);
    };
    let writes = writes.put(place.when_is("appUserId", &old), &item);
    if old == user.id { writes } else { writes.delete(&UserPartition::new(app, old).client(integration, address)) }
}

fn at(app: AppId, client: &Client) -> AddressPartition {
    AddressPartition::new(app, client.integration_id, &client.external_id)
}

fn pending(app: AppId, link: &Link) -> Key {
    UserPartition::new(app, link.app_user_id).pending(link.client.integration_id, &link.client.external_id)
}

fn pending_of(app: AppId, user: &AppUser, link: &Link) -> Key {
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
) -> ItemChange {
    ItemChange::of(&partition.link())
        .set("state", &state)
        .set_if("endedBy", by)
        .set_if("takenFrom", taken_from)
        .when_is("id", &link.id)
        .when("#state = :asked OR #state = :matched")
        .value(":asked", &LinkState::Asked)
        .value(":matched", &LinkState::Matched)
}
