//! A history that was deleted up to a moment: messages, and what notifications of that time left.
//!
//! Each page tells what files it shows before it is erased: files go before what leads to them.

use super::records::{Fading, Fates, TraceItem};
use crate::flow::erasure::{self, Budget, Fate};
use crate::ids::{AppId, ConversationId, IntegrationId};
use crate::model::{Address, AppUser, Timestamp};
use crate::store::keys::{self, AddressPartition};
use crate::store::{Item, Store, StoreError};

/// A stretch of one partition that the history lies in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HistoryPart {
    pk: String,
    from: String,
    to: String,
}

/// Some of its items.
#[derive(Debug)]
pub struct HistoryPage {
    /// What its messages show.
    pub media: Vec<String>,
    fates: Fates,
    next: Option<Item>,
}

impl HistoryPart {
    /// All parts of what was said in these conversations, and sent to these addresses, until then.
    pub fn all(
        app: AppId,
        conversations: &[ConversationId],
        addresses: &[(IntegrationId, Address)],
        until: Timestamp,
    ) -> Vec<Self> {
        let part = |pk: String, kind: &str| {
            let (from, to) = keys::between(kind, Timestamp::from_millis(0), until);
            Self { pk, from, to }
        };
        let said = conversations.iter().map(|id| part(keys::conversation_partition(app, *id), "MESSAGE"));
        let sent = addresses.iter().flat_map(|(integration, address)| {
            let pk = AddressPartition::new(app, *integration, address).pk;
            [part(pk.clone(), "NOTIFICATION"), part(pk, "SEND")]
        });
        said.chain(sent).collect()
    }
}

impl HistoryPage {
    pub fn is_last(&self) -> bool {
        self.next.is_none()
    }
}

impl Store {
    /// The page after another one, or the first.
    pub async fn history_page(
        &self,
        part: &HistoryPart,
        person: &AppUser,
        after: Option<HistoryPage>,
        now: Timestamp,
        budget: &mut Budget,
    ) -> Result<HistoryPage, StoreError> {
        budget.spend(1);
        let start = after.and_then(|page| page.next);
        let (items, next) = self.page(&part.pk, (&part.from, &part.to), start).await?;
        let mut page = HistoryPage { media: Vec::new(), fates: Fates::default(), next };
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
