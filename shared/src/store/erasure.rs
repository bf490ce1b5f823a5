//! Taking things away for good, in steps: whatever dies half-way is done again from what is left.
//!
//! Order matters. What leads to other items goes last: an address's match after its records, a person's listing after
//! everything it points to, an app's own partition after its people.

use std::collections::BTreeSet;

use aws_sdk_dynamodb::types::{AttributeValue, DeleteRequest, WriteRequest};
use serde::Deserialize;

use super::keys::{self, AddressPartition, Key, UserPartition};
use super::merges::MergedPointer;
use super::transaction::{Change, TRIES, Transaction, back_off};
use super::{Item, Store, StoreError, StoredMessage, aws_error, from_item};
use crate::flow::erasure::{self, Budget, Fate, Progress, Trace};
use crate::ids::{AppId, AppUserId, ConversationId, IntegrationId};
use crate::model::{Address, SendState, Timestamp};

/// DynamoDB's limit of a batch.
const BATCH_LIMIT: usize = 25;
/// Items read at once, and then deleted in a few batches.
const PAGE: i32 = 250;
/// Records sort behind the match, and everything in a partition before this.
const RECORDS: (&str, &str) = ("N", "~");

/// A person to be erased, and all that was known to be theirs when they were deleted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ErasedPerson {
    pub id: AppUserId,
    pub user_id: Option<String>,
    pub conversations: Vec<ConversationId>,
    pub addresses: Vec<ErasedAddress>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ErasedAddress {
    pub integration: IntegrationId,
    pub address: Address,
}

/// What decides over a record.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct TraceItem {
    #[serde(default)]
    state: Option<SendState>,
    #[serde(default)]
    accepted: Option<Timestamp>,
    #[serde(default)]
    match_result: Option<Named>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Named {
    app_user_id: AppUserId,
}

impl Store {
    /// Everything of an app that is deleted, from a shard of its people on. Where to go on, if it is not done:
    /// [`keys::USER_SHARDS`] when only the app's own partition is left.
    pub async fn erase_app(&self, app: AppId, from: u16, budget: &mut Budget) -> Result<Option<u16>, StoreError> {
        for shard in from..keys::USER_SHARDS {
            let shard_number = u8::try_from(shard).unwrap_or(u8::MAX);
            if self.erase_shard(app, shard_number, budget).await? != Progress::Done {
                return Ok(Some(shard));
            }
        }
        match self.erase_settings(app, budget).await? {
            Progress::Done => Ok(None),
            Progress::More | Progress::Waiting => Ok(Some(keys::USER_SHARDS)),
        }
    }

    /// The app's own partition: integrations, webhooks, templates, menus.
    pub async fn erase_settings(&self, app: AppId, budget: &mut Budget) -> Result<Progress, StoreError> {
        self.erase_partition(&keys::app_partition(app), "", budget).await
    }

    async fn erase_shard(&self, app: AppId, shard: u8, budget: &mut Budget) -> Result<Progress, StoreError> {
        let pk = keys::user_shard(app, shard);
        loop {
            if budget.is_spent() {
                return Ok(Progress::More);
            }
            budget.spend(1);
            let (items, _) = self.page(&pk, ("", "~"), None).await?;
            if items.is_empty() {
                return Ok(Progress::Done);
            }
            for id in people(&items) {
                budget.spend(2);
                let person = self.erased_person(app, id).await?;
                if self.erase_everything(app, &person, budget).await? != Progress::Done {
                    return Ok(Progress::More);
                }
            }
        }
    }

    /// Of a deleted app: nobody is left to whom an address could belong by now.
    async fn erase_everything(
        &self,
        app: AppId,
        person: &ErasedPerson,
        budget: &mut Budget,
    ) -> Result<Progress, StoreError> {
        for at in &person.addresses {
            let partition = AddressPartition::new(app, at.integration, &at.address);
            if self.erase_partition(&partition.pk, "", budget).await? != Progress::Done {
                return Ok(Progress::More);
            }
        }
        self.erase_own(app, person, budget).await
    }

    /// A person, however much of them is left.
    pub async fn erase_person(
        &self,
        app: AppId,
        person: &ErasedPerson,
        now: Timestamp,
        budget: &mut Budget,
    ) -> Result<Progress, StoreError> {
        let mut progress = Progress::Done;
        for at in &person.addresses {
            let partition = AddressPartition::new(app, at.integration, &at.address);
            progress = progress.max(self.erase_address(&partition, person.id, now, budget).await?);
        }
        match progress {
            Progress::Done => self.erase_own(app, person, budget).await,
            progress => Ok(progress),
        }
    }

    /// What is the person's beyond their addresses.
    async fn erase_own(&self, app: AppId, person: &ErasedPerson, budget: &mut Budget) -> Result<Progress, StoreError> {
        for conversation in &person.conversations {
            let pk = keys::conversation_partition(app, *conversation);
            if self.erase_partition(&pk, "", budget).await? != Progress::Done {
                return Ok(Progress::More);
            }
        }
        // The last merged first: what leads to somebody goes after them.
        for (into, merged) in self.merged_into(app, person.id).await?.into_iter().rev() {
            self.erase_name(app, merged.user_id.as_deref(), into, budget).await?;
            let listing = UserPartition::new(app, merged.id);
            if self.erase_partition(&listing.pk, &listing.prefix, budget).await? != Progress::Done {
                return Ok(Progress::More);
            }
        }
        self.erase_name(app, person.user_id.as_deref(), person.id, budget).await?;
        let listing = UserPartition::new(app, person.id);
        self.erase_partition(&listing.pk, &listing.prefix, budget).await
    }

    /// A name may be borne by somebody else by now.
    async fn erase_name(
        &self,
        app: AppId,
        user_id: Option<&str>,
        bearer: AppUserId,
        budget: &mut Budget,
    ) -> Result<(), StoreError> {
        let Some(user_id) = user_id else { return Ok(()) };
        budget.spend(1);
        self.delete_if_theirs(&keys::user_name(app, user_id), bearer).await
    }

    /// Everybody who was merged into a person, each with whom they were merged into; the nearest first.
    async fn merged_into(&self, app: AppId, person: AppUserId) -> Result<Vec<(AppUserId, MergedPointer)>, StoreError> {
        let (mut found, mut open) = (Vec::new(), vec![person]);
        while let Some(into) = open.pop() {
            for merged in self.listing(app, into).await?.merged {
                open.push(merged.id);
                found.push((into, merged));
            }
        }
        Ok(found)
    }

    /// All ids that a person had: their own, and those of people who were merged into them.
    pub async fn ids_of(&self, app: AppId, person: AppUserId) -> Result<Vec<AppUserId>, StoreError> {
        let merged = self.merged_into(app, person).await?;
        Ok([person].into_iter().chain(merged.into_iter().map(|(_, merged)| merged.id)).collect())
    }

    /// Records first, the match last: while it is theirs, nobody else can come to own the address.
    async fn erase_address(
        &self,
        partition: &AddressPartition,
        leaving: AppUserId,
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
            let (mut gone, mut page_waits) = (Vec::new(), false);
            for item in &items {
                match fate_of(item, leaving, holder, now)? {
                    Fate::Goes => gone.extend(key_of(item)),
                    Fate::Stays => {}
                    Fate::Waits => page_waits = true,
                }
            }
            waits |= page_waits;
            self.delete_all(&gone, budget).await?;
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

    /// What the messages up to a moment show.
    pub async fn media_until(
        &self,
        app: AppId,
        conversations: &[ConversationId],
        until: Timestamp,
        budget: &mut Budget,
    ) -> Result<Vec<String>, StoreError> {
        let (from, to) = keys::between("MESSAGE", Timestamp::from_millis(0), until);
        let mut found = Vec::new();
        for conversation in conversations {
            let pk = keys::conversation_partition(app, *conversation);
            let mut start = None;
            loop {
                budget.spend(1);
                let (items, next) = self.page(&pk, (&from, &to), start).await?;
                for item in items {
                    let stored: StoredMessage = from_item("message", item)?;
                    found.extend(stored.message.media_url);
                }
                start = next;
                if start.is_none() {
                    break;
                }
            }
        }
        Ok(found)
    }

    /// Messages of conversations up to a moment, and what notifications of that time left at these addresses.
    pub async fn erase_messages(
        &self,
        app: AppId,
        conversations: &[ConversationId],
        addresses: &[ErasedAddress],
        until: Timestamp,
        budget: &mut Budget,
    ) -> Result<Progress, StoreError> {
        let beginning = Timestamp::from_millis(0);
        let everything = |_: &Item| Ok(true);
        let ended = |item: &Item| {
            let trace: TraceItem = from_item("send record", item.clone())?;
            Ok(trace.state.is_none_or(erasure::goes_with_messages))
        };
        for conversation in conversations {
            let pk = keys::conversation_partition(app, *conversation);
            let (from, to) = keys::between("MESSAGE", beginning, until);
            if self.erase_range(&pk, (&from, &to), everything, budget).await? != Progress::Done {
                return Ok(Progress::More);
            }
        }
        for at in addresses {
            let pk = AddressPartition::new(app, at.integration, &at.address).pk;
            for kind in ["NOTIFICATION", "SEND"] {
                let (from, to) = keys::between(kind, beginning, until);
                if self.erase_range(&pk, (&from, &to), ended, budget).await? != Progress::Done {
                    return Ok(Progress::More);
                }
            }
        }
        Ok(Progress::Done)
    }

    /// Reads a person of a deleted app as their listing has them.
    async fn erased_person(&self, app: AppId, id: AppUserId) -> Result<ErasedPerson, StoreError> {
        let listing = self.listing(app, id).await?;
        let user = listing.profile();
        let pointers = listing.clients.iter().map(|pointer| (pointer.integration_id, pointer.address.clone()));
        let pending = listing.pending.iter().map(|client| (client.integration_id, client.external_id.clone()));
        let at = |(integration, address)| ErasedAddress { integration, address };
        Ok(ErasedPerson {
            id,
            user_id: user.and_then(|user| user.user_id.clone()),
            conversations: user.map(|user| user.conversations()).unwrap_or_default(),
            addresses: pointers.chain(pending).map(at).collect(),
        })
    }

    async fn erase_partition(&self, pk: &str, prefix: &str, budget: &mut Budget) -> Result<Progress, StoreError> {
        let to = format!("{prefix}~");
        self.erase_range(pk, (prefix, &to), |_| Ok(true), budget).await
    }

    async fn erase_range(
        &self,
        pk: &str,
        range: (&str, &str),
        goes: impl Fn(&Item) -> Result<bool, StoreError>,
        budget: &mut Budget,
    ) -> Result<Progress, StoreError> {
        let mut start = None;
        loop {
            if budget.is_spent() {
                return Ok(Progress::More);
            }
            budget.spend(1);
            let (items, next) = self.page(pk, range, start).await?;
            let mut gone = Vec::new();
            for item in &items {
                if goes(item)? {
                    gone.extend(key_of(item));
                }
            }
            self.delete_all(&gone, budget).await?;
            start = next;
            if start.is_none() {
                return Ok(Progress::Done);
            }
        }
    }

    async fn page(
        &self,
        pk: &str,
        (from, to): (&str, &str),
        start: Option<Item>,
    ) -> Result<(Vec<Item>, Option<Item>), StoreError> {
        let request = self.client.query().table_name(&self.table);
        let text = |text: &str| AttributeValue::S(text.to_owned());
        // An empty text is no sort key; everything sorts behind a blank.
        let from = if from.is_empty() { " " } else { from };
        let output = request
            .key_condition_expression("pk = :pk AND sk BETWEEN :from AND :to")
            .expression_attribute_values(":pk", text(pk))
            .expression_attribute_values(":from", text(from))
            .expression_attribute_values(":to", text(to))
            .consistent_read(true)
            .limit(PAGE)
            .set_exclusive_start_key(start)
            .send()
            .await
            .map_err(aws_error("Query"))?;
        Ok((output.items.unwrap_or_default(), output.last_evaluated_key))
    }

    /// In batches; what DynamoDB leaves undone is asked for again.
    async fn delete_all(&self, keys: &[Key], budget: &mut Budget) -> Result<(), StoreError> {
        for batch in keys.chunks(BATCH_LIMIT) {
            let mut left: Vec<_> = batch.iter().filter_map(deletion).collect();
            for attempt in 0..TRIES {
                budget.spend(1);
                let request = self.client.batch_write_item().request_items(&self.table, left);
                let output = request.send().await.map_err(aws_error("BatchWriteItem"))?;
                left = output.unprocessed_items.into_iter().flatten().flat_map(|(_, left)| left).collect();
                if left.is_empty() {
                    break;
                }
                back_off(attempt).await;
            }
            if !left.is_empty() {
                return Err(StoreError::Contended);
            }
        }
        Ok(())
    }

    async fn delete_if_theirs(&self, key: &Key, person: AppUserId) -> Result<(), StoreError> {
        let item = || Change::of(key, "").when("appUserId = :person").value(":person", &person);
        self.commit(|| Transaction::new().delete(self, item())).await?;
        Ok(())
    }
}

fn fate_of(item: &Item, leaving: AppUserId, holder: Option<AppUserId>, now: Timestamp) -> Result<Fate, StoreError> {
    let TraceItem { state, accepted, match_result } = from_item("send record", item.clone())?;
    let trace = Trace {
        // A reply's marker has no state: nothing more becomes of it.
        state: state.unwrap_or(SendState::Delivered),
        accepted: accepted.unwrap_or(Timestamp::from_millis(0)),
        person: match_result.map(|named| named.app_user_id),
    };
    Ok(erasure::fate(trace, leaving, holder, now))
}

/// Whose listings these items are of.
fn people(items: &[Item]) -> BTreeSet<AppUserId> {
    let id = |item: &Item| item.get(keys::SK)?.as_s().ok()?.split('#').next()?.parse().ok();
    items.iter().filter_map(id).collect()
}

fn key_of(item: &Item) -> Option<Key> {
    let text = |name| item.get(name)?.as_s().ok().cloned();
    Some(Key { pk: text(keys::PK)?, sk: text(keys::SK)? })
}

fn deletion(key: &Key) -> Option<WriteRequest> {
    let request = DeleteRequest::builder().set_key(Some(key.attributes())).build().ok()?;
    Some(WriteRequest::builder().delete_request(request).build())
}
