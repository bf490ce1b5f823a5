//! Webhooks: the events businesses are told of, as each webhook wants them, and how a request is signed, allowed,
//! waited for and repeated.
//!
//! Pure: finding webhooks and posting to them is `publish`'s and `http`'s work.

mod event;
pub mod patience;
mod payload;
pub mod retry;
pub mod signature;
pub mod target;

pub use event::{Event, InboundSource, LinkStep, Who};
pub use payload::{body, brief};
