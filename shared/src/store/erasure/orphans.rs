//! What an integration that was deleted leaves with people: clients, and links that wait for an answer.
//!
//! Nothing lists the people of an integration, so they are found by a walk over all of the app's, page by page. Whoever
//! walks tells of each page first and then takes it away, so that a walk that dies is made again over what is left.

use crate::erasure::Walk;
use crate::ids::{AppId, AppUserId, IntegrationId};
use crate::linking::Link;
use crate::model::MatchResult;
use crate::store::people::listing::Listed;
use crate::store::table::keys::{self, AddressPartition, Key};
use crate::store::table::{Item, Page, Query};
use crate::store::{Store, StoreError};

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
        let shard = keys::user_shard(app, u8::try_from(walk.shard).unwrap_or(u8::MAX));
        let Page { items, last } = self.table.page(&Query::of(shard).after(walk.after.as_deref())).await?;
        let mut found = Orphans::default();
        for item in items {
            self.collect(app, integration, item, &mut found).await?;
        }
        let shard = if last.is_some() { walk.shard } else { walk.shard + 1 };
        Ok((found, (shard < keys::USER_SHARDS).then_some(Walk { shard, after: last })))
    }

    async fn collect(
        &self,
        app: AppId,
        integration: IntegrationId,
        item: Item,
        found: &mut Orphans,
    ) -> Result<(), StoreError> {
        let Some(key) = Key::of(&item) else { return Ok(()) };
        let mut parts = key.sk.splitn(4, '#');
        let (person, _, on) = (parts.next(), parts.next(), parts.next());
        let Some(person) = person.and_then(|id| id.parse::<AppUserId>().ok()) else { return Ok(()) };
        if on != Some(integration.to_string().as_str()) {
            return Ok(());
        }
        match Listed::read(item)? {
            Listed::Client(pointer) => {
                let holder = self.find_match(&AddressPartition::new(app, integration, &pointer.address)).await?;
                found.clients.extend(holder.map(|item| item.result).filter(|result| result.app_user_id == person));
            }
            Listed::Pending(client) => {
                let link = self.link(app, &client).await?;
                found.links.extend(link.filter(|link| link.app_user_id == person && link.is_open()));
            }
            Listed::User(_) | Listed::Merged(_) | Listed::Leaving(_) | Listed::Other => return Ok(()),
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
            self.table.delete(key).await?;
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
