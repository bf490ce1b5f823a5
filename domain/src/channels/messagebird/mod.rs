//! MessageBird SMS, the classic API.
//!
//! One JSON request per message, receipts as signed GETs, replies as signed posts. Images go as links: its MMS serves
//! two countries and reports to one URL per account.

#[cfg(test)]
pub(super) mod fixtures;
mod inbound;
mod receipt;
mod render;
mod signature;

use super::segments::Limit;
use super::{
    Callback, CarrierRequest, CarrierResponse, Channel, Incoming, Malformed, Outgoing, SendError, Unverified, Verified,
};
use crate::model::{Address, ChannelType, ExternalId, Integration, InvalidAddress, MessagebirdSettings, Settings};

/// `body` of one request: 1377 characters of GSM-7, 603 of UCS-2. Longer texts become several requests.
pub const TEXT_LIMIT: Limit = Limit::Segments(9);
/// Seconds by which the carrier's clock and ours may differ.
pub const LEEWAY: i64 = 5;
/// Seconds that a callback with the old kind of signature stays believable.
pub const LEGACY_AGE_LIMIT: i64 = 100;

pub struct Messagebird;

impl Channel for Messagebird {
    type Settings = MessagebirdSettings;
    const TYPE: ChannelType = ChannelType::Messagebird;
    /// A joined text with all its media is a fraction of this.
    const CALLBACK_LIMIT: usize = 256 * 1024;

    fn settings(integration: &Integration) -> Option<&MessagebirdSettings> {
        match &integration.settings {
            Settings::Messagebird(settings) => Some(settings),
            _ => None,
        }
    }

    fn address(text: &str) -> Result<Address, InvalidAddress> {
        Address::phone(text)
    }

    fn render(settings: &MessagebirdSettings, outgoing: &Outgoing<'_>) -> Result<Vec<CarrierRequest>, SendError> {
        render::requests(settings, outgoing)
    }

    fn accepted(response: &CarrierResponse) -> Result<ExternalId, SendError> {
        receipt::accepted(response)
    }

    fn verify(settings: &MessagebirdSettings, callback: Callback) -> Result<Verified, Unverified> {
        let key = settings.signing_key.as_ref().ok_or(Unverified::NoKey)?;
        signature::verify(key.expose().as_bytes(), callback)
    }

    fn parse(_settings: &MessagebirdSettings, verified: &Verified) -> Result<Vec<Incoming>, Malformed> {
        inbound::parse(verified.callback())
    }

    fn acknowledgement() -> CarrierResponse {
        let mut response = http::Response::new(b"OK".to_vec());
        response.headers_mut().insert(http::header::CONTENT_TYPE, http::HeaderValue::from_static("text/plain"));
        response
    }
}
