//! What Heliograph knows, without what carries it out: ids and models, how carriers are spoken to, decisions, tasks, events.
//!
//! Pure: no async, no AWS, no clock; time is an argument. Cargo holds that, since nothing else can be named here; what it
//! can't hold, `tests/rules.rs` does.

pub mod channels;
pub mod conversation;
pub mod entropy;
pub mod erasure;
pub mod ids;
pub mod linking;
pub mod model;
pub mod outbox;
pub mod retry;
pub mod sending;
pub mod tasks;
pub mod timestamp;
pub mod webhook;
