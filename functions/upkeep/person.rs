//! A person who is deleted: hidden, told of, and erased, with their files.

use shared::batch::Later;
use shared::erasure::{Budget, PersonStage, PersonWalk};
use shared::ids::{AppId, AppUserId};
use shared::store::Walked;
use shared::system::now;
use shared::tasks::Work;
use shared::webhook::Event;

use crate::context::{Context, Next};

/// Seconds until a send that is under way is looked at again.
const PATIENCE: u32 = 300;
/// A send is waited for a day, and looked at every five minutes: whoever waits for longer waits in vain.
const ROUNDS: u16 = 300;

pub async fn erase(
    context: &Context,
    app: AppId,
    user: AppUserId,
    told: bool,
    walk: &PersonWalk,
    budget: &mut Budget,
) -> Result<Next, Later> {
    let store = &context.store;
    if !told {
        let bearer = store.hide_user(app, user, now()).await?;
        if bearer != user {
            let walk = PersonWalk::default();
            return Ok(Next::Again(Work::EraseUser { user: bearer, told: false, walk }, 0));
        }
    }
    let Some(leaving) = store.leaving(app, user).await? else { return Ok(Next::Nothing) };
    if !told {
        let event = Event::user_deleted(app, leaving.person.clone(), leaving.deleted);
        context.publisher.publish(&[event]).await?;
    }
    let mut walk = walk.clone();
    let ids = leaving.person.user.ids();
    while walk.stage == PersonStage::Files && !budget.is_spent() {
        match ids.get(walk.place) {
            Some(id) => {
                context.files.delete_all_of_person(app, *id).await?;
                budget.spend(1);
                walk.move_on();
            }
            None => walk.enter(PersonStage::Addresses),
        }
    }
    let rest = |walk| Work::EraseUser { user, told: true, walk };
    match store.erase_person(app, &leaving, walk, now(), budget).await? {
        Walked::Done => Ok(Next::Nothing),
        Walked::More(walk) => Ok(Next::Again(rest(walk), 0)),
        Walked::Waiting(walk) if walk.rounds > ROUNDS => Err(Later::because("a send of the person's never ends")),
        Walked::Waiting(walk) => Ok(Next::Again(rest(walk), PATIENCE)),
    }
}
