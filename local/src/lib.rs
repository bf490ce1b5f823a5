//! Heliograph on one machine: the real function binaries, wired by `template.yaml`, with every AWS service, carrier and
//! webhook receiver they talk to behind one port of this machine. Development and tests only; it ships nowhere.
//!
//! [`Engine::start`] is the way in. Reading order: [`template`] (what is to run), [`runtime`] (functions), [`gateway`]
//! and [`pollers`] (what invokes them), [`aws`] with [`queues`] and [`dynamodb`], and [`s3`] with [`buckets`] (what they
//! call), [`control`] (what people and tests see and set).

pub mod activity;
pub mod apps;
pub mod aws;
pub mod buckets;
pub mod carriers;
pub mod clock;
pub mod console;
pub mod control;
pub mod data_dir;
pub mod dynamodb;
pub mod engine;
pub mod faults;
pub mod feed;
pub mod gateway;
pub mod guard;
pub mod ledger;
pub mod logs;
pub mod pollers;
pub mod private_files;
pub mod provision;
pub mod queues;
pub mod runtime;
pub mod s3;
pub mod secrets;
pub mod seed;
pub mod server;
pub mod showcase;
pub mod simulation;
pub mod sink;
mod streams;
pub mod template;

pub use engine::{Engine, EngineHandles, Options, StartError};
pub use gateway::Paths;
pub use logs::LogStyle;
