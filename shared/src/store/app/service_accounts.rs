//! Service accounts, listed by their account.

use crate::ids::{AccountId, ServiceAccountId};
use crate::model::{KeyOwner, ServiceAccount};
use crate::store::table::{ItemChange, Query, keys};
use crate::store::{Store, StoreError};

impl Store {
    pub async fn create_service_account(&self, new: &ServiceAccount) -> Result<(), StoreError> {
        self.table.put(ItemChange::of(&keys::service_account(new.account_id, new.id)).when_absent(), new).await?;
        Ok(())
    }

    pub async fn service_account(
        &self,
        account: AccountId,
        id: ServiceAccountId,
    ) -> Result<Option<ServiceAccount>, StoreError> {
        self.table.get(&keys::service_account(account, id)).await
    }

    /// All of an account, oldest first.
    pub async fn service_accounts(&self, account: AccountId) -> Result<Vec<ServiceAccount>, StoreError> {
        self.table.query(Query::of(keys::account_partition(account)).under(keys::SERVICE_PREFIX)).await
    }

    /// `None`: it is gone.
    pub async fn rename_service_account(
        &self,
        account: AccountId,
        id: ServiceAccountId,
        name: &str,
    ) -> Result<Option<ServiceAccount>, StoreError> {
        let update = ItemChange::of(&keys::service_account(account, id)).set("name", name).when_there();
        Ok(self.table.update(update).await?.read()?.done())
    }

    /// With its keys. Apps linked to it stay. `false`: it is gone already.
    pub async fn delete_service_account(&self, account: AccountId, id: ServiceAccountId) -> Result<bool, StoreError> {
        self.delete_owner(KeyOwner::ServiceAccount { account, id }, None).await
    }
}
