//! What is listed under a person's id: the profile, and what leads to all else that is theirs.

use super::matches::ClientPointer;
use super::merges::MergedPointer;
use super::users::UserItem;
use crate::ids::{AppId, AppUserId, IntegrationId};
use crate::model::{Address, Client, ClientStatus};
use crate::store::erasure::Leaving;
use crate::store::table::keys::{AddressPartition, Key, UserPartition};
use crate::store::table::{Item, Query, from_item};
use crate::store::{Store, StoreError};

/// One item of a listing.
pub(in crate::store) enum Listed {
    User(UserItem),
    Client(ClientPointer),
    /// Of a link that waits.
    Pending(Client),
    Merged(MergedPointer),
    Leaving(Box<Leaving>),
    /// What leads nowhere.
    Other,
}

/// All that a query over a listing found.
#[derive(Default)]
pub(in crate::store) struct Listing {
    pub user: Option<UserItem>,
    pub clients: Vec<ClientPointer>,
    pub pending: Vec<Client>,
    pub merged: Vec<MergedPointer>,
}

impl Listed {
    pub fn read(item: Item) -> Result<Self, StoreError> {
        let key = Key::of(&item);
        Ok(match key.as_ref().map_or("", Key::kind) {
            "USER" => Self::User(from_item(item)?),
            "CLIENT" => Self::Client(from_item(item)?),
            "PENDING" => Self::Pending(Client { status: ClientStatus::Pending, ..from_item(item)? }),
            "MERGED" => Self::Merged(from_item(item)?),
            "LEAVING" => Self::Leaving(from_item(item)?),
            _ => Self::Other,
        })
    }

    /// The address that it points to, if it does to any.
    pub fn address(&self, app: AppId) -> Option<AddressPartition> {
        let at = |integration: IntegrationId, address: &Address| AddressPartition::new(app, integration, address);
        match self {
            Self::Client(pointer) => Some(at(pointer.integration_id, &pointer.address)),
            Self::Pending(client) => Some(at(client.integration_id, &client.external_id)),
            Self::User(_) | Self::Merged(_) | Self::Leaving(_) | Self::Other => None,
        }
    }
}

impl Store {
    pub(in crate::store) async fn listing(&self, app: AppId, id: AppUserId) -> Result<Listing, StoreError> {
        let mut listing = Listing::default();
        for item in self.table.items(listed(app, id)).await? {
            match Listed::read(item)? {
                Listed::User(user) => listing.user = Some(user),
                Listed::Client(pointer) => listing.clients.push(pointer),
                Listed::Pending(client) => listing.pending.push(client),
                Listed::Merged(pointer) => listing.merged.push(pointer),
                Listed::Leaving(_) | Listed::Other => {}
            }
        }
        Ok(listing)
    }
}

pub(in crate::store) fn listed(app: AppId, id: AppUserId) -> Query {
    let UserPartition { pk, prefix } = UserPartition::new(app, id);
    Query::of(pk).under(prefix)
}
