//! What Heliograph's functions are put together from: storage, queues, HTTP, credentials, sending.
//!
//! `store`, `queue`, `files` and `secrets` speak to AWS, `http` to carriers and webhooks. What is known without I/O is
//! `domain`'s, and stands here under its own names.

pub mod api;
pub mod auth;
pub mod aws;
pub mod batch;
pub mod config;
pub mod files;
pub mod gateway;
pub mod http;
pub mod intake;
pub mod linking;
pub mod memory;
pub mod outbox;
pub mod publish;
pub mod queue;
pub mod secrets;
pub mod sender;
pub mod serve;
pub mod store;
pub mod system;
pub mod telemetry;
pub mod upkeep;
pub mod warm;

pub use domain::{channels, conversation, entropy, erasure, ids, model, retry, sending, tasks, webhook};
