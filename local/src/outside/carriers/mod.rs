//! Simulated carriers: the same paths, credentials, errors and signatures as the real ones, on this machine.
//!
//! They take messages and send receipts and replies back through the product's own callbacks, over HTTP, signed. What
//! becomes of a message follows from its destination ([`addresses`]). They call nobody outside this engine: a callback
//! URL that isn't below its public URL is refused.

mod accepted;
mod accounts;
mod addresses;
mod callbacks;
mod carrier;
mod control;
mod directory;
mod intake;
mod journal;
mod message;
mod messagebird;

mod receipts;
mod repeats;
mod setup;
#[cfg(test)]
mod tests;
mod twilio;

use std::path::PathBuf;
use std::sync::Arc;

use axum::Router;
use shared::ids::IntegrationId;
use shared::model::Integration;

pub use carrier::{CARRIERS, Carrier};
pub use directory::Table;
pub use journal::JournalError;

use crate::control::activity::Activity;
use crate::control::faults::Faults;
use crate::control::feed::Feed;
use accepted::AcceptedMessages;
use accounts::{Account, Accounts};
use addresses::Attempts;
use callbacks::Callbacks;
use directory::Directory;
use journal::Journal;

use receipts::Receipts;
use setup::Setups;

/// Everything the carriers know. Cloning gives another handle.
#[derive(Clone)]
pub struct State(Arc<Inner>);

struct Inner {
    accounts: Accounts,
    attempts: Attempts,
    callbacks: Callbacks,
    directory: Directory,
    faults: Faults,
    feed: Feed,
    journal: Journal,
    accepted: AcceptedMessages,
    receipts: Receipts,
    setups: Setups,
}

/// Why the carriers can't start.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    #[error(transparent)]
    Journal(#[from] JournalError),
    #[error("the HTTP client cannot be built: {0}")]
    Client(#[from] reqwest::Error),
}

impl State {
    /// `public_url`: the engine's base URL, without a slash at its end. With `data_dir`, receipts that are still to be
    /// sent and the recent outbox are kept there and found again. `activity` is told when a message is through. `table`
    /// is where integrations are found that nobody registered.
    pub fn new(
        public_url: String,
        feed: Feed,
        faults: Faults,
        activity: Activity,
        data_dir: Option<PathBuf>,
        table: Option<Table>,
    ) -> Result<Self, StartError> {
        let (journal, kept) = Journal::open(data_dir)?;
        Ok(Self(Arc::new(Inner {
            accounts: Accounts::default(),
            attempts: Attempts::default(),
            callbacks: Callbacks::new(public_url)?,
            directory: Directory::new(table),
            faults,
            feed,
            journal,
            accepted: AcceptedMessages::new(kept.messages),
            receipts: Receipts::new(activity, kept.unfinished),
            setups: Setups::new(kept.setups),
        })))
    }

    /// Makes an integration's account known, and has messages to it go there unless they go elsewhere already: as its
    /// owner sets it by hand at the carrier.
    pub fn register(&self, integration: &Integration) {
        if let Some(account) = Account::of(integration) {
            account.carrier.point_home(self, &account);
        }
        self.know(integration);
    }

    /// Its credentials are accepted, and its callbacks signed with its key.
    fn know(&self, integration: &Integration) {
        if let Some(account) = Account::of(integration) {
            self.0.accounts.add(account);
        }
    }

    /// Refuses the account's credentials from now on and drops its callbacks.
    pub fn forget(&self, integration_id: IntegrationId) {
        self.0.accounts.remove(integration_id);
    }

    /// Sends the receipts that an earlier run of the engine still owes. Call it once, inside the runtime, when accounts
    /// are registered and callbacks can be answered.
    pub fn resume(&self) {
        for work in self.0.receipts.take_unfinished() {
            drop(self.start_receipts(work));
        }
    }

    /// Messages whose receipts are not through yet.
    pub fn pending(&self) -> usize {
        self.0.receipts.pending()
    }
}

/// The carriers' own APIs, below `/_carriers`.
pub fn router(state: State) -> Router {
    CARRIERS.into_iter().fold(Router::new(), |router, carrier| {
        router.nest(&format!("/{}", carrier.channel()), carrier.api(state.clone()))
    })
}

/// What people and tests do with the carriers, below `/_local`.
pub fn control(state: State) -> Router {
    control::router(state)
}
