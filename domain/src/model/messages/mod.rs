//! What is written: a message's forms, how a business asks for it, and what becomes of it.

mod author;
mod delivery;
mod exchange;
mod message;
mod message_wire;
mod notification;
mod posting;
mod record;
mod sending;
mod sentence;
pub mod shorthand;

pub use author::Author;
pub use delivery::{DeliveryEvent, DeliveryOutcome, DeliverySubject, Destination, ExternalId, Failure, FailureCode};
pub use exchange::{CarrierAnswer, FailedExchange};
pub use message::{Action, ActionKind, Content, Coordinates, Item, Media, Message, Metadata, Place};
pub(super) use message_wire::as_wire;
pub use message_wire::{ActionWire, ItemWire, MessageWire, SourceWire};
pub use notification::NotificationRequest;
pub use posting::{Posting, Role, Target};
pub use record::{Move, RETENTION_DAYS, SendRecord, SendState};
pub use sending::{Sending, Subject};
pub use sentence::Sentence;
