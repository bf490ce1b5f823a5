//! Webhooks: the events businesses are told of, as each webhook wants them, and how a request is signed and allowed.
//!
//! Pure: finding webhooks and posting to them is `publish`'s and `http`'s work.

mod event;
mod payload;
pub mod signature;
pub mod target;

pub use event::{Event, LinkStep, Said, Who};
pub use payload::{body, brief};
