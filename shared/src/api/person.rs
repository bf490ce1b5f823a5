//! The person that a path names, as far as the caller may know them.

use super::call::{Api, Call};
use crate::auth::{self, Caller};
use crate::gateway::Refusal;
use crate::ids::AppId;
use crate::model::{ApiError, ErrorCode, Person};

impl Api {
    /// Somebody of the call's app. A person's own token reaches themselves only, by any name they have, those of people
    /// who were merged into them included; whether others exist it is not told.
    ///
    /// # Errors
    /// 404 `user_not_found`, or `not_found` where the path goes on behind somebody's name; 403 to a person for anybody else.
    pub async fn person(&self, call: &Call<'_>) -> Result<Person, Refusal> {
        let (app, named) = (call.app()?, call.text("userId"));
        let Caller::AppUser { user_id, .. } = &call.caller else {
            return match self.store().person(app, named).await? {
                Some(person) => Ok(person),
                None => Err(self.nobody(app, named).await?.into()),
            };
        };
        match self.store().person_by_name(app, user_id).await? {
            Some(own) if named == user_id || named == own.user.id.to_string() => Ok(own),
            Some(own) => match self.store().person(app, named).await? {
                Some(found) if found.user.id == own.user.id => Ok(own),
                Some(_) | None => Err(auth::forbidden().into()),
            },
            None if named == user_id => Err(ApiError::missing(ErrorCode::UserNotFound).into()),
            None => Err(auth::forbidden().into()),
        }
    }

    /// Behind somebody's name there may be words that are no path: that is not to say that they do not exist.
    async fn nobody(&self, app: AppId, named: &str) -> Result<ApiError, Refusal> {
        let Some((first, _)) = named.split_once('/') else { return Ok(ApiError::missing(ErrorCode::UserNotFound)) };
        Ok(match self.store().person(app, first).await? {
            Some(_) => ApiError::new(ErrorCode::NotFound, "There is nothing at this path, and no user of this userId"),
            None => ApiError::missing(ErrorCode::UserNotFound),
        })
    }
}
