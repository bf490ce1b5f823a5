//! Service accounts, listed by their account.

use crate::ids::{AccountId, ServiceAccountId};
use crate::model::{KeyOwner, ServiceAccount};
use crate::store::table::keys;
use crate::store::table::transaction::Change;
use crate::store::{Store, StoreError};

const KIND: &str = "service account";

impl Store {
    pub async fn create_service_account(&self, new: &ServiceAccount) -> Result<(), StoreError> {
        self.put_if_absent(KIND, &keys::service_account(new.account_id, new.id), new).await?;
        Ok(())
    }

    pub async fn service_account(
        &self,
        account: AccountId,
        id: ServiceAccountId,
    ) -> Result<Option<ServiceAccount>, StoreError> {
        self.get_consistent(KIND, &keys::service_account(account, id)).await
    }

    /// All of an account, oldest first.
    pub async fn service_accounts(&self, account: AccountId) -> Result<Vec<ServiceAccount>, StoreError> {
        self.list(KIND, &keys::account_partition(account), keys::SERVICE_PREFIX, true).await
    }

    /// `None`: it is gone.
    pub async fn rename_service_account(
        &self,
        account: AccountId,
        id: ServiceAccountId,
        name: &str,
    ) -> Result<Option<ServiceAccount>, StoreError> {
        let update = Change::of(&keys::service_account(account, id), "SET #name = :name").when("attribute_exists(pk)");
        self.change(KIND, update.name("#name", "name").value(":name", &name)).await
    }

    /// With its keys. Apps linked to it stay. `false`: it is gone already.
    pub async fn delete_service_account(&self, account: AccountId, id: ServiceAccountId) -> Result<bool, StoreError> {
        self.delete_owner(KeyOwner::ServiceAccount { account, id }, None).await
    }
}
