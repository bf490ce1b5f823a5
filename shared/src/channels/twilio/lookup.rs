//! What Twilio is asked when an integration is made: whose account it is, and which number a SID stands for.

use base64::Engine;
use http::HeaderValue;
use http::header::AUTHORIZATION;
use serde_json::Value;

use crate::channels::{CarrierRequest, CarrierResponse};
use crate::model::{Address, TwilioCredentials};

/// Why Twilio did not say.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Unknown {
    /// It does not take the credentials.
    Denied,
    /// The account has no such thing.
    Missing,
    /// It gave no answer that says anything.
    Silent,
}

pub fn account_request(api_url: &str, credentials: &TwilioCredentials) -> Option<CarrierRequest> {
    request(api_url, credentials, ".json")
}

pub fn number_request(api_url: &str, credentials: &TwilioCredentials, number_sid: &str) -> Option<CarrierRequest> {
    request(api_url, credentials, &format!("/IncomingPhoneNumbers/{number_sid}.json"))
}

/// The account's name.
pub fn account_name(answer: &CarrierResponse) -> Result<String, Unknown> {
    Ok(field(answer, "friendly_name")?.chars().take(128).collect())
}

pub fn number(answer: &CarrierResponse) -> Result<Address, Unknown> {
    Address::e164(&field(answer, "phone_number")?).map_err(|_| Unknown::Silent)
}

fn request(api_url: &str, credentials: &TwilioCredentials, path: &str) -> Option<CarrierRequest> {
    let pair = format!("{}:{}", credentials.account_sid, credentials.auth_token.expose());
    let pair = base64::engine::general_purpose::STANDARD.encode(pair);
    let mut authorization = HeaderValue::from_str(&format!("Basic {pair}")).ok()?;
    authorization.set_sensitive(true);
    let url = format!("{api_url}/2010-04-01/Accounts/{}{path}", credentials.account_sid);
    http::Request::get(url).header(AUTHORIZATION, authorization).body(Vec::new()).ok()
}

fn field(answer: &CarrierResponse, name: &str) -> Result<String, Unknown> {
    match answer.status().as_u16() {
        200 => {
            let body: Value = serde_json::from_slice(answer.body()).map_err(|_| Unknown::Silent)?;
            body[name].as_str().map(str::to_owned).ok_or(Unknown::Silent)
        }
        401 | 403 => Err(Unknown::Denied),
        404 => Err(Unknown::Missing),
        _ => Err(Unknown::Silent),
    }
}
