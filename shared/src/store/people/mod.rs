//! People: their profiles, the addresses that they are reached at, and how either becomes somebody else's.

mod clients;
pub(in crate::store) mod links;
pub(in crate::store) mod listing;
pub(in crate::store) mod matches;
pub(in crate::store) mod merges;
pub(in crate::store) mod users;

pub use links::{Beginning, Begun};
pub use matches::{MatchItem, NewClient};
pub use merges::Merged;
