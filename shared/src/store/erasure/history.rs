//! A history that was deleted up to a moment: messages, and what notifications of that time left.
//!
//! Each page tells what files it shows before it is erased: files go before what leads to them.

use super::records::{Fading, Fates, TraceItem};
use crate::erasure::{self, Budget, Fate};
use crate::ids::{AppId, ConversationId, IntegrationId};
use crate::model::{Address, AppUser, Timestamp};
use crate::store::table::keys::{self, AddressPartition, Timed};
use crate::store::table::{Page, Query};
use crate::store::{Store, StoreError};

/// A stretch of one partition that the history lies in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HistoryPart(Query);

/// Some of its items.
#[derive(Debug)]
pub struct HistoryPage {
    /// What its messages show.
    pub media: Vec<String>,
    fates: Fates,
    /// The sort key after which the next page begins, if this is not the last one.
    pub last: Option<String>,
}

impl HistoryPart {
    /// All parts of what was said in these conversations, and sent to these addresses, until then.
    pub fn all(
        app: AppId,
        conversations: &[ConversationId],
        addresses: &[(IntegrationId, Address)],
        until: Timestamp,
    ) -> Vec<Self> {
        let part =
            |pk: String, what: Timed| Self(Query::of(pk).between(what.between(Timestamp::from_millis(0), until)));
        let said = conversations.iter().map(|id| part(keys::conversation_partition(app, *id), Timed::Message));
        let sent = addresses.iter().flat_map(|(integration, address)| {
            let pk = AddressPartition::new(app, *integration, address).pk;
            [part(pk.clone(), Timed::Notification), part(pk, Timed::Send)]
        });
        said.chain(sent).collect()
    }
}

impl Store {
    /// The page after a sort key, or the first.
    pub async fn history_page(
        &self,
        part: &HistoryPart,
        person: &AppUser,
        after: Option<&str>,
        now: Timestamp,
        budget: &mut Budget,
    ) -> Result<HistoryPage, StoreError> {
        budget.spend(1);
        let Page { items, last } = self.table.page(&part.0.clone().after(after)).await?;
        let mut page = HistoryPage { media: Vec::new(), fates: Fates::default(), last };
        for item in &items {
            let found = TraceItem::of(item)?;
            let fate = erasure::fate_with_messages(found.trace(), person, now);
            page.media.extend(found.media_url().filter(|_| fate != Fate::Stays).map(str::to_owned));
            page.fates.add(item, fate);
        }
        Ok(page)
    }

    pub async fn erase_history_page(&self, page: &HistoryPage, budget: &mut Budget) -> Result<(), StoreError> {
        self.fulfil(&page.fates, Fading::Content, budget).await
    }
}
