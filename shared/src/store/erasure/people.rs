//! People: hidden first, with their names; then what was sent to their addresses, their conversations, and last what is
//! listed under them.
//!
//! Everything is found in the listings of the ids they bore. They are read again until nothing is in them, so what came
//! to the person in the moment of their deletion goes too.

use serde::{Deserialize, Serialize};

use super::pages::EVERYTHING;
use super::records::{Fading, Fates, TraceItem};
use crate::flow::erasure::{self, Budget, Progress};
use crate::ids::{AppId, AppUserId, ConversationId};
use crate::model::{Person, Timestamp};
use crate::store::keys::{self, AddressPartition, Key, UserPartition};
use crate::store::transaction::{Change, Outcome, TRIES, Transaction, back_off};
use crate::store::users::UNCHANGED;
use crate::store::{Store, StoreError};

/// Records sort behind the match, and everything in a partition before this.
const RECORDS: (&str, &str) = ("N", "~");
/// DynamoDB's limit of a condition's list.
const LISTED_AT_ONCE: usize = 100;

/// Somebody as they were when they were deleted: what the business is told, and where the erasure begins.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Leaving {
    pub person: Person,
    pub deleted: Timestamp,
}

/// What is left of a person, and of those who were merged into them.
#[derive(Default)]
pub(super) struct Remains {
    /// Their own id, and behind each id those of people who were merged into it.
    pub ids: Vec<AppUserId>,
    /// Each with whom it leads to.
    pub names: Vec<(String, AppUserId)>,
    pub addresses: Vec<AddressPartition>,
    pub conversations: Vec<ConversationId>,
    /// What is listed, for each id.
    listed: Vec<Vec<Key>>,
}

impl Store {
    /// Profile and names are gone for whoever asks from now on; who they were is kept for the erasure. Whoever is hidden
    /// stays so. Says who it was: an id may be somebody else's after a merge.
    pub async fn hide_user(&self, app: AppId, id: AppUserId, now: Timestamp) -> Result<AppUserId, StoreError> {
        let id = self.hide(app, id, now).await?;
        let remains = self.remains(app, id).await?;
        self.erase_names(app, &remains).await?;
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

    /// As whom somebody left whose erasure has not ended yet.
    pub async fn leaving(&self, app: AppId, id: AppUserId) -> Result<Option<Leaving>, StoreError> {
        self.get_consistent("leaving person", &keys::leaving(app, id)).await
    }

    /// A person who is hidden, however much of them is left.
    pub async fn erase_person(
        &self,
        app: AppId,
        id: AppUserId,
        now: Timestamp,
        budget: &mut Budget,
    ) -> Result<Progress, StoreError> {
        while !budget.is_spent() {
            let remains = self.remains(app, id).await?;
            budget.spend(remains.ids.len());
            if remains.listed.iter().all(Vec::is_empty) {
                return Ok(Progress::Done);
            }
            let mut progress = Progress::Done;
            for address in &remains.addresses {
                progress = progress.max(self.erase_address(address, &remains.ids, now, budget).await?);
            }
            progress = progress.max(self.erase_conversations(app, &remains, budget).await?);
            if progress != Progress::Done {
                return Ok(progress);
            }
            // The last merged first: what leads to somebody goes after them.
            for listed in remains.listed.iter().rev() {
                budget.spend(self.delete_all(listed).await?);
            }
        }
        Ok(Progress::More)
    }

    pub(super) async fn erase_conversations(
        &self,
        app: AppId,
        remains: &Remains,
        budget: &mut Budget,
    ) -> Result<Progress, StoreError> {
        for conversation in &remains.conversations {
            let pk = keys::conversation_partition(app, *conversation);
            if self.erase_stretch(&pk, EVERYTHING, budget).await? != Progress::Done {
                return Ok(Progress::More);
            }
        }
        Ok(Progress::Done)
    }

    /// A name may be borne by somebody else by now.
    pub(super) async fn erase_names(&self, app: AppId, remains: &Remains) -> Result<(), StoreError> {
        for (name, bearer) in &remains.names {
            self.delete_if_theirs(&keys::user_name(app, name), &[*bearer]).await?;
        }
        Ok(())
    }

    /// As listings have it.
    pub(super) async fn remains(&self, app: AppId, id: AppUserId) -> Result<Remains, StoreError> {
        let (mut remains, mut open) = (Remains::default(), vec![id]);
        while let Some(id) = open.pop() {
            let listing = self.listing(app, id).await?;
            if let Some(user) = listing.profile().or(listing.leaving.as_ref().map(|leaving| &leaving.person.user)) {
                remains.conversations.extend(user.conversations());
                remains.names.extend(user.user_id.clone().map(|name| (name, id)));
            }
            let clients = listing.clients.iter().map(|client| (client.integration_id, &client.address));
            let pending = listing.pending.iter().map(|client| (client.integration_id, &client.external_id));
            let at = |(integration, address)| AddressPartition::new(app, integration, address);
            remains.addresses.extend(clients.chain(pending).map(at));
            for merged in listing.merged {
                remains.names.extend(merged.user_id.map(|name| (name, id)));
                open.push(merged.id);
            }
            remains.ids.push(id);
            remains.listed.push(listing.keys);
        }
        Ok(remains)
    }

    /// All ids that a person bore: their own, and those of people who were merged into them.
    pub async fn ids_of(&self, app: AppId, person: AppUserId) -> Result<Vec<AppUserId>, StoreError> {
        Ok(self.remains(app, person).await?.ids)
    }

    /// Records first, the match last: while it is theirs, nobody else can come to own the address.
    async fn erase_address(
        &self,
        partition: &AddressPartition,
        leaving: &[AppUserId],
        now: Timestamp,
        budget: &mut Budget,
    ) -> Result<Progress, StoreError> {
        let (mut start, mut waits) = (None, false);
        loop {
            if budget.is_spent() {
                return Ok(Progress::More);
            }
            let (items, next) = self.page(&partition.pk, RECORDS, start).await?;
            // Read after the page: of an address that is nobody's even now, nothing on it is a next owner's.
            let holder = self.find_match(partition, true).await?.map(|item| item.result.app_user_id);
            let mut fates = Fates::default();
            for item in &items {
                fates.add(item, erasure::fate(TraceItem::of(item)?.trace(), leaving, holder, now));
            }
            self.fulfil(&fates, Fading::ContentAndPerson, budget).await?;
            waits |= fates.waits;
            budget.spend(2);
            start = next;
            if start.is_none() {
                break;
            }
        }
        if waits {
            return Ok(Progress::Waiting);
        }
        self.delete_if_theirs(&partition.link(), leaving).await?;
        self.delete_if_theirs(&partition.match_result(), leaving).await?;
        budget.spend(2);
        Ok(Progress::Done)
    }

    pub(super) async fn erase_listing(
        &self,
        app: AppId,
        id: AppUserId,
        budget: &mut Budget,
    ) -> Result<Progress, StoreError> {
        let UserPartition { pk, prefix } = UserPartition::new(app, id);
        self.erase_stretch(&pk, (&prefix, &format!("{prefix}~")), budget).await
    }

    /// If it leads to one of these.
    async fn delete_if_theirs(&self, key: &Key, ids: &[AppUserId]) -> Result<(), StoreError> {
        for ids in ids.chunks(LISTED_AT_ONCE) {
            let places: Vec<_> = (0..ids.len()).map(|place| format!(":id{place}")).collect();
            let theirs = Change::of(key, "").when(format!("appUserId IN ({})", places.join(", ")));
            let theirs = places.iter().zip(ids).fold(theirs, |change, (place, id)| change.value(place, id));
            self.commit(|| Transaction::new().delete(self, theirs.clone())).await?;
        }
        Ok(())
    }
}
