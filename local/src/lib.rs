//! Heliograph on one machine: the real function binaries, wired by `template.yaml`, with every AWS service, carrier and
//! webhook receiver they talk to behind one port of this machine. Development and tests only; it ships nowhere.
//!
//! [`Engine::start`] is the way in. Reading order: [`lambda`] (what is to run, and what invokes it), [`aws`] (what it
//! calls), [`outside`] (carriers and receivers of webhooks), [`control`] (what people and tests see and set),
//! [`console`] (the page that shows it).

pub mod aws;
pub mod clock;
pub mod console;
pub mod control;
pub mod data_dir;
pub mod engine;
pub mod guard;
pub mod lambda;
pub mod outside;
pub mod private_files;
pub mod server;

pub use control::logs::LogStyle;
pub use engine::{Engine, EngineHandles, Options, StartError};
pub use lambda::gateway::Paths;
