//! What a business sets up: apps, their keys, and what belongs to them.

mod apps;
mod credentials;
mod integrations;
mod menus;
mod resealing;
mod sealed;
mod service_accounts;
mod templates;
mod webhooks;

pub use credentials::{Creation, KEY_LIMIT};
pub use menus::{MenuPlace, MenuWritten};
pub use resealing::Resealed;
pub use templates::TemplateChanged;
