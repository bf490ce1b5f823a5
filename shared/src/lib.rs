//! What Heliograph's functions share: ids and models, channels, decisions, storage and queues.
//!
//! Layers, from the inside out; `tests/rules.rs` holds them apart:
//! `ids` and `model` know nothing of the rest; `channels`, `flow`, `tasks` and `webhook` are pure (no async, no AWS, no
//! clock: time is an argument); `store`, `queue`, `files` and `secrets` speak to AWS; `http` speaks to carriers and webhooks.

pub mod api;
pub mod auth;
pub mod aws;
pub mod batch;
pub mod channels;
pub mod config;
pub mod files;
pub mod flow;
pub mod gateway;
pub mod health;
pub mod http;
pub mod ids;
pub mod links;
pub mod model;
pub mod outbox;
pub mod publish;
pub mod queue;
pub mod secrets;
pub mod sender;
pub mod store;
pub mod tasks;
pub mod telemetry;
pub mod upkeep;
pub mod warm;
pub mod webhook;
