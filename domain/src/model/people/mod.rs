//! Those who are written to: a person, and the ways that lead to them.

mod profile;
mod user;
pub mod user_wire;

pub use profile::{NewProfile, ProfileChange};
pub use user::{AppUser, CLIENT_LIMIT, Client, ClientStatus, MERGED_LIMIT, MatchResult, Person};
