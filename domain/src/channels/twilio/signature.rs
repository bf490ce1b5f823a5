//! `X-Twilio-Signature`: an HMAC over the URL and the posted fields, with the account's auth token.
//!
//! It carries no time, so a captured callback stays valid: repeats are dropped by message id further on, and receipts
//! carry a token of ours that ends.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use hmac::{Hmac, KeyInit, Mac};
use http::HeaderMap;
use http::header::CONTENT_TYPE;
use sha1::Sha1;
use sha2::{Digest, Sha256};
use subtle::ConstantTimeEq;

use crate::channels::fields::{Fields, query};
use crate::channels::{Callback, Unverified, Verified};

const SIGNATURE: &str = "x-twilio-signature";
/// `key=<id>,algorithm=HMAC_SHA256`; absent, the algorithm is HMAC-SHA1.
const SETTINGS: &str = "x-twilio-webhooks-signature-settings";
/// A query parameter that stands for the body where it is no form.
const BODY_DIGEST: &str = "bodySHA256";

#[derive(Clone, Copy)]
enum Algorithm {
    HmacSha1,
    HmacSha256,
}

/// Checks the callback against the auth token. The URL is the one configured at Twilio, byte for byte.
pub fn verify(auth_token: &str, callback: Callback) -> Result<Verified, Unverified> {
    let given = callback.headers.get(SIGNATURE).ok_or(Unverified::Missing)?;
    let given = STANDARD.decode(given.as_bytes()).map_err(|_| Unverified::Wrong)?;
    let algorithm = algorithm(&callback.headers)?;
    let posted = signed_fields(&callback)?;
    let matches = url_spellings(&callback.url)
        .iter()
        .any(|url| algorithm.matches(auth_token.as_bytes(), format!("{url}{posted}").as_bytes(), &given));
    if matches { Ok(Verified::new(callback)) } else { Err(Unverified::Wrong) }
}

impl Algorithm {
    /// In constant time, but for the length.
    fn matches(self, key: &[u8], message: &[u8], given: &[u8]) -> bool {
        match self {
            Self::HmacSha1 => {
                Hmac::<Sha1>::new_from_slice(key).is_ok_and(|mac| mac.chain_update(message).verify_slice(given).is_ok())
            }
            Self::HmacSha256 => Hmac::<Sha256>::new_from_slice(key)
                .is_ok_and(|mac| mac.chain_update(message).verify_slice(given).is_ok()),
        }
    }
}

fn algorithm(headers: &HeaderMap) -> Result<Algorithm, Unverified> {
    let Some(settings) = headers.get(SETTINGS) else { return Ok(Algorithm::HmacSha1) };
    let settings = settings.to_str().map_err(|_| Unverified::Wrong)?;
    match settings.split(',').find_map(|setting| setting.trim().strip_prefix("algorithm=")) {
        Some("HMAC_SHA256") => Ok(Algorithm::HmacSha256),
        Some("HMAC_SHA1") => Ok(Algorithm::HmacSha1),
        _ => Err(Unverified::Wrong),
    }
}

/// What follows the URL in the signed string: the form's names and values, or nothing where the URL holds a digest of
/// the body. A body that neither covers is not believed.
fn signed_fields(callback: &Callback) -> Result<String, Unverified> {
    let digest = Fields::encoded(query(&callback.url).as_bytes()).get(BODY_DIGEST).map(str::to_owned);
    match digest {
        Some(digest) => {
            let actual = hex::encode(Sha256::digest(&callback.body));
            let same: bool = actual.as_bytes().ct_eq(digest.to_ascii_lowercase().as_bytes()).into();
            if same { Ok(String::new()) } else { Err(Unverified::Wrong) }
        }
        None if callback.body.is_empty() => Ok(String::new()),
        None if callback.method == http::Method::GET || !is_form(&callback.headers) => Err(Unverified::Wrong),
        None => {
            let mut fields = Fields::encoded(&callback.body).into_pairs();
            fields.sort_unstable();
            fields.dedup();
            Ok(fields.into_iter().map(|(name, value)| name + &value).collect())
        }
    }
}

fn is_form(headers: &HeaderMap) -> bool {
    headers
        .get(CONTENT_TYPE)
        .and_then(|value| value.to_str().ok())
        .is_some_and(|value| value.trim_start().to_ascii_lowercase().starts_with("application/x-www-form-urlencoded"))
}

/// The URL with and without its port, since Twilio has signed both; never with user, password or fragment.
fn url_spellings(url: &str) -> Vec<String> {
    let url = url.split('#').next().unwrap_or(url);
    let Some((scheme, rest)) = url.split_once("://") else { return vec![url.to_owned()] };
    let end = rest.find(['/', '?']).unwrap_or(rest.len());
    let (authority, tail) = rest.split_at(end);
    let host_and_port = authority.rsplit_once('@').map_or(authority, |(_, host)| host);
    let (host, port) = match host_and_port.rsplit_once(':') {
        Some((host, port)) if !port.is_empty() && port.bytes().all(|byte| byte.is_ascii_digit()) => (host, port),
        _ => (host_and_port, if scheme == "http" { "80" } else { "443" }),
    };
    vec![format!("{scheme}://{host}{tail}"), format!("{scheme}://{host}:{port}{tail}")]
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::channels::conformance::{get, post};
    use proptest::prelude::*;

    // Made and checked with Twilio's own library.
    const TOKEN: &str = "0123456789abcdef0123456789abcdef";
    const URL: &str = "https://api.example.com/callbacks/twilio/int1?t=a%2Bb";
    const URL_WITH_PORT: &str = "https://api.example.com:443/callbacks/twilio/int1?t=a%2Bb";
    const FORM: &str = "MessageSid=SM00000000000000000000000000000001&SmsSid=SM00000000000000000000000000000001\
                        &AccountSid=AC00000000000000000000000000000001&From=%2B15550100001&To=%2B15550100002\
                        &Body=%C3%87a+va%3F+100%25+%26+ok+%F0%9F%99%82&NumMedia=0";
    const SIGNATURE_1: &str = "WJZT+HN2RMfr/H0xxMZBmco0l1w=";
    const SIGNATURE_2: &str = "uFluqVqcZT7xJIWoksEHA8/KZ0o=";
    const SIGNATURE_3: &str = "QzT7NSUBpadumGiAbRZxXUxVlTTGF6D95KlzRQq6loQ=";
    const SHA256_SETTINGS: &str = "key=K1,algorithm=HMAC_SHA256";

    fn form(url: &str, body: &str, signature: &str) -> Callback {
        let mut callback =
            Callback { url: url.into(), ..post("application/x-www-form-urlencoded; charset=UTF-8", body) };
        callback.headers.insert(SIGNATURE, signature.parse().unwrap());
        callback
    }

    fn outcome(callback: Callback) -> Result<(), Unverified> {
        verify(TOKEN, callback).map(|_| ())
    }

    #[test]
    fn a_signed_form_is_believed_whichever_way_the_port_was_signed() {
        for url in [URL, URL_WITH_PORT] {
            assert_eq!(outcome(form(url, FORM, SIGNATURE_1)), Ok(()), "{url}");
            assert_eq!(outcome(form(url, FORM, SIGNATURE_2)), Ok(()), "{url}");
        }
    }

    #[test]
    fn user_password_and_fragment_are_not_signed() {
        let url = "https://user:pass@api.example.com/callbacks/twilio/int1?t=a%2Bb#rc=2";
        assert_eq!(outcome(form(url, FORM, SIGNATURE_1)), Ok(()));
    }

    #[test]
    fn sha256_counts_only_when_announced() {
        let mut callback = form(URL, FORM, SIGNATURE_3);
        assert_eq!(outcome(callback.clone()), Err(Unverified::Wrong));
        callback.headers.insert(SETTINGS, SHA256_SETTINGS.parse().unwrap());
        assert_eq!(outcome(callback), Ok(()));
        let mut sha1 = form(URL, FORM, SIGNATURE_1);
        sha1.headers.insert(SETTINGS, SHA256_SETTINGS.parse().unwrap());
        assert_eq!(outcome(sha1.clone()), Err(Unverified::Wrong));
        for unknown in ["key=K1", "key=K1,algorithm=none", "algorithm=HMAC_MD5"] {
            sha1.headers.insert(SETTINGS, unknown.parse().unwrap());
            assert_eq!(outcome(sha1.clone()), Err(Unverified::Wrong), "{unknown}");
        }
    }

    #[test]
    fn empty_and_repeated_values_are_signed_as_twilio_does() {
        let url = "https://api.example.com/cb";
        let empty = "MessageSid=SM00000000000000000000000000000002&MessageStatus=delivered&ErrorCode=";
        assert_eq!(outcome(form(url, empty, "Dz530Am83PJ3BdJbvcOoVDiKWS4=")), Ok(()));
        assert_eq!(outcome(form(url, "A=b&A=a&A=b&a=1", "WXUHeux0IUrLioxMOb0RdcJAJ7A=")), Ok(()));
    }

    #[test]
    fn fields_may_come_in_any_order() {
        let reordered = FORM.split('&').rev().collect::<Vec<_>>().join("&");
        assert_eq!(outcome(form(URL, &reordered, SIGNATURE_1)), Ok(()));
    }

    #[test]
    fn a_json_body_is_covered_by_the_digest_in_the_url() {
        let digest = "27ebfe91a318dc07829eec267640f3751e9a3cdc12079c47803ad76b3404b82e";
        let signed = |body: &str| {
            let url = format!("https://api.example.com/cb?bodySHA256={digest}");
            let mut callback = Callback { url, ..post("application/json", body) };
            callback.headers.insert(SIGNATURE, "wkRT3UWqahKfAw64j8W0Bwg24DM=".parse().unwrap());
            callback
        };
        assert_eq!(outcome(signed(r#"{"event":"x","n":1}"#)), Ok(()));
        assert_eq!(outcome(signed(r#"{"event":"x","n":2}"#)), Err(Unverified::Wrong));
        assert_eq!(outcome(signed("")), Err(Unverified::Wrong));
    }

    #[test]
    fn a_get_is_signed_by_its_url_and_carries_no_body() {
        let url = "https://api.example.com/cb?MessageSid=SM1&MessageStatus=sent";
        let mac = Hmac::<Sha1>::new_from_slice(TOKEN.as_bytes()).unwrap().chain_update(url).finalize();
        let mut callback = get(url);
        callback.headers.insert(SIGNATURE, STANDARD.encode(mac.into_bytes()).parse().unwrap());
        assert_eq!(outcome(callback.clone()), Ok(()));
        assert_eq!(outcome(Callback { url: format!("{url}&x=1"), ..callback.clone() }), Err(Unverified::Wrong));
        assert_eq!(outcome(Callback { body: b"A=b".to_vec(), ..callback }), Err(Unverified::Wrong));
    }

    #[test]
    fn a_body_that_the_signature_does_not_cover_is_not_believed() {
        let url = "https://api.example.com/cb";
        let mac = Hmac::<Sha1>::new_from_slice(TOKEN.as_bytes()).unwrap().chain_update(url).finalize();
        for content_type in ["application/json", "text/plain", "multipart/form-data; boundary=x"] {
            let mut callback = Callback { url: url.into(), ..post(content_type, r#"{"MessageSid":"SM1"}"#) };
            callback.headers.insert(SIGNATURE, STANDARD.encode(mac.clone().into_bytes()).parse().unwrap());
            assert_eq!(outcome(callback), Err(Unverified::Wrong), "{content_type}");
        }
    }

    #[test]
    fn forged_and_missing_signatures_are_told_apart() {
        let mut missing = form(URL, FORM, SIGNATURE_1);
        missing.headers.remove(SIGNATURE);
        assert_eq!(outcome(missing), Err(Unverified::Missing));
        let altered = FORM.replace("15550100002", "15550100003");
        assert_eq!(outcome(form(URL, &altered, SIGNATURE_1)), Err(Unverified::Wrong));
        assert_eq!(outcome(form(&URL.replace("int1", "int2"), FORM, SIGNATURE_1)), Err(Unverified::Wrong));
        assert_eq!(outcome(form(&format!("{FORM}&X=1"), FORM, SIGNATURE_1)), Err(Unverified::Wrong));
        assert!(verify("another token", form(URL, FORM, SIGNATURE_1)).is_err());
        for nonsense in ["", "AAAA", "not base64!", "WJZT+HN2RMfr/H0xxMZBmco0l1w"] {
            assert_eq!(outcome(form(URL, FORM, nonsense)), Err(Unverified::Wrong), "{nonsense}");
        }
    }

    proptest! {
        #[test]
        fn no_callback_makes_verifying_panic(
            url in "\\PC{0,80}", body in proptest::collection::vec(any::<u8>(), 0..200), signature in "[ -~]{0,60}",
        ) {
            let mut callback = form("https://x.example", "", &signature);
            callback.url = url;
            callback.body = body;
            prop_assert_eq!(outcome(callback), Err(Unverified::Wrong));
        }
    }
}
