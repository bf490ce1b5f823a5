//! Lambda on this machine: what `template.yaml` wants run ([`template`]), the processes that run it ([`runtime`]), and
//! what invokes them: API Gateway ([`gateway`]) and the queues' event sources ([`pollers`]).

pub mod gateway;
pub mod pollers;
pub mod runtime;
pub mod template;
