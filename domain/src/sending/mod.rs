//! What is sent to one address: who may send it, when it is tried again, what an answer or a receipt leads to, what is told
//! of it, and which of it a reply answers. Pure; `shared::sender` and `receive` carry it out.

pub mod claim;
pub mod health;
pub mod order;
pub mod patience;
pub mod receipt;
pub mod recent;
pub mod report;
pub mod retry;
