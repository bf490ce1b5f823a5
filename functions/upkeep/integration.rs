//! An integration that was deleted: its profile's photos go, people lose their clients on it, and links that wait for an
//! answer there fail.
//!
//! Each page of people is told of first and taken away then. A step that dies in between tells it again, under the same
//! event ids.

use shared::batch::Later;
use shared::erasure::{Budget, Walk};
use shared::ids::{AppId, IntegrationId};
use shared::linking::Link;
use shared::model::{Failure, FailureCode, MatchResult, Timestamp};
use shared::store::{Orphans, StoreError};
use shared::system::now;
use shared::webhook::{Event, LinkStep, Who};

use crate::context::Context;

/// Where to go on; `None` when it is done. The task comes before the deletion: of one that is still there, nothing goes.
pub async fn erase(
    context: &Context,
    app: AppId,
    integration: IntegrationId,
    from: &Walk,
    budget: &mut Budget,
) -> Result<Option<Walk>, Later> {
    if context.store.integration_type(app, integration).await?.is_some() {
        return Ok(None);
    }
    context.files.delete_all_of_integration(app, integration).await?;
    let mut walk = from.clone();
    while !budget.is_spent() {
        let (orphans, next) = context.store.orphans(app, integration, &walk).await?;
        context.publisher.publish(&told(context, app, &orphans).await?).await?;
        context.store.remove_orphans(app, &orphans).await?;
        budget.spend(orphans.requests());
        match next {
            Some(next) => walk = next,
            None => return Ok(None),
        }
    }
    Ok(Some(walk))
}

async fn told(context: &Context, app: AppId, orphans: &Orphans) -> Result<Vec<Event>, StoreError> {
    let now = now();
    let removed =
        |result: &MatchResult| Event::client_removed(app, Who::at(result), &result.client.id.to_string(), "api", now);
    let mut events: Vec<Event> = orphans.clients.iter().map(removed).collect();
    for link in &orphans.links {
        events.extend(failed(context, app, link, now).await?);
    }
    Ok(events)
}

async fn failed(context: &Context, app: AppId, link: &Link, now: Timestamp) -> Result<Option<Event>, StoreError> {
    let failure = Failure {
        code: FailureCode::BadRequest,
        message: "The integration was deleted".into(),
        underlying_error: None,
    };
    let person = context.store.person_by_id(app, link.app_user_id).await?;
    let who = person.map(|person| Who::of(&person).by(&link.client, false));
    Ok(who.map(|who| Event::link(app, who, link, LinkStep::Failure(failure), now)))
}
