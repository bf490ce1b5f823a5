//! People: hidden first, with their names; then what was sent to their addresses, their conversations, and last what is
//! listed under them.
//!
//! Who they were is kept until the end: all ids that they bore, in whose listings the rest is found. Of somebody who is
//! hidden nothing new comes into being, so one walk over it all is enough, but for sends that are under way.

use futures::future::try_join_all;
use serde::{Deserialize, Serialize};

use super::keys_of;
use super::records::{Fading, Fates, TraceItem};
use crate::erasure::{self, AddressWalk, Budget, PersonStage, PersonWalk, Progress};
use crate::ids::{AppId, AppUserId};
use crate::model::{Person, Timestamp};
use crate::store::people::listing::{Listed, listed};
use crate::store::people::users::as_read;
use crate::store::table::keys::{self, AddressPartition, Key};
use crate::store::table::{ItemChange, Page, Query, Transaction, Tries, from_item};
use crate::store::{Store, StoreError};

/// Records sort behind the match, and everything in a partition before this.
const RECORDS: (&str, &str) = ("N", "~");
/// Links, and what counts the questions of them.
const LINKS: (&str, &str) = ("ASKED", "LINK~");
const AT_ONCE: usize = 25;

/// Somebody as they were when they were deleted: what the business is told, and where the erasure begins.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Leaving {
    pub person: Person,
    pub deleted: Timestamp,
}

/// How far a step brought the erasure of a person.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Walked {
    Done,
    /// The step was long enough: the rest is for the next one.
    More(PersonWalk),
    /// A send is under way, and will yet write to its record.
    Waiting(PersonWalk),
}

/// Whose an item is.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Owned {
    app_user_id: AppUserId,
}

impl Store {
    /// Profile and names are gone for whoever asks from now on; who they were is kept for the erasure. Whoever is hidden
    /// stays so. Says who it was: an id may be somebody else's after a merge.
    pub async fn hide_user(&self, app: AppId, id: AppUserId, now: Timestamp) -> Result<AppUserId, StoreError> {
        let id = self.hide(app, id, now).await?;
        if let Some(leaving) = self.leaving(app, id).await? {
            self.erase_names(app, &leaving.person.user.ids()).await?;
        }
        Ok(id)
    }

    async fn hide(&self, app: AppId, id: AppUserId, now: Timestamp) -> Result<AppUserId, StoreError> {
        let mut tries = Tries::default();
        loop {
            // Asked last: they may have been merged, and hidden as whom they had become, while they were read.
            let Some(person) = self.person_by_id(app, id).await? else { return self.bearer(app, id).await };
            let id = person.user.id;
            if self.table.commit(hiding(app, &Leaving { person, deleted: now })).await?.is_done() {
                return Ok(id);
            }
            // They changed, or became somebody else, in this moment.
            tries.again().await?;
        }
    }

    /// The names of those who were merged into these. A name may be borne by somebody else by now.
    async fn erase_names(&self, app: AppId, ids: &[AppUserId]) -> Result<(), StoreError> {
        let mut names: Vec<(String, AppUserId)> = Vec::new();
        for ids in ids.chunks(AT_ONCE) {
            let listings = try_join_all(ids.iter().map(|id| self.listing(app, *id))).await?;
            for (id, listing) in ids.iter().zip(listings) {
                names.extend(listing.merged.into_iter().filter_map(|merged| Some((merged.user_id?, *id))));
            }
        }
        for names in names.chunks(AT_ONCE) {
            let keys = names.iter().map(|(name, bearer)| (keys::user_name(app, name), *bearer));
            try_join_all(keys.map(|(key, bearer)| self.delete_if_theirs(key, bearer))).await?;
        }
        Ok(())
    }

    /// As whom somebody left whose erasure has not ended yet.
    pub async fn leaving(&self, app: AppId, id: AppUserId) -> Result<Option<Leaving>, StoreError> {
        self.table.get(&keys::leaving(app, id)).await
    }

    /// A person who is hidden, from where an earlier step came to.
    pub async fn erase_person(
        &self,
        app: AppId,
        leaving: &Leaving,
        mut walk: PersonWalk,
        now: Timestamp,
        budget: &mut Budget,
    ) -> Result<Walked, StoreError> {
        let (ids, conversations) = (leaving.person.user.ids(), leaving.person.user.conversations());
        while !budget.is_spent() {
            match walk.stage {
                PersonStage::Files => walk.enter(PersonStage::Addresses),
                PersonStage::Addresses => match ids.get(walk.place) {
                    Some(id) => self.erase_addresses(app, *id, &ids, &mut walk, now, budget).await?,
                    None => walk.enter(PersonStage::Conversations),
                },
                PersonStage::Conversations => match conversations.get(walk.place) {
                    Some(id) => {
                        let said = Query::of(keys::conversation_partition(app, *id));
                        if self.erase_all(&said, budget).await? == Progress::Done {
                            walk.move_on();
                        }
                    }
                    None if walk.waits => return Ok(Walked::Waiting(walk.anew())),
                    None => walk.enter(PersonStage::Listings),
                },
                PersonStage::Listings => match ids.get(walk.place) {
                    Some(id) => {
                        self.erase_listing(app, *id, budget).await?;
                        walk.move_on();
                    }
                    None => {
                        self.table.delete(&keys::leaving(app, leaving.person.user.id)).await?;
                        return Ok(Walked::Done);
                    }
                },
            }
        }
        Ok(Walked::More(walk))
    }

    /// Those listed under one of their ids, as far as the budget reaches.
    async fn erase_addresses(
        &self,
        app: AppId,
        id: AppUserId,
        ids: &[AppUserId],
        walk: &mut PersonWalk,
        now: Timestamp,
        budget: &mut Budget,
    ) -> Result<(), StoreError> {
        budget.spend(1);
        let Page { items, last } = self.table.page(&listed(app, id).after(walk.listed.as_deref())).await?;
        for item in items {
            let sk = Key::of(&item).map(|key| key.sk);
            if let Some(partition) = Listed::read(item)?.address(app) {
                if budget.is_spent() {
                    return Ok(());
                }
                self.erase_address(&partition, ids, walk, now, budget).await?;
                if walk.at_address.is_some() {
                    return Ok(());
                }
            }
            walk.listed = sk;
        }
        if last.is_none() {
            walk.move_on();
        }
        Ok(())
    }

    /// Records first, the match last: while it is theirs, nobody else can come to own the address.
    async fn erase_address(
        &self,
        partition: &AddressPartition,
        ids: &[AppUserId],
        walk: &mut PersonWalk,
        now: Timestamp,
        budget: &mut Budget,
    ) -> Result<(), StoreError> {
        loop {
            let at = walk.at_address.take();
            let records = Query::of(&partition.pk).between(RECORDS).after(at.as_ref().map(|at| at.after.as_str()));
            let Page { items, last } = self.table.page(&records).await?;
            // Read after the page: of an address that is nobody's even now, nothing on it is a next owner's.
            let holder = self.find_match(partition).await?.map(|item| item.result.app_user_id);
            let mut fates = Fates::default();
            for item in &items {
                fates.add(item, erasure::fate(TraceItem::of(item)?.trace(), ids, holder, now));
            }
            self.fulfil(&fates, Fading::ContentAndPerson, budget).await?;
            budget.spend(2);
            let waits = fates.waits || at.is_some_and(|at| at.waits);
            match last {
                Some(sk) => walk.at_address = Some(AddressWalk { after: sk, waits }),
                None if waits => {
                    walk.waits = true;
                    return Ok(());
                }
                None => return self.erase_ownership(partition, ids, holder, budget).await,
            }
            if budget.is_spent() {
                return Ok(());
            }
        }
    }

    async fn erase_ownership(
        &self,
        partition: &AddressPartition,
        ids: &[AppUserId],
        holder: Option<AppUserId>,
        budget: &mut Budget,
    ) -> Result<(), StoreError> {
        budget.spend(2);
        let links = Query::of(&partition.pk).between(LINKS);
        for item in self.table.page(&links).await?.items {
            let Some(key) = Key::of(&item) else { continue };
            let Owned { app_user_id } = from_item(item)?;
            if ids.contains(&app_user_id) {
                self.delete_if_theirs(key, app_user_id).await?;
                budget.spend(1);
            }
        }
        match holder.filter(|holder| ids.contains(holder)) {
            Some(holder) => self.delete_if_theirs(partition.match_result(), holder).await,
            None => Ok(()),
        }
    }

    /// All but who they were: without it nothing would lead to the rest.
    async fn erase_listing(&self, app: AppId, id: AppUserId, budget: &mut Budget) -> Result<(), StoreError> {
        let leaving = keys::leaving(app, id);
        let mut listing = listed(app, id);
        loop {
            budget.spend(1);
            let Page { items, last } = self.table.page(&listing).await?;
            let mut keys = keys_of(&items);
            keys.retain(|key| *key != leaving);
            budget.spend(self.table.delete_all(&keys).await?);
            if last.is_none() {
                return Ok(());
            }
            listing = listing.after(last.as_deref());
        }
    }

    async fn delete_if_theirs(&self, key: Key, id: AppUserId) -> Result<(), StoreError> {
        self.table.take_away(ItemChange::of(&key).when_is("appUserId", &id)).await?;
        Ok(())
    }
}

fn hiding(app: AppId, leaving: &Leaving) -> Transaction {
    let user = &leaving.person.user;
    let writes = Transaction::new().delete(as_read(app, user)).put(&keys::leaving(app, user.id), leaving);
    let Some(user_id) = &user.user_id else { return writes };
    let theirs = ItemChange::of(&keys::user_name(app, user_id));
    let theirs = theirs.when("attribute_not_exists(pk) OR #appUserId = :user").value(":user", &user.id);
    writes.delete(theirs)
}
