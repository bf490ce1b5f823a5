//! What is said: conversations and what they count, sends and their claims, replies.

mod claims;
pub(in crate::store) mod conversations;
mod counting;
mod order;
mod replies;
mod sends;

pub use claims::Claimant;
pub use conversations::{Conversation, FoundMessage, History, Posted, StoredMessage, Stretch};
pub use replies::{ReplyOutcome, ReplyWrite};
pub use sends::{Part, SendKey, Write};
