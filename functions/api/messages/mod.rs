//! The messages of a conversation: posted, read, deleted.

pub mod draft;
pub mod history;
pub mod post;
