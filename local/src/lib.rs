//! Heliograph on one machine: the real function binaries, wired by `template.yaml`, with every AWS service, carrier and
//! webhook receiver they talk to behind one port of this machine. Development and tests only; it ships nowhere.

pub mod activity;
pub mod clock;
pub mod faults;
pub mod feed;
pub mod queues;
pub mod template;
