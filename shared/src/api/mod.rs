//! The API's front: one table of routes, and from a request to a checked call.
//!
//! What a call does is its function's work. Nothing here knows resources or queues.

mod body;
mod call;
mod disposition;
pub mod matching;
pub mod multipart;
mod page;
pub mod path;
mod person;
pub mod routes;

pub use call::{Answer, Api, Call};
pub use page::Page;
pub use routes::{Access, Operation};
