//! End to end: the real function binaries in the local engine, wired by the real template.
//!
//! Every test has an engine, a port and data of its own, and steps by conditions. What it leaves behind fails it:
//! [`world::World::end`] wants empty queues and, unless the test is about them, empty dead-letter queues.

mod answer_walks;
mod answers;
mod apps;
mod attachments;
mod bad_input;
mod browsers;
mod callbacks;
mod content;
mod conversations;
mod crashes;
mod credentials;
mod deletions;
mod described;
mod erasure;
mod event_files;
mod events;
mod examples;
mod failures;
mod fairness;
mod forms;
mod hostile;
mod images;
mod integration_deletion;
mod integration_health;
mod integrations;
mod journeys;
mod linking;
mod logs;
mod lost_answers;
mod media;
mod menus;
mod merging;
mod messages;
mod newcomer;
mod openapi;
mod order;
mod outbox;
mod own_links;
mod persons;
mod photos;
mod replies;
mod scopes;
mod service_accounts;
mod settings;
mod table;
mod templates;
mod tenants;
mod urls;
mod users;
mod walk;
mod webhooks;
mod webhooks_api;
mod world;
