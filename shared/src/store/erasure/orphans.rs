//! What an integration that was deleted leaves with people: clients, and links that wait for an answer.
//!
//! Nothing lists the people of an integration, so they are found by a walk over all of the app's, page by page. Whoever
//! walks tells of each page first and then takes it away, so that a walk that dies is made again over what is left.

use super::pages::{EVERYTHING, key_of};
use crate::erasure::Walk;
use crate::ids::{AppId, AppUserId, IntegrationId};
use crate::linking::Link;
use crate::model::{Client, MatchResult};
use crate::store::people::matches::ClientPointer;
use crate::store::table::keys::{self, AddressPartition, Key};
use crate::store::table::{Item, from_item};
use crate::store::{MatchItem, Store, StoreError};

/// Of one page of people.
#[derive(Debug, Default)]
pub struct Orphans {
    pub clients: Vec<MatchResult>,
    pub links: Vec<Link>,
    /// Listings of either.
    listed: Vec<Key>,
}

impl Store {
    /// One page of the walk, and where it goes on; `None` at its end.
    pub async fn orphans(
        &self,
        app: AppId,
        integration: IntegrationId,
        walk: &Walk,
    ) -> Result<(Orphans, Option<Walk>), StoreError> {
        let pk = keys::user_shard(app, u8::try_from(walk.shard).unwrap_or(u8::MAX));
        let start = walk.after.clone().map(|sk| Key { pk: pk.clone(), sk }.attributes());
        let (items, next) = self.page(&pk, EVERYTHING, start).await?;
        let mut found = Orphans::default();
        for item in items {
            self.collect(app, integration, item, &mut found).await?;
        }
        let after = next.as_ref().and_then(key_of).map(|key| key.sk);
        let shard = if after.is_some() { walk.shard } else { walk.shard + 1 };
        Ok((found, (shard < keys::USER_SHARDS).then_some(Walk { shard, after })))
    }

    async fn collect(
        &self,
        app: AppId,
        integration: IntegrationId,
        item: Item,
        found: &mut Orphans,
    ) -> Result<(), StoreError> {
        let Some(key) = key_of(&item) else { return Ok(()) };
        let mut parts = key.sk.splitn(4, '#');
        let (person, kind, on) = (parts.next(), parts.next(), parts.next());
        let Some(person) = person.and_then(|id| id.parse::<AppUserId>().ok()) else { return Ok(()) };
        if on != Some(integration.to_string().as_str()) {
            return Ok(());
        }
        match kind {
            Some("CLIENT") => {
                let pointer: ClientPointer = from_item("client", item)?;
                let partition = AddressPartition::new(app, integration, &pointer.address);
                let holder: Option<MatchItem> = self.find_match(&partition, true).await?;
                found.clients.extend(holder.map(|item| item.result).filter(|result| result.app_user_id == person));
            }
            Some("PENDING") => {
                let client: Client = from_item("pending client", item)?;
                let link = self.link(app, &client).await?;
                found.links.extend(link.filter(|link| link.app_user_id == person && link.is_open()));
            }
            _ => return Ok(()),
        }
        found.listed.push(key);
        Ok(())
    }

    /// Takes a page away: clients that are still theirs, links that are still open, and what listed them.
    pub async fn remove_orphans(&self, app: AppId, orphans: &Orphans) -> Result<(), StoreError> {
        for result in &orphans.clients {
            self.unlink(app, result.app_user_id, &result.client, None).await?;
        }
        for link in &orphans.links {
            self.fail_link(app, link, None).await?;
        }
        for key in &orphans.listed {
            self.delete(key).await?;
        }
        Ok(())
    }
}

impl Orphans {
    /// How many requests it takes to find them and to take them away.
    pub fn requests(&self) -> usize {
        1 + 3 * self.listed.len()
    }
}
