//! Those who are written to: a person, the ways that lead to them, and how another way is opened.

mod link;
mod profile;
mod user;
pub mod user_wire;

pub use link::{Confirmation, Link, LinkRequest, LinkState};
pub use profile::{NewProfile, ProfileChange};
pub use user::{AppUser, CLIENT_LIMIT, Client, ClientStatus, MERGED_LIMIT, MatchResult, Person};
