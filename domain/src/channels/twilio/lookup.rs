//! What Twilio is asked and told when an integration is made: whose account it is, which number a SID stands for, and
//! where messages to it go.

use http::header::{AUTHORIZATION, CONTENT_TYPE};
use serde_json::Value;
use unicode_segmentation::UnicodeSegmentation;

use super::ASKING_TO_REPEAT;
use crate::channels::credentials::basic;
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

/// A number, as Twilio has it.
#[derive(Debug, Clone, PartialEq)]
pub struct Number {
    pub number: Address,
    /// Whether its messages go to an application of the account's, whatever URL the number has.
    pub is_an_applications: bool,
}

/// Has messages to the number posted to a URL of ours, repeated where that fails, and once more after that.
pub fn listen_request(
    api_url: &str,
    credentials: &TwilioCredentials,
    number_sid: &str,
    url: &str,
) -> Option<CarrierRequest> {
    let listening = format!("{url}{ASKING_TO_REPEAT}");
    let form = form_urlencoded::Serializer::new(String::new())
        .append_pair("SmsUrl", &listening)
        .append_pair("SmsMethod", "POST")
        .append_pair("SmsFallbackUrl", url)
        .append_pair("SmsFallbackMethod", "POST")
        .finish();
    request(api_url, credentials, &number_path(number_sid), Some(form))
}

fn number_path(number_sid: &str) -> String {
    format!("/IncomingPhoneNumbers/{number_sid}.json")
}

/// The account's name.
pub fn account_name(answer: &CarrierResponse) -> Result<String, Unknown> {
    Ok(field(answer, "friendly_name")?.graphemes(true).take(128).collect())
}

pub fn number(answer: &CarrierResponse) -> Result<Number, Unknown> {
    let number = Address::e164(&field(answer, "phone_number")?).map_err(|_| Unknown::Silent)?;
    let application = field(answer, "sms_application_sid").unwrap_or_default();
    Ok(Number { number, is_an_applications: !application.is_empty() })
}

/// Asks, or tells by a form.
fn request(api_url: &str, credentials: &TwilioCredentials, path: &str, form: Option<String>) -> Option<CarrierRequest> {
    let authorization = basic(&credentials.account_sid, credentials.auth_token.expose())?;
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
        let fields: Vec<_> = form_urlencoded::parse(request.body()).into_owned().collect();
        let expected = [
            ("SmsUrl", "https://h.example/a/b?c#rc=5&rp=all"),
            ("SmsMethod", "POST"),
            ("SmsFallbackUrl", "https://h.example/a/b?c"),
            ("SmsFallbackMethod", "POST"),
        ];
        assert_eq!(fields, expected.map(|(name, value)| (name.to_owned(), value.to_owned())));
        assert!(request.headers()[AUTHORIZATION].is_sensitive());
    }

    #[test]
    fn a_number_may_be_an_applications() {
        let read = |application: Value| {
            let body = serde_json::json!({ "phone_number": "+15550100001", "sms_application_sid": application });
            number(&http::Response::new(body.to_string().into_bytes())).unwrap().is_an_applications
        };
        assert!(read("AP00000000000000000000000000000001".into()));
        assert!(!read("".into()) && !read(Value::Null));
    }
}
