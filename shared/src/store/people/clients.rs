//! A person's clients: taken away, and codes by which another device may become one.

use serde::{Deserialize, Serialize};

use crate::ids::{AppId, AppUserId};
use crate::model::{Client, Timestamp};
use crate::outbox::Mark;
use crate::store::table::keys::{self, AddressPartition, UserPartition};
use crate::store::table::{ItemChange, Transaction};
use crate::store::{Store, StoreError};
use crate::system;

/// How long an auth code can be used, in seconds.
const CODE_SECONDS: i64 = 600;

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
struct CodeItem {
    app_user_id: AppUserId,
    ttl: i64,
}

impl Store {
    /// Parts a client from its person: whoever writes from there next is somebody new. Nothing happens to one that is not
    /// theirs. `mark`: where something follows from it.
    pub async fn unlink(
        &self,
        app: AppId,
        user: AppUserId,
        client: &Client,
        mark: Option<Mark>,
    ) -> Result<(), StoreError> {
        let partition = AddressPartition::new(app, client.integration_id, &client.external_id);
        let pointer = UserPartition::new(app, user).client(client.integration_id, &client.external_id);
        let theirs = ItemChange::of(&partition.match_result()).when_is("appUserId", &user);
        let writes = Transaction::new().delete(theirs).delete(&pointer);
        self.table.commit(mark.into_iter().fold(writes, |writes, mark| writes.mark(app, mark))).await?;
        Ok(())
    }

    /// A code for a person's next device, and how it is spelled.
    pub async fn create_auth_code(&self, app: AppId, user: AppUserId, now: Timestamp) -> Result<String, StoreError> {
        let code = format!("ac_{}", hex::encode(system::random::<16>()));
        let item = CodeItem { app_user_id: user, ttl: now.plus_seconds(CODE_SECONDS).seconds() };
        self.table.put(&keys::auth_code(app, &code), &item).await?;
        Ok(code)
    }
}
