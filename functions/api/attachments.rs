//! Attachments: files taken in for messages, and removed. [`crate::media`] hands them out.

use serde::Deserialize;
use serde_json::json;
use shared::api::{Answer, Call, multipart};
use shared::files::File;
use shared::gateway::{self, Refusal};
use shared::ids::AppId;
use shared::model::{ApiError, ErrorCode, FileKey, FileOwner};
use shared::store::Store;
use shared::system::System;

use crate::context::Context;

/// `POST …/attachments`
pub async fn upload(context: &Context, call: &Call<'_>) -> Answer {
    let app = call.app()?;
    let wanted = Wanted::of(|name| call.query(name))?;
    let upload = multipart::upload(call.request()).await?;
    let owner = owner(&context.store, app, wanted).await?;
    let key = FileKey::generate(&System, app, owner, upload.name);
    let media_type = upload.media_type.clone();
    context.files.put(&key, File { media_type: upload.media_type, bytes: upload.bytes }).await?;
    Ok(gateway::json(201, &json!({ "mediaUrl": key.url(&context.public_url), "mediaType": media_type.as_str() })))
}

async fn owner(store: &Store, app: AppId, wanted: Wanted) -> Result<FileOwner, Refusal> {
    let Wanted::For(person) = wanted else { return Ok(FileOwner::App) };
    match store.person(app, &person).await? {
        Some(person) => Ok(FileOwner::Person(person.user.id)),
        None => Err(ApiError::missing(ErrorCode::UserNotFound).into()),
    }
}

/// For whom a file is meant.
#[derive(Debug, PartialEq)]
enum Wanted {
    ForAnyMessage,
    /// A person, by `_id` or `userId`: the file ends with them.
    For(String),
}

impl Wanted {
    fn of(query: impl Fn(&str) -> Option<String>) -> Result<Self, ApiError> {
        if query("access").as_deref() != Some("public") {
            return Err(ApiError::field("access", "must be public: the query says who may fetch the file"));
        }
        let person = query("appUserId").or_else(|| query("userId"));
        match (query("for").as_deref(), person) {
            (None | Some("message"), Some(person)) => Ok(Self::For(person)),
            (None, None) => Ok(Self::ForAnyMessage),
            (Some("message"), None) => Err(ApiError::field("appUserId", "or userId is required where for is message")),
            (Some(_), _) => Err(ApiError::field("for", "must be message, or be left out")),
        }
    }
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Removal {
    media_url: Option<String>,
}

/// `POST …/attachments/remove`. What is gone already is removed.
pub async fn remove(context: &Context, call: &Call<'_>) -> Answer {
    let app = call.app()?;
    let Removal { media_url } = call.json()?;
    let url = media_url.ok_or_else(|| ApiError::field("mediaUrl", "is required"))?;
    let key = FileKey::of_url(&url, &context.public_url).filter(|key| key.app_id == app);
    let key =
        key.ok_or_else(|| ApiError::new(ErrorCode::NotFound, "mediaUrl is the address of no file of this app"))?;
    context.files.delete(&key).await?;
    Ok(gateway::done())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn wanted(pairs: &[(&str, &str)]) -> Result<Wanted, String> {
        let find = |name: &str| pairs.iter().find(|(key, _)| *key == name).map(|(_, value)| (*value).to_owned());
        Wanted::of(find).map_err(|error| error.description)
    }

    #[test]
    fn the_query_says_for_whom_a_file_is_meant() {
        let public = ("access", "public");
        assert_eq!(wanted(&[public]), Ok(Wanted::ForAnyMessage));
        assert_eq!(wanted(&[public, ("for", "message"), ("userId", "bob")]), Ok(Wanted::For("bob".into())));
        assert_eq!(wanted(&[public, ("appUserId", "a"), ("userId", "bob")]), Ok(Wanted::For("a".into())));
        let refused: [(&[(&str, &str)], &str); 4] = [
            (&[], "access"),
            (&[("access", "private")], "access"),
            (&[public, ("for", "message")], "appUserId"),
            (&[public, ("for", "avatar"), ("userId", "bob")], "for"),
        ];
        for (query, field) in refused {
            assert!(wanted(query).unwrap_err().starts_with(field), "{query:?}");
        }
    }
}
