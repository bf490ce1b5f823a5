//! What Twilio is asked and told when an integration is made: whose account it is, which number a SID stands for, and
//! where messages to it go.

use base64::Engine;
use http::HeaderValue;
use http::header::{AUTHORIZATION, CONTENT_TYPE};
use serde_json::Value;
use unicode_segmentation::UnicodeSegmentation;

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
    request(api_url, credentials, ".json", None)
}

pub fn number_request(api_url: &str, credentials: &TwilioCredentials, number_sid: &str) -> Option<CarrierRequest> {
    request(api_url, credentials, &number_path(number_sid), None)
}

/// Has messages to the number posted to a URL of ours.
pub fn listen_request(
    api_url: &str,
    credentials: &TwilioCredentials,
    number_sid: &str,
    url: &str,
) -> Option<CarrierRequest> {
    let form =
        form_urlencoded::Serializer::new(String::new()).extend_pairs([("SmsUrl", url), ("SmsMethod", "POST")]).finish();
    request(api_url, credentials, &number_path(number_sid), Some(form))
}

fn number_path(number_sid: &str) -> String {
    format!("/IncomingPhoneNumbers/{number_sid}.json")
}

/// The account's name.
pub fn account_name(answer: &CarrierResponse) -> Result<String, Unknown> {
    Ok(field(answer, "friendly_name")?.graphemes(true).take(128).collect())
}

pub fn number(answer: &CarrierResponse) -> Result<Address, Unknown> {
    Address::e164(&field(answer, "phone_number")?).map_err(|_| Unknown::Silent)
}

/// Asks, or tells by a form.
fn request(api_url: &str, credentials: &TwilioCredentials, path: &str, form: Option<String>) -> Option<CarrierRequest> {
    let pair = format!("{}:{}", credentials.account_sid, credentials.auth_token.expose());
    let pair = base64::engine::general_purpose::STANDARD.encode(pair);
    let mut authorization = HeaderValue::from_str(&format!("Basic {pair}")).ok()?;
    authorization.set_sensitive(true);
    let url = format!("{api_url}/2010-04-01/Accounts/{}{path}", credentials.account_sid);
    let request = http::Request::builder().uri(url).header(AUTHORIZATION, authorization);
    match form {
        None => request.body(Vec::new()).ok(),
        Some(form) => {
            let request = request.method(http::Method::POST).header(CONTENT_TYPE, "application/x-www-form-urlencoded");
            request.body(form.into_bytes()).ok()
        }
    }
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::Secret;

    #[test]
    fn a_number_is_told_where_its_messages_go() {
        let credentials = TwilioCredentials { account_sid: "AC1".into(), auth_token: Secret::new("token") };
        let request = listen_request("https://t.example", &credentials, "PN1", "https://h.example/a/b?c").unwrap();
        let url = "https://t.example/2010-04-01/Accounts/AC1/IncomingPhoneNumbers/PN1.json";
        assert_eq!((request.method().as_str(), request.uri().to_string().as_str()), ("POST", url));
        assert_eq!(request.body(), b"SmsUrl=https%3A%2F%2Fh.example%2Fa%2Fb%3Fc&SmsMethod=POST");
        assert!(request.headers()[AUTHORIZATION].is_sensitive());
    }
}
