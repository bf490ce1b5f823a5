//! Decisions: pure functions over what was read, with time as an argument. They do no I/O and write nothing.

pub mod asking;
pub mod claim;
pub mod compose;
pub mod consent;
pub mod erasure;
pub mod health;
pub mod mask;
pub mod order;
pub mod outbox;
pub mod page;
pub mod patience;
pub mod receipt;
pub mod recent;
pub mod report;
pub mod retry;
pub mod retry_after;
pub mod route;
