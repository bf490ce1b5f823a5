//! Twilio's words for what became of a message: its answer to a send, and the receipts that follow.
//!
//! Tables from Twilio's error and status reference. A code counts the same whether it comes at once or later; only a
//! code that the table doesn't know is read by when it came.

use serde_json::json;

use crate::channels::refusal::{self, Manner};
use crate::channels::status::{self, Word};
use crate::channels::{CarrierResponse, ReceiptStatus, SendError, SendErrorKind};
use crate::model::{CarrierAnswer, ExternalId};

const MANNER: Manner = Manner {
    carrier: "Twilio",
    message_id: "sid",
    request_id: "twilio-request-id",
    said: |error| (error["code"].as_u64(), error["message"].as_str()),
};

const THROTTLED: SendErrorKind = SendErrorKind::Throttled {};

#[rustfmt::skip]
const CODES: &[(u32, SendErrorKind, &str)] = {
    use SendErrorKind::*;
    &[
        (10001, Misconfigured, "Account is not active"),
        (11751, Invalid, "Media message size exceeds the limit"),
        (12300, Invalid, "Invalid content type of the media"),
        (20003, Misconfigured, "Twilio does not accept the integration's credentials"),
        (20005, Misconfigured, "Account is not active"),
        (20404, Misconfigured, "Twilio does not know the integration's account"),
        (20429, THROTTLED, "Too many concurrent requests"),
        (20500, Undecided, "Twilio has an internal error"),
        (20503, Unavailable, "Twilio is unavailable"),
        (21211, Invalid, "The destination is not a valid phone number"),
        (21212, Misconfigured, "The sender is not a valid phone number, short code or alphanumeric sender"),
        (21408, Misconfigured, "The account has no permission to send to this country"),
        (21602, Invalid, "The message has no body"),
        (21603, Misconfigured, "The integration has no sender"),
        (21604, Invalid, "The message has no destination"),
        (21606, Misconfigured, "The sender is not an SMS-capable number of this account"),
        (21608, Misconfigured, "A trial account sends to verified numbers only"),
        (21610, OptedOut, "The person has opted out of messages from this sender"),
        (21611, THROTTLED, "The sender's queue is full"),
        (21612, Rejected, "The destination cannot be reached from this sender"),
        (21614, Invalid, "The destination is not a mobile number"),
        (21617, Invalid, "The message is longer than 1600 characters"),
        (21619, Invalid, "The message cannot be created"),
        (21620, Invalid, "The media URL is not valid"),
        (21623, Invalid, "The message has too many media"),
        (21635, Invalid, "The destination is a landline"),
        (21659, Misconfigured, "The sender is not a Twilio number"),
        (21701, Misconfigured, "The messaging service does not exist"),
        (21702, Misconfigured, "The messaging service cannot be used"),
        (21703, Misconfigured, "The messaging service has no sender"),
        (21704, Misconfigured, "The messaging service has no sender"),
        (21705, Misconfigured, "The messaging service is not valid"),
        (30001, THROTTLED, "Queue overflow"),
        (30002, Misconfigured, "Account suspended"),
        (30003, Rejected, "Unreachable destination handset"),
        (30004, Rejected, "Message blocked"),
        (30005, Invalid, "Unknown destination handset"),
        (30006, Invalid, "Landline or unreachable carrier"),
        (30007, Rejected, "Message filtered"),
        (30008, Rejected, "Unknown error"),
        (30017, THROTTLED, "Carrier network congestion"),
        (30018, Misconfigured, "The destination's carrier requires a registered sender"),
        (30019, Invalid, "Content size exceeds the carrier's limit"),
        (30022, THROTTLED, "US A2P 10DLC rate limit exceeded"),
        (30023, THROTTLED, "US A2P 10DLC daily message cap reached"),
        (30024, Misconfigured, "The sender is not provisioned on the carrier"),
        (30027, THROTTLED, "US A2P 10DLC T-Mobile daily message limit reached"),
        (30032, Misconfigured, "The toll-free number has not been verified"),
        (30034, Misconfigured, "The sender is not registered for US A2P 10DLC"),
        (30036, Rejected, "Validity period expired"),
        (30410, Unavailable, "Provider timeout"),
        (30500, Unavailable, "Twilio has an internal error"),
    ]
};

/// What each status word of a receipt means; [`Word::Failed`] takes its reason from the error code.
const STATUSES: &[(&str, Word)] = &[
    ("accepted", Word::Progress),
    ("scheduled", Word::Progress),
    ("queued", Word::Progress),
    ("sending", Word::Progress),
    ("sent", Word::Progress),
    ("delivered", Word::Delivered),
    ("read", Word::Delivered),
    ("undelivered", Word::Failed("The carrier did not deliver the message")),
    ("failed", Word::Failed("Twilio could not send the message")),
    ("canceled", Word::Failed("The message was canceled")),
];

pub fn accepted(response: &CarrierResponse) -> Result<ExternalId, SendError> {
    refusal::accepted(response, &MANNER, |body| {
        let code = u32::try_from(body["code"].as_u64()?).ok()?;
        let status = response.status();
        Some(match known(code) {
            Some((kind, reason)) => (kind, reason.to_owned()),
            None => {
                let reason = format!("Twilio answered with error {code} (HTTP {})", status.as_u16());
                (refusal::kind_of_status(status), reason)
            }
        })
    })
}

/// Reads a receipt's status word and error code.
pub fn status(word: &str, code: Option<&str>) -> ReceiptStatus {
    status::read(STATUSES, word, |reason| failure(reason, code))
}

fn failure(reason: &str, code: Option<&str>) -> SendError {
    let answer = CarrierAnswer::in_receipt(code, None);
    let Some(code) = code.and_then(|code| code.parse::<u32>().ok()).filter(|code| *code != 0) else {
        return SendError::new(SendErrorKind::Rejected, reason)
            .with_underlying(json!({ "message": reason }))
            .with_answer(answer);
    };
    let (kind, message) = known(code).unwrap_or((SendErrorKind::Rejected, reason));
    SendError::new(kind, message).with_underlying(json!({ "code": code, "message": message })).with_answer(answer)
}

fn known(code: u32) -> Option<(SendErrorKind, &'static str)> {
    CODES.iter().find(|(listed, ..)| *listed == code).map(|(_, kind, reason)| (*kind, *reason))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn answer(status: u16, body: impl Into<Vec<u8>>) -> CarrierResponse {
        http::Response::builder().status(status).body(body.into()).unwrap()
    }

    fn refusal(status: u16, code: u32) -> SendErrorKind {
        accepted(&answer(status, json!({"code": code, "status": status}).to_string())).unwrap_err().kind
    }

    #[test]
    fn an_accepted_message_is_known_by_its_sid() {
        let body = r#"{"sid":"SM00000000000000000000000000000001","status":"queued","from":null}"#;
        assert_eq!(accepted(&answer(201, body)).unwrap().0, "SM00000000000000000000000000000001");
    }

    #[test]
    fn an_acceptance_that_breaks_off_after_its_sid_is_one() {
        let body = r#"{"account_sid":"AC1","body":"sid","sid":"SM1","status":"que"#;
        assert_eq!(accepted(&answer(201, body)).unwrap().0, "SM1");
        for cut in [r#"{"account_sid":"AC1","#, r#"{"sid":"SM"#, r#"{"sid":"#] {
            assert_eq!(accepted(&answer(201, cut)).unwrap_err().kind, SendErrorKind::Undecided, "{cut}");
        }
    }

    #[test]
    fn an_acceptance_without_a_sid_is_undecided() {
        for body in ["", "{}", "<html>", r#"{"sid":null}"#, r#"{"sid":""}"#] {
            assert_eq!(accepted(&answer(201, body)).unwrap_err().kind, SendErrorKind::Undecided, "{body}");
        }
    }

    #[test]
    fn refusals_are_sorted_by_their_code() {
        assert_eq!(refusal(401, 20003), SendErrorKind::Unauthorized);
        assert_eq!(refusal(403, 20005), SendErrorKind::Forbidden);
        assert_eq!(refusal(400, 21606), SendErrorKind::Misconfigured);
        assert_eq!(refusal(400, 21211), SendErrorKind::Invalid);
        assert_eq!(refusal(400, 21610), SendErrorKind::OptedOut);
        assert_eq!(refusal(400, 21612), SendErrorKind::Rejected);
        assert_eq!(refusal(429, 20429), THROTTLED);
        assert_eq!(refusal(400, 21611), THROTTLED);
        assert_eq!(refusal(503, 20503), SendErrorKind::Unavailable);
        assert_eq!(refusal(400, 99999), SendErrorKind::Invalid);
        assert_eq!(refusal(503, 99999), SendErrorKind::Unavailable);
        for (status, code) in [(500, 20500), (500, 99999), (502, 20502), (504, 20504), (408, 20408)] {
            assert_eq!(refusal(status, code), SendErrorKind::Undecided, "{status} {code}");
        }
        for (status, code) in [(409, 20409), (421, 20421), (423, 20423), (425, 20425)] {
            assert_eq!(refusal(status, code), SendErrorKind::Unavailable, "{status} {code}");
        }
        assert_eq!(refusal(409, 21211), SendErrorKind::Invalid, "a code that is known says more than the status");
    }

    #[test]
    fn the_reason_repeats_no_number_and_the_business_gets_twilios_own_words() {
        let body = r#"{"code":21211,"message":"The 'To' number +1234 is not a valid phone number.","status":400}"#;
        let failure = accepted(&answer(400, body)).unwrap_err();
        assert_eq!(failure.reason, "The destination is not a valid phone number");
        assert_eq!(failure.underlying, Some(serde_json::from_str(body).unwrap()));
    }

    #[test]
    fn a_throttled_answer_keeps_the_wait() {
        let mut response = answer(429, r#"{"code":20429}"#);
        response.headers_mut().insert("retry-after", http::HeaderValue::from_static("3"));
        assert_eq!(accepted(&response).unwrap_err().retry_after, Some(3));
    }

    #[test]
    fn a_proxys_page_is_read_by_its_status() {
        for body in ["<html>Bad gateway</html>", ""] {
            let failure = accepted(&answer(502, body)).unwrap_err();
            assert_eq!((failure.kind, failure.underlying), (SendErrorKind::Undecided, None));
        }
    }

    #[test]
    fn receipts_move_deliver_or_fail() {
        for word in ["accepted", "scheduled", "queued", "sending", "sent", "something-new"] {
            assert_eq!(status(word, None), ReceiptStatus::Progress, "{word}");
        }
        assert_eq!(status("delivered", None), ReceiptStatus::Delivered);
        let ReceiptStatus::Failed(failure) = status("undelivered", Some("30005")) else { panic!("failed") };
        assert_eq!((failure.kind, failure.reason.as_str()), (SendErrorKind::Invalid, "Unknown destination handset"));
        assert_eq!(failure.underlying, Some(json!({"code": 30005, "message": "Unknown destination handset"})));
        for code in [None, Some(""), Some("x"), Some("99999")] {
            let ReceiptStatus::Failed(failure) = status("failed", code) else { panic!("failed") };
            assert_eq!(failure.kind, SendErrorKind::Rejected);
        }
        let ReceiptStatus::Failed(failure) = status("failed", Some("21610")) else { panic!("failed") };
        assert_eq!(failure.kind, SendErrorKind::OptedOut);
        assert!(matches!(status("canceled", None), ReceiptStatus::Failed(_)));
    }

    #[test]
    fn no_code_is_listed_twice() {
        assert!(CODES.is_sorted_by(|a, b| a.0 < b.0));
    }

    proptest! {
        #[test]
        fn no_answer_makes_reading_panic(status in 100u16..600, body in proptest::collection::vec(any::<u8>(), 0..200)) {
            let _ = accepted(&answer(status, body));
        }

        #[test]
        fn no_json_makes_reading_panic(status in 100u16..600, code in any::<i64>(), text in "\\PC{0,20}") {
            let _ = accepted(&answer(status, json!({"code": code, "message": text, "sid": code}).to_string()));
            let _ = super::status(&text, Some(&text));
        }
    }
}
