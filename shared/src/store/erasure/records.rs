//! What is left of something sent when it is erased: its claim, for as long as the task that sent it may come back.

use serde::Deserialize;
use serde_json::{Map, Value};

use crate::erasure::{Budget, Fate, Trace};
use crate::ids::AppUserId;
use crate::model::{SendState, Timestamp};
use crate::store::table::keys::{Key, TTL};
use crate::store::table::{Item, ItemChange, from_item};
use crate::store::{Store, StoreError};

/// What a message, a record of something sent, or a reply's marker says that decides over it.
#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(in crate::store) struct TraceItem {
    state: Option<SendState>,
    accepted: Option<Timestamp>,
    sent: Option<Timestamp>,
    ended: Option<Timestamp>,
    /// Unix milliseconds.
    deadline: Option<i64>,
    match_result: Option<Named>,
    message: Map<String, Value>,
    /// Unix seconds.
    ttl: Option<i64>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Named {
    app_user_id: AppUserId,
}

impl TraceItem {
    pub fn of(item: &Item) -> Result<Self, StoreError> {
        from_item(item.clone())
    }

    /// Where the file lies that it shows.
    pub fn media_url(&self) -> Option<&str> {
        self.message.get("mediaUrl")?.as_str()
    }

    pub fn trace(&self) -> Trace {
        let claimed = self.deadline.map(Timestamp::from_millis);
        let moments = [self.accepted, claimed, self.sent, self.ended];
        Trace {
            // A message, or a reply's marker, has no state: nothing more becomes of it.
            state: self.state.unwrap_or(SendState::Delivered),
            last: moments.into_iter().flatten().max().unwrap_or(Timestamp::from_millis(0)),
            ends: Timestamp::from_millis(self.ttl.map_or(i64::MAX, |ttl| ttl.saturating_mul(1000))),
            person: self.match_result.as_ref().map(|named| named.app_user_id),
            has_content: !self.message.is_empty(),
        }
    }
}

/// What a record that fades loses.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::store) enum Fading {
    /// What was sent.
    Content,
    /// And to whom. The address stays: it is the record's key.
    ContentAndPerson,
}

/// What becomes of some items.
#[derive(Debug, Default)]
pub(in crate::store) struct Fates {
    gone: Vec<Key>,
    faded: Vec<(Key, Timestamp)>,
    /// Whether a send is under way.
    pub waits: bool,
}

impl Fates {
    pub fn add(&mut self, item: &Item, fate: Fate) {
        match fate {
            Fate::Goes => self.gone.extend(Key::of(item)),
            Fate::Stays => {}
            Fate::Waits => self.waits = true,
            Fate::Fades { until } => self.faded.extend(Key::of(item).map(|key| (key, until))),
        }
    }
}

impl Store {
    pub(in crate::store) async fn fulfil(
        &self,
        fates: &Fates,
        fading: Fading,
        budget: &mut Budget,
    ) -> Result<(), StoreError> {
        budget.spend(self.table.delete_all(&fates.gone).await?);
        for (key, until) in &fates.faded {
            budget.spend(1);
            self.table.update(faded(key, *until, fading)).await?;
        }
        Ok(())
    }
}

fn faded(key: &Key, until: Timestamp, fading: Fading) -> ItemChange {
    let faded = ItemChange::of(key)
        .set("message", &Map::<String, Value>::new())
        .set("hidden", &true)
        .set(TTL, &until.seconds())
        .remove("author")
        .when_there();
    match fading {
        Fading::Content => faded,
        Fading::ContentAndPerson => faded.remove("matchResult").remove("answeredBy"),
    }
}
