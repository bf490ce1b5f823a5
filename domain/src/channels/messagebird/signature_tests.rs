//! Vectors made and checked with MessageBird's own libraries, and what must not be believed.

use super::*;
use crate::channels::conformance::{get, post};
use jsonwebtoken::{EncodingKey, Header};
use proptest::prelude::*;
use serde_json::{Value, json};

const KEY: &[u8] = b"mb-signing-key-0123456789abcdef";
const NOW: i64 = 1_700_000_000;
const REPORT: &str = "https://api.example.com/callbacks/messagebird/int1?id=efa6405d518d4c0c88cce11f7db775fb\
                      &reference=n-42&recipient=31612345678&status=delivered\
                      &statusDatetime=2023-11-14T22%3A13%3A20%2B00%3A00";
const REPORT_TOKEN: &str = "eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9.eyJpc3MiOiJNZXNzYWdlQmlyZCIsIm5iZiI6MTcwMDAwMDAwMCwiZXhwIjoxNzAwMDAwMDYwLCJqdGkiOiIyYjFmOGE1ZS0wMDAwLTQwMDAtODAwMC0wMDAwMDAwMDAwMDEiLCJ1cmxfaGFzaCI6ImYwNzYwMDkxNDI1ZDg1ZGU3YzA3Mjg5YTZhZGRkYTRjOWYwYzgwMDI1MWRhYWU3OTA0NmMyNzk2N2VjZTdlOWEifQ.p7ZQSVe8iMRTem5dsvBFv12u6Oikksve1MDaS3VcMhc";
const POST_URL: &str = "https://api.example.com/callbacks/messagebird/int1";
const POST_BODY: &str = r#"{"originator":"31612345678","body":"hi"}"#;
const POST_TOKEN: &str = "eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9.eyJpc3MiOiJNZXNzYWdlQmlyZCIsIm5iZiI6MTcwMDAwMDAwMCwiZXhwIjoxNzAwMDAwMDYwLCJqdGkiOiIyYjFmOGE1ZS0wMDAwLTQwMDAtODAwMC0wMDAwMDAwMDAwMDIiLCJ1cmxfaGFzaCI6IjA3NzBlODljZWEyM2MyNjcxMzkzMjY0NDA5ZDM1NmZkZTc2ZjJlNWIwMmM1ZjgzYTkwMGMxOTRkNDAxMjZjNDkiLCJwYXlsb2FkX2hhc2giOiIyOTA3ZGI4NmJhNGUzZjhmYzZiMmIxOTA2MDQwMTBiMWZmNzZjMWUzNjI3NmJkMDExNzgyMDcyZGM3MzUzOWYzIn0.VCAoPq1SUJSt7MPHRAWOpg3Ml1zTejDceA6QsRT3DCw";
const LEGACY_EMPTY: &str = "s0ISzdryk/p3laOMpevOttIwyLawqJ+26abasZ792ZA=";
const LEGACY_JSON: &str = "Tn64RV1bfQDew+h7NikjpiSX09Tf5C0DrJEV2tzDK/4=";

fn at(seconds: i64, callback: Callback) -> Callback {
    Callback { received: Timestamp::from_millis(seconds * 1000), ..callback }
}

fn with(mut callback: Callback, name: &'static str, value: &str) -> Callback {
    callback.headers.insert(name, value.parse().unwrap());
    callback
}

fn report() -> Callback {
    at(NOW, get(REPORT))
}

fn posted(body: &str) -> Callback {
    at(NOW, Callback { url: POST_URL.into(), ..post("application/json", body) })
}

fn legacy(callback: Callback, signature: &str) -> Callback {
    with(with(callback, LEGACY, signature), LEGACY_TIME, "1700000000")
}

fn outcome(callback: Callback) -> Result<(), Unverified> {
    verify(KEY, callback).map(|_| ())
}

fn claims() -> Value {
    json!({"iss": "MessageBird", "nbf": NOW, "exp": NOW + 60, "jti": "2b1f8a5e-0000-4000-8000-000000000003",
           "url_hash": hex::encode(Sha256::digest(REPORT))})
}

fn outcome_of(algorithm: Algorithm, claims: &Value) -> Result<(), Unverified> {
    let token = jsonwebtoken::encode(&Header::new(algorithm), claims, &EncodingKey::from_secret(KEY)).unwrap();
    outcome(with(report(), JWT, &token))
}

#[test]
fn a_signed_report_and_a_signed_post_are_believed() {
    assert_eq!(outcome(with(report(), JWT, REPORT_TOKEN)), Ok(()));
    assert_eq!(outcome(with(posted(POST_BODY), JWT, POST_TOKEN)), Ok(()));
}

#[test]
fn the_stronger_hmacs_are_believed_and_no_other_algorithm() {
    for algorithm in [Algorithm::HS256, Algorithm::HS384, Algorithm::HS512] {
        assert_eq!(outcome_of(algorithm, &claims()), Ok(()), "{algorithm:?}");
    }
    let payload = REPORT_TOKEN.split('.').nth(1).unwrap();
    for header in [r#"{"alg":"none","typ":"JWT"}"#, r#"{"alg":"RS256","typ":"JWT"}"#, "{}"] {
        let header = base64::engine::general_purpose::URL_SAFE_NO_PAD.encode(header);
        assert_eq!(outcome(with(report(), JWT, &format!("{header}.{payload}."))), Err(Unverified::Wrong));
    }
}

#[test]
fn a_token_is_for_one_url_and_one_body() {
    assert_eq!(outcome(with(at(NOW, get(&format!("{REPORT}&x=1"))), JWT, REPORT_TOKEN)), Err(Unverified::Wrong));
    assert_eq!(outcome(with(posted(r#"{"body":"no"}"#), JWT, POST_TOKEN)), Err(Unverified::Wrong));
    assert_eq!(outcome(with(posted(""), JWT, POST_TOKEN)), Err(Unverified::Wrong));
    let with_body = Callback { body: b"x".to_vec(), ..report() };
    assert_eq!(outcome(with(with_body, JWT, REPORT_TOKEN)), Err(Unverified::Wrong));
}

#[test]
fn a_token_holds_for_a_minute_and_some_leeway() {
    let received = |seconds| outcome(with(at(seconds, get(REPORT)), JWT, REPORT_TOKEN));
    for seconds in [NOW - 5, NOW, NOW + 60, NOW + 65] {
        assert_eq!(received(seconds), Ok(()), "{seconds}");
    }
    for seconds in [NOW - 6, NOW + 66, NOW + 86_400, 0] {
        assert_eq!(received(seconds), Err(Unverified::Stale), "{seconds}");
    }
}

#[test]
fn every_claim_is_needed_and_checked() {
    for name in ["iss", "nbf", "exp", "jti", "url_hash"] {
        let mut missing = claims();
        missing.as_object_mut().unwrap().remove(name);
        assert_eq!(outcome_of(Algorithm::HS256, &missing), Err(Unverified::Wrong), "{name}");
    }
    for (name, value) in
        [("iss", json!("Bird")), ("jti", json!("")), ("url_hash", json!("00")), ("payload_hash", json!("00"))]
    {
        let mut wrong = claims();
        wrong[name] = value;
        assert_eq!(outcome_of(Algorithm::HS256, &wrong), Err(Unverified::Wrong), "{name}");
    }
    for (name, value) in [("exp", i64::MIN), ("nbf", i64::MAX)] {
        let mut extreme = claims();
        extreme[name] = value.into();
        assert_eq!(outcome_of(Algorithm::HS256, &extreme), Err(Unverified::Stale), "{name}");
    }
}

#[test]
fn another_key_and_a_forged_signature_are_wrong() {
    assert!(matches!(verify(b"another key", with(report(), JWT, REPORT_TOKEN)), Err(Unverified::Wrong)));
    for token in ["", "a.b.c", "....", &REPORT_TOKEN[..REPORT_TOKEN.len() - 4]] {
        assert_eq!(outcome(with(report(), JWT, token)), Err(Unverified::Wrong), "{token}");
    }
    assert_eq!(outcome(report()), Err(Unverified::Missing));
}

#[test]
fn the_old_signature_is_believed_for_a_while() {
    assert_eq!(outcome(legacy(report(), LEGACY_EMPTY)), Ok(()));
    assert_eq!(outcome(legacy(Callback { body: br#"{"a":1}"#.to_vec(), ..report() }, LEGACY_JSON)), Ok(()));
    assert_eq!(outcome(legacy(at(NOW + 100, get(REPORT)), LEGACY_EMPTY)), Ok(()));
    for seconds in [NOW + 101, NOW - 101] {
        assert_eq!(outcome(legacy(at(seconds, get(REPORT)), LEGACY_EMPTY)), Err(Unverified::Stale));
    }
}

#[test]
fn the_old_signature_ignores_the_order_of_parameters_and_reads_a_bare_plus() {
    let reordered = "https://api.example.com/cb?statusDatetime=2023-11-14T22:13:20+00:00&status=delivered\
                     &recipient=31612345678&reference=n-42&id=efa6405d518d4c0c88cce11f7db775fb";
    assert_eq!(outcome(legacy(at(NOW, get(reordered)), LEGACY_EMPTY)), Ok(()));
}

#[test]
fn a_wrong_or_incomplete_old_signature_is_not_believed() {
    assert_eq!(outcome(with(report(), LEGACY, LEGACY_EMPTY)), Err(Unverified::Missing));
    assert_eq!(outcome(legacy(at(NOW, get(&format!("{REPORT}&x=1"))), LEGACY_EMPTY)), Err(Unverified::Wrong));
    assert_eq!(outcome(legacy(report(), LEGACY_JSON)), Err(Unverified::Wrong));
    assert_eq!(outcome(legacy(report(), "not base64!")), Err(Unverified::Wrong));
    let other_time = with(legacy(report(), LEGACY_EMPTY), LEGACY_TIME, "1700000001");
    assert_eq!(outcome(other_time), Err(Unverified::Wrong));
}

#[test]
fn where_both_signatures_come_the_token_decides() {
    let wrong_token = with(legacy(report(), LEGACY_EMPTY), JWT, "a.b.c");
    assert_eq!(outcome(wrong_token), Err(Unverified::Wrong));
}

proptest! {
    #[test]
    fn no_callback_makes_verifying_panic(
        url in "\\PC{0,80}", body in proptest::collection::vec(any::<u8>(), 0..100),
        name in prop_oneof![Just(JWT), Just(LEGACY)], value in "[ -~]{0,80}", time in "[ -~]{0,20}",
    ) {
        let callback = Callback { url, body, ..report() };
        let callback = with(with(callback, LEGACY_TIME, &time), name, &value);
        prop_assert_eq!(outcome(callback), Err(Unverified::Wrong));
    }
}
