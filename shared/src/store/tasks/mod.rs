//! What the table knows of tasks: whether the write was made that one speaks of, and those that the queue did not take.

mod outbox;
mod parked;

pub use parked::Parked;
