//! People: hidden first, with their names; then what was sent to their addresses, their conversations, and last what is
//! listed under them.
//!
//! Who they were is kept until the end: all ids that they bore, in whose listings the rest is found. Of somebody who is
//! hidden nothing new comes into being, so one walk over it all is enough, but for sends that are under way.

use futures::future::try_join_all;
use serde::{Deserialize, Serialize};

use super::pages::{EVERYTHING, key_of};
use super::records::{Fading, Fates, TraceItem};
use crate::erasure::{self, AddressWalk, Budget, PersonStage, PersonWalk, Progress};
use crate::ids::{AppId, AppUserId};
use crate::model::{Address, Client, Person, Timestamp};
use crate::store::people::matches::ClientPointer;
use crate::store::people::users::UNCHANGED;
use crate::store::table::keys::{self, AddressPartition, Key, UserPartition};
use crate::store::table::transaction::{Change, Outcome, TRIES, Transaction, back_off};
use crate::store::table::{Item, from_item};
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
        for attempt in 0..TRIES {
            // Asked last: they may have been merged, and hidden as whom they had become, while they were read.
            let Some(person) = self.person_by_id(app, id).await? else { return self.bearer(app, id).await };
            let id = person.user.id;
            match self.hiding(app, Leaving { person, deleted: now }).commit(self).await? {
                Outcome::Done => return Ok(id),
                // They changed, or became somebody else, in this moment.
                Outcome::Refused(_) | Outcome::Collided => back_off(attempt).await,
            }
        }
        Err(StoreError::Contended)
    }

    fn hiding(&self, app: AppId, leaving: Leaving) -> Transaction {
        let user = &leaving.person.user;
        let as_read = Change::of(&keys::app_user(app, user.id), "").when(UNCHANGED).value(":seen", &user.revision);
        let writes = Transaction::new().delete(self, as_read).put(self, &keys::leaving(app, user.id), &leaving);
        let Some(user_id) = &user.user_id else { return writes };
        let theirs =
            Change::of(&keys::user_name(app, user_id), "").when("attribute_not_exists(pk) OR appUserId = :user");
        writes.delete(self, theirs.value(":user", &user.id))
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
        self.get_consistent("leaving person", &keys::leaving(app, id)).await
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
                        let pk = keys::conversation_partition(app, *id);
                        if self.erase_stretch(&pk, EVERYTHING, budget).await? == Progress::Done {
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
                        self.delete(&keys::leaving(app, leaving.person.user.id)).await?;
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
        let UserPartition { pk, prefix } = UserPartition::new(app, id);
        let start = walk.listed.clone().map(|sk| Key { pk: pk.clone(), sk }.attributes());
        budget.spend(1);
        let (items, next) = self.page(&pk, (&prefix, &format!("{prefix}~")), start).await?;
        for item in items {
            let listed = key_of(&item).map(|key| key.sk);
            if let Some(partition) = address(app, &prefix, item)? {
                if budget.is_spent() {
                    return Ok(());
                }
                self.erase_address(&partition, ids, walk, now, budget).await?;
                if walk.at_address.is_some() {
                    return Ok(());
                }
            }
            walk.listed = listed;
        }
        if next.is_none() {
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
            let start = at.as_ref().map(|at| Key { pk: partition.pk.clone(), sk: at.after.clone() }.attributes());
            let (items, next) = self.page(&partition.pk, RECORDS, start).await?;
            // Read after the page: of an address that is nobody's even now, nothing on it is a next owner's.
            let holder = self.find_match(partition, true).await?.map(|item| item.result.app_user_id);
            let mut fates = Fates::default();
            for item in &items {
                fates.add(item, erasure::fate(TraceItem::of(item)?.trace(), ids, holder, now));
            }
            self.fulfil(&fates, Fading::ContentAndPerson, budget).await?;
            budget.spend(2);
            let waits = fates.waits || at.is_some_and(|at| at.waits);
            match next.as_ref().and_then(key_of) {
                Some(Key { sk, .. }) => walk.at_address = Some(AddressWalk { after: sk, waits }),
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
        let (items, _) = self.page(&partition.pk, LINKS, None).await?;
        for item in items {
            let Some(key) = key_of(&item) else { continue };
            let Owned { app_user_id } = from_item("link", item)?;
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
        let UserPartition { pk, prefix } = UserPartition::new(app, id);
        let leaving = keys::leaving(app, id);
        let mut start = None;
        loop {
            budget.spend(1);
            let (items, next) = self.page(&pk, (&prefix, &format!("{prefix}~")), start).await?;
            let keys: Vec<_> = items.iter().filter_map(key_of).filter(|key| *key != leaving).collect();
            budget.spend(self.delete_all(&keys).await?);
            match next {
                Some(next) => start = Some(next),
                None => return Ok(()),
            }
        }
    }

    async fn delete_if_theirs(&self, key: Key, id: AppUserId) -> Result<(), StoreError> {
        let theirs = Change::of(&key, "").when("appUserId = :id").value(":id", &id);
        self.commit(|| Transaction::new().delete(self, theirs.clone())).await?;
        Ok(())
    }
}

/// The address that an item of a listing points to, if it does to any.
fn address(app: AppId, prefix: &str, item: Item) -> Result<Option<AddressPartition>, StoreError> {
    let at = |integration, address: &Address| Some(AddressPartition::new(app, integration, address));
    let sk = key_of(&item).map(|key| key.sk).unwrap_or_default();
    Ok(match sk.strip_prefix(prefix).and_then(|rest| rest.split('#').next()) {
        Some("CLIENT") => {
            let pointer: ClientPointer = from_item("client", item)?;
            at(pointer.integration_id, &pointer.address)
        }
        Some("PENDING") => {
            let client: Client = from_item("pending client", item)?;
            at(client.integration_id, &client.external_id)
        }
        _ => None,
    })
}
