//! Taking things away for good, in steps, each of which begins where the last one ended.
//!
//! Order matters, since a step may die half-way and be made again. What leads to other items goes last: an address's
//! match after its records, a person's listing after everything it points to. What makes new items goes first: an app's
//! integrations before its people.

mod apps;
mod history;
mod orphans;
mod pages;
mod people;
mod records;

pub use apps::PeopleWalk;
pub use history::{HistoryPage, HistoryPart};
pub use orphans::Orphans;
pub use people::{Leaving, Walked};
