//! A person's clients: taken away, and codes by which another device may become one.

use serde::{Deserialize, Serialize};

use crate::ids::{AppId, AppUserId};
use crate::model::{Client, Timestamp};
use crate::outbox::Mark;
use crate::store::table::keys::{self, AddressPartition, UserPartition};
use crate::store::table::transaction::{Change, Transaction};
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
        let theirs = Change::of(&partition.match_result(), "").when("appUserId = :user").value(":user", &user);
        self.commit(|| {
            let writes = Transaction::new().delete(self, theirs.clone()).delete(self, Change::of(&pointer, ""));
            mark.into_iter().fold(writes, |writes, mark| writes.mark(self, app, mark))
        })
        .await?;
        Ok(())
    }

    /// A code for a person's next device, and how it is spelled.
    pub async fn create_auth_code(&self, app: AppId, user: AppUserId, now: Timestamp) -> Result<String, StoreError> {
        let code = format!("ac_{}", hex::encode(system::random::<16>()));
        let item = CodeItem { app_user_id: user, ttl: now.plus_seconds(CODE_SECONDS).seconds() };
        self.put("auth code", &keys::auth_code(app, &code), &item).await?;
        Ok(code)
    }
}
