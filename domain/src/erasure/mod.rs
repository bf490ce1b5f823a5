//! Erasing an app, a person, an integration or a history: in steps that each begin where the last one ended.

mod budget;
mod fate;
mod walk;

pub use budget::{Budget, Progress};
pub use fate::{Fate, Trace, fate, fate_with_messages};
pub use walk::{AddressWalk, HistoryWalk, PersonStage, PersonWalk, Walk};
