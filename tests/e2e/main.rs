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
mod described;
mod erasure;
mod event_files;
mod failures;
mod integrations;
mod journeys;
mod linking;
mod logs;
mod menus;
mod messages;
mod openapi;
mod replies;
mod service_accounts;
mod settings;
mod templates;
mod tenants;
mod users;
mod webhooks;
mod webhooks_api;
mod world;
