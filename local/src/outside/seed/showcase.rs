//! What the examples of the API's description name, in the first demo app: its own ids, two people, a message with a
//! button, and one of each setting that an example changes. So whoever opens `/docs` can send every example as it
//! stands.
//!
//! Ids are the same in every engine, and written in `openapi/` too; keys never are.

use serde_json::{Value, json};
use shared::ids::{AccountId, AppId};
use shared::model::{ApiError, AppUser, Integration, Role, ServiceAccount, Template, Timestamp};
use shared::outbox::Mark;
use shared::store::{Store, StoreError, StoredMessage};
use shared::system::System;

/// The first four bytes of an id are its second: this one's, 2026-01-01T00:00:00Z.
const BEGUN: Timestamp = Timestamp::from_millis(1_767_225_600_000);

/// Numbers of [`example`]s.
pub const APP: u8 = 1;
pub const WEBHOOK: u8 = 4;

fn text(number: u8) -> String {
    format!("6955b9000000000000000{number:03x}")
}

/// The id of what the examples name.
pub fn example<T: std::str::FromStr>(number: u8) -> Option<T> {
    text(number).parse().ok()
}

#[derive(Debug, thiserror::Error)]
pub enum ShowcaseError {
    #[error(transparent)]
    Store(#[from] StoreError),
    #[error("it is malformed: {0}")]
    Json(#[from] serde_json::Error),
    #[error("it is malformed: {0:?}")]
    Refused(ApiError),
}

/// Puts into the demo app what it lacks of the examples' things.
pub async fn set_up(store: &Store, app: AppId, account: AccountId) -> Result<(), ShowcaseError> {
    let lea: AppUser = serde_json::from_value(person(5, "lea", "Lea", 7))?;
    let sam: AppUser = serde_json::from_value(person(6, "sam", "Sam", 8))?;
    store.create_user(app, &lea).await?;
    store.create_user(app, &sam).await?;
    let question = StoredMessage { message: serde_json::from_value(question())?, ttl: None, to: Vec::new() };
    store.post(app, &lea, Role::AppMaker, &[question], Mark::new(&System, lea.conversation_id), BEGUN).await?;
    let whatsapp = json!({ "type": "whatsapp", "deploymentId": text(0x10) });
    let whatsapp = Integration::create(&System, app, &whatsapp).map_err(ShowcaseError::Refused)?;
    store.put_integration(&Integration { id: example(9).unwrap_or(whatsapp.id), ..whatsapp }).await?;
    let template: Template = serde_json::from_value(json!({
        "_id": text(0xa), "name": "welcome", "message": { "type": "text", "text": "Welcome to the tea house" }
    }))?;
    store.create_template(app, &template).await?;
    let support = ServiceAccount::new(&System, account, "Support".into());
    store.create_service_account(&ServiceAccount { id: example(0xb).unwrap_or(support.id), ..support }).await?;
    Ok(())
}

fn person(number: u8, user_id: &str, given_name: &str, conversation: u8) -> Value {
    json!({
        "_id": text(number), "userId": user_id, "givenName": given_name, "signedUp": BEGUN,
        "conversationId": text(conversation), "conversationStarted": false,
    })
}

fn question() -> Value {
    json!({
        "_id": text(0xc), "type": "text", "role": "appMaker", "text": "Another cup?", "authorId": text(0xd),
        "name": "Nadia", "received": BEGUN, "source": { "type": "api" },
        "actions": [{ "_id": text(0xe), "type": "postback", "text": "Yes, please", "payload": "YES" }],
    })
}
