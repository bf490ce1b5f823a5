//! What v1.1 speaks of, as types that cannot hold what the API would refuse.
//!
//! Wire forms live beside the types they belong to and are joined to them by `TryFrom`. Nothing here knows storage,
//! carriers or time's source.

mod app;
mod grammar;
mod messages;
mod people;

pub use crate::timestamp::Timestamp;
pub use app::*;
pub use grammar::*;
pub use messages::*;
pub use people::*;
