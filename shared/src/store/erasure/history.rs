//! A history that was deleted up to a moment: messages, and what notifications of that time left.
//!
//! Each page tells what files it shows before it is erased: files go before what leads to them.

use super::pages::key_of;
use super::records::{Fading, Fates, TraceItem};
use crate::erasure::{self, Budget, Fate};
use crate::ids::{AppId, ConversationId, IntegrationId};
use crate::model::{Address, AppUser, Timestamp};
use crate::store::table::keys::{self, AddressPartition, Key};
use crate::store::{Store, StoreError};

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
        let start = after.map(|sk| Key { pk: part.pk.clone(), sk: sk.to_owned() }.attributes());
        let (items, next) = self.page(&part.pk, (&part.from, &part.to), start).await?;
        let last = next.as_ref().and_then(key_of).map(|key| key.sk);
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
