//! End to end: the real function binaries in the local engine, wired by the real template.
//!
//! Every test has an engine, a port and data of its own, and steps by conditions. What it leaves behind fails it:
//! [`world::World::end`] wants empty queues and, unless the test is about them, empty dead-letter queues.

mod apps;
mod attachments;
mod bad_input;
mod callbacks;
mod content;
mod conversations;
mod crashes;
mod erasure;
mod described;
mod event_files;
mod failures;
mod journeys;
mod linking;
mod logs;
mod messages;
mod openapi;
mod replies;
mod settings;
mod tenants;
mod users;
mod webhooks;
mod world;
