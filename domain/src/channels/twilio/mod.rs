//! Twilio Programmable Messaging: SMS, and MMS in the United States and Canada.
//!
//! One form-encoded request per message, receipts and replies as signed form posts. Numbers are not looked up here and
//! media are not fetched.

#[cfg(test)]
pub(super) mod fixtures;
mod inbound;
pub mod lookup;
mod receipt;
mod render;
mod signature;

use super::segments::Limit;
use super::{
    Callback, CarrierRequest, CarrierResponse, Channel, Incoming, Malformed, Outgoing, SendError, Unverified, Verified,
};
use crate::model::{Address, ChannelType, ExternalId, Integration, InvalidAddress, Settings, TwilioSettings};

/// `Body` of one request; longer texts become several.
pub const TEXT_LIMIT: Limit = Limit::Characters(1600);
/// Media of one inbound message.
pub const MEDIA_LIMIT: usize = 10;
/// Behind a URL that Twilio is to call: it repeats nothing unasked. Five times, within 15 seconds, whatever went wrong.
/// No part of what it calls and signs.
pub const ASKING_TO_REPEAT: &str = "#rc=5&rp=all";

pub struct Twilio;

impl Channel for Twilio {
    type Settings = TwilioSettings;
    const TYPE: ChannelType = ChannelType::Twilio;
    /// A joined text with ten media is a fifth of this.
    const CALLBACK_LIMIT: usize = 256 * 1024;

    fn settings(integration: &Integration) -> Option<&TwilioSettings> {
        match &integration.settings {
            Settings::Twilio(settings) => Some(settings),
            _ => None,
        }
    }

    fn address(text: &str) -> Result<Address, InvalidAddress> {
        Address::phone(text)
    }

    fn render(settings: &TwilioSettings, outgoing: &Outgoing<'_>) -> Result<Vec<CarrierRequest>, SendError> {
        render::requests(settings, outgoing)
    }

    fn accepted(response: &CarrierResponse) -> Result<ExternalId, SendError> {
        receipt::accepted(response)
    }

    fn verify(settings: &TwilioSettings, callback: Callback) -> Result<Verified, Unverified> {
        signature::verify(settings.auth_token.expose(), callback)
    }

    fn parse(settings: &TwilioSettings, verified: &Verified) -> Result<Vec<Incoming>, Malformed> {
        inbound::parse(&settings.account_sid, verified.callback())
    }

    /// Empty TwiML: nothing is said back to the person. Plain text would be sent to them as a message.
    fn acknowledgement() -> CarrierResponse {
        let mut response = http::Response::new(br#"<?xml version="1.0" encoding="UTF-8"?><Response/>"#.to_vec());
        response.headers_mut().insert(http::header::CONTENT_TYPE, http::HeaderValue::from_static("text/xml"));
        response
    }
}
