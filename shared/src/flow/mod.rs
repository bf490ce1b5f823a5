//! Decisions: pure functions over what was read, with time as an argument. They do no I/O and write nothing.

pub mod claim;
pub mod compose;
pub mod consent;
pub mod erasure;
pub mod mask;
pub mod page;
pub mod receipt;
pub mod recent;
pub mod report;
pub mod retry;
pub mod route;
