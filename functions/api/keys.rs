//! Keys of apps and of service accounts: the same five operations, by their owner.

use lambda_http::{Body, Response};
use serde_json::{Value, json};
use shared::api::{Answer, Call, Operation};
use shared::auth;
use shared::gateway::{self, Refusal};
use shared::ids::KeyId;
use shared::model::{ApiError, ApiKey, ErrorCode, KeyOwner, NameBody};
use shared::store::{Creation, KEY_LIMIT};
use shared::system::{System, now};

use crate::context::Context;
use crate::service_accounts;

pub async fn list(context: &Context, call: &Call<'_>) -> Answer {
    let owner = owner(context, call).await?;
    let keys = context.store.keys_of(owner).await?;
    let keys: Vec<Value> = keys.iter().map(ApiKey::wire).collect();
    Ok(gateway::json(200, &json!({ "keys": keys })))
}

pub async fn create(context: &Context, call: &Call<'_>) -> Answer {
    let owner = owner(context, call).await?;
    let name = call.json::<NameBody>()?.required()?;
    let key = ApiKey::generate(&System, owner, Some(name));
    match context.store.create_key(&key).await? {
        Creation::Done => Ok(answer(201, &key)),
        Creation::Full => {
            let problem = format!("At most {KEY_LIMIT} keys are allowed; delete one that is not used");
            Err(ApiError::new(ErrorCode::BadRequest, problem).into())
        }
        Creation::NoOwner => Err(ownerless(owner).into()),
    }
}

pub async fn get(context: &Context, call: &Call<'_>) -> Answer {
    Ok(answer(200, &named(context, call).await?))
}

pub async fn delete(context: &Context, call: &Call<'_>) -> Answer {
    let owner = owner(context, call).await?;
    if !context.store.delete_key(owner, &key_id(call)?).await? {
        return Err(missing().into());
    }
    Ok(gateway::done())
}

/// A ready token, signed with the key.
pub async fn token(context: &Context, call: &Call<'_>) -> Answer {
    let key = named(context, call).await?;
    let now = now();
    let token = auth::issue_token(&key, now)
        .map_err(|error| ApiError::new(ErrorCode::InternalServerError, error.to_string()))?;
    Ok(gateway::json(200, &json!({ "jwt": token })))
}

/// Whose keys the path speaks of.
async fn owner(context: &Context, call: &Call<'_>) -> Result<KeyOwner, Refusal> {
    match call.operation {
        Operation::ListServiceAccountKeys
        | Operation::CreateServiceAccountKey
        | Operation::GetServiceAccountKey
        | Operation::DeleteServiceAccountKey
        | Operation::GetServiceAccountKeyJwt => {
            let found = service_accounts::named(context, call).await?;
            Ok(KeyOwner::ServiceAccount { account: found.account_id, id: found.id })
        }
        _ => Ok(KeyOwner::App(call.app()?)),
    }
}

async fn named(context: &Context, call: &Call<'_>) -> Result<ApiKey, Refusal> {
    let owner = owner(context, call).await?;
    Ok(context.store.key_of(owner, &key_id(call)?).await?.ok_or_else(missing)?)
}

fn key_id(call: &Call<'_>) -> Result<KeyId, ApiError> {
    call.id("keyId", ErrorCode::KeyNotFound)
}

fn answer(status: u16, key: &ApiKey) -> Response<Body> {
    gateway::json(status, &json!({ "key": key.wire() }))
}

fn missing() -> ApiError {
    ApiError::missing(ErrorCode::KeyNotFound)
}

fn ownerless(owner: KeyOwner) -> ApiError {
    ApiError::missing(match owner {
        KeyOwner::App(_) => ErrorCode::AppNotFound,
        KeyOwner::Account(_) | KeyOwner::ServiceAccount { .. } => ErrorCode::ServiceAccountNotFound,
    })
}
