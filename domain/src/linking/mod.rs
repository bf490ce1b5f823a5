//! Linking: opening a channel to somebody who is known already (docs/REFERENCE.md, 5.4). What may be asked for, what a
//! person's answer means. `shared::linking` carries it on.

pub mod asking;
pub mod consent;
mod link;

pub use link::{Confirmation, Link, LinkRequest, LinkState};
