//! What the operator of a deployed stack does from a terminal, with AWS credentials of their own: one command, one file.
//!
//! A command does what the API can't: make the first account of a stack that knows nobody, return dead letters, rotate
//! the sealing key. It
//! speaks to the stack's table and queues ([`stack`]) and, with a key it has made, to the API ([`api`]). It needs no engine, and works as well against one,
//! by `AWS_ENDPOINT_URL`.

pub mod api;
pub mod create_account;
pub mod create_app;
pub mod drop_sealing_keys;
pub mod redrive;
pub mod reseal;
pub mod rotate_sealing_key;
pub mod stack;
