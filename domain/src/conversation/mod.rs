//! Messages of a conversation: what is added to a posted one, what is blotted out, where it goes, how the history is paged.

pub mod compose;
pub mod destination;
pub mod mask;
pub mod page;
