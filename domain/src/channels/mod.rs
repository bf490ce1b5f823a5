//! Channels: how each carrier is spoken to, as pure functions.
//!
//! A channel is one folder with the same files (`mod`, `render`, `receipt`, `inbound`, `signature`, `fixtures/`) and one
//! type that implements [`Channel`]. It describes HTTP requests and reads HTTP answers; sending them is the caller's
//! work, and so are storage and time. `docs/CHANNELS.md` says how to add one.

mod callback;
#[cfg(test)]
mod conformance;
mod credentials;
mod error;
pub mod fallback;
mod fields;
pub mod messagebird;
mod partial;
mod refusal;
pub mod segments;
mod status;
pub mod twilio;

pub use callback::{Callback, Incoming, Malformed, Receipt, ReceiptStatus, Reply, ReplyPart, Unverified, Verified};
pub use error::{SendError, SendErrorKind};

use crate::model::{Address, ChannelType, ExternalId, Integration, InvalidAddress, Message, Subject};

/// A carrier's request, complete with credentials (in headers marked sensitive).
pub type CarrierRequest = http::Request<Vec<u8>>;
/// A carrier's answer.
pub type CarrierResponse = http::Response<Vec<u8>>;

/// What a channel needs besides its settings to write the carrier's requests for one message.
pub struct Outgoing<'a> {
    /// The carrier's base URL, without a slash at its end.
    pub api_url: &'a str,
    pub to: &'a Address,
    pub message: &'a Message,
    /// Speaks in fallback texts such as "Tea House has requested a location".
    pub app_name: &'a str,
    /// Where receipts go, given how many requests the message needs: a receipt carries that number back.
    pub callback_url: &'a dyn Fn(usize) -> String,
    /// Our id, for the carrier's own records.
    pub reference: Subject,
}

/// A message becomes at most so many requests. v1.1's longest text needs up to eight at the carrier that takes the
/// least; what is longer still, such as a carousel full of links, is no message any more.
pub const MOST_PARTS: usize = 10;

/// The pieces of a text, each as long as the carrier takes; of a text that needs too many, none.
fn pieces(text: &str, limit: segments::Limit) -> Result<Vec<&str>, SendError> {
    let pieces = segments::split(text, limit);
    if pieces.len() > MOST_PARTS {
        let reason = format!(
            "The message is too long: on this channel it needs {} messages, and {MOST_PARTS} are sent at most",
            pieces.len()
        );
        return Err(SendError::new(SendErrorKind::Invalid, reason));
    }
    Ok(pieces)
}

/// One carrier. Implementations hold no state and do no I/O.
pub trait Channel {
    /// Which variant of [`crate::model::Settings`] belongs to it.
    type Settings: Send + Sync;
    const TYPE: ChannelType;
    /// Bytes of URL and body that a callback may have: more is refused before anything of it is read.
    const CALLBACK_LIMIT: usize;

    /// The integration's settings, if it is of this channel.
    fn settings(integration: &Integration) -> Option<&Self::Settings>;

    /// Reads a `destinationId` as callers write it.
    fn address(text: &str) -> Result<Address, InvalidAddress>;

    /// The requests that bring the message to the person, in order; more than one when the text is over the carrier's
    /// limit, and never more than [`MOST_PARTS`]. Fails without any I/O when the channel cannot carry the message.
    fn render(settings: &Self::Settings, outgoing: &Outgoing<'_>) -> Result<Vec<CarrierRequest>, SendError>;

    /// Reads the carrier's answer to one rendered request, as far as it came: an answer that broke off after the id of
    /// the message is an acceptance.
    fn accepted(response: &CarrierResponse) -> Result<ExternalId, SendError>;

    /// Checks a callback's signature on its raw bytes. The only way to a [`Verified`].
    fn verify(settings: &Self::Settings, callback: Callback) -> Result<Verified, Unverified>;

    /// Reads a verified callback. What the channel says and we have no use for gives an empty list.
    fn parse(settings: &Self::Settings, verified: &Verified) -> Result<Vec<Incoming>, Malformed>;

    /// What to answer the carrier with once its callback is safe with us.
    fn acknowledgement() -> CarrierResponse;
}

macro_rules! of_channel {
    ($channel:expr, $C:ident => $body:expr) => {
        match $channel {
            ChannelType::Twilio => {
                type $C = twilio::Twilio;
                $body
            }
            ChannelType::Messagebird => {
                type $C = messagebird::Messagebird;
                $body
            }
        }
    };
}

/// [`Channel::address`] of the channel named.
pub fn address(channel: ChannelType, text: &str) -> Result<Address, InvalidAddress> {
    of_channel!(channel, C => C::address(text))
}

/// Verifies, then parses, a callback for an integration, whatever its channel.
pub fn read_callback(integration: &Integration, callback: Callback) -> Result<Vec<Incoming>, CallbackError> {
    of_channel!(integration.channel().ok_or(Unverified::WrongChannel)?, C => {
        let settings = C::settings(integration).ok_or(Unverified::WrongChannel)?;
        if callback.url.len() + callback.body.len() > C::CALLBACK_LIMIT {
            return Err(CallbackError::TooLarge);
        }
        let verified = C::verify(settings, callback)?;
        Ok(C::parse(settings, &verified)?)
    })
}

/// [`Channel::acknowledgement`] of the channel named.
pub fn acknowledgement(channel: ChannelType) -> CarrierResponse {
    of_channel!(channel, C => C::acknowledgement())
}

/// Why a callback gave nothing.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum CallbackError {
    #[error(transparent)]
    Unverified(#[from] Unverified),
    #[error(transparent)]
    Malformed(#[from] Malformed),
    #[error("the callback is larger than any of this carrier's")]
    TooLarge,
}
