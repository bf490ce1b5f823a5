//! Whom the product talks to and serves: simulated carriers, a receiver of webhooks, and demo apps with all they need.
//! Nothing here is a part of AWS.

pub mod carriers;
pub mod seed;
pub mod simulation;
pub mod sink;
