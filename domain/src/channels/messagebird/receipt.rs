//! MessageBird's words for what became of a message: its answer to a send, and the reports that follow.
//!
//! Tables from MessageBird's error and status reference. Low report codes are the GSM network's own (MAP) errors.

use std::ops::RangeInclusive;

use serde_json::{Map, Value};

use crate::channels::refusal::{self, Manner};
use crate::channels::status::{self, Word};
use crate::channels::{CarrierResponse, ReceiptStatus, SendError, SendErrorKind};
use crate::model::{CarrierAnswer, ExternalId};

const MANNER: Manner = Manner {
    carrier: "MessageBird",
    message_id: "id",
    request_id: "x-request-id",
    said: |error| (error["errors"][0]["code"].as_u64(), error["errors"][0]["description"].as_str()),
};

/// A refusal's error code, and the parameter that narrows it; the first row that fits counts.
#[rustfmt::skip]
const ERRORS: &[(u64, Option<&str>, SendErrorKind, &str)] = {
    use SendErrorKind::*;
    &[
        (2, None, Misconfigured, "MessageBird does not accept the integration's access key"),
        (9, Some("originator"), Misconfigured, "The integration has no originator"),
        (9, Some("recipients"), Invalid, "The number is not valid"),
        (9, Some("recipient"), Invalid, "The number is not valid"),
        (9, None, Invalid, "The message lacks a part that MessageBird needs"),
        (10, Some("originator"), Misconfigured, "The integration's originator is not valid"),
        (10, Some("recipients"), Invalid, "The number is not valid"),
        (10, Some("recipient"), Invalid, "The number is not valid"),
        (10, None, Invalid, "A part of the message is not valid"),
        (20, None, Invalid, "MessageBird does not know the message"),
        (21, None, Misconfigured, "MessageBird does not know the method"),
        (25, None, Misconfigured, "The account's balance is too low"),
        (98, None, Misconfigured, "MessageBird does not know the path"),
        (99, None, Undecided, "MessageBird has an internal error"),
    ]
};

/// `statusErrorCode` of a report that says the message failed.
#[rustfmt::skip]
const REPORT_CODES: &[(RangeInclusive<u32>, SendErrorKind, &str)] = {
    use SendErrorKind::*;
    &[
        (1..=3, Invalid, "Unknown subscriber"),
        (5..=5, Invalid, "Unknown subscriber"),
        (6..=6, Rejected, "Subscriber is absent"),
        (9..=9, Rejected, "Subscriber cannot receive SMS"),
        (11..=13, Rejected, "Subscriber cannot receive SMS"),
        (21..=21, Rejected, "Subscriber cannot receive SMS"),
        (27..=27, Rejected, "Subscriber is absent"),
        (31..=36, Unavailable, "The network has an error"),
        (103..=103, OptedOut, "The person has opted out of messages from this sender"),
    ]
};

/// What each status word of a report means.
const STATUSES: &[(&str, Word)] = &[
    ("scheduled", Word::Progress),
    ("sent", Word::Progress),
    ("buffered", Word::Progress),
    ("delivered", Word::Delivered),
    ("expired", Word::Failed("The message expired before it was delivered")),
    ("delivery_failed", Word::Failed("The message could not be delivered")),
];

pub fn accepted(response: &CarrierResponse) -> Result<ExternalId, SendError> {
    refusal::accepted(response, &MANNER, |body| known(body["errors"].as_array()?))
}

/// MessageBird lists all problems at once, in the order of their codes; the first that we know names the failure. A
/// wrong key comes first, so that what it hides is not blamed on the message.
fn known(errors: &[Value]) -> Option<(SendErrorKind, String)> {
    errors.iter().find_map(|error| {
        let code = error["code"].as_u64()?;
        let fits = |parameter: &Option<&str>| parameter.is_none() || error["parameter"].as_str() == *parameter;
        let (.., kind, reason) = ERRORS.iter().find(|(listed, parameter, ..)| *listed == code && fits(parameter))?;
        Some((*kind, (*reason).to_owned()))
    })
}

/// Reads a report's status word, with its error code and reason if it gives them.
pub fn status(word: &str, code: Option<&str>, reason: Option<&str>) -> ReceiptStatus {
    status::read(STATUSES, word, |sentence| failure(sentence, code, reason))
}

fn failure(sentence: &'static str, code: Option<&str>, reason: Option<&str>) -> SendError {
    let answer = CarrierAnswer::in_receipt(code, reason);
    let code = code.and_then(|code| code.parse::<u32>().ok()).filter(|code| *code != 0);
    let listed = code.and_then(|code| REPORT_CODES.iter().find(|(range, ..)| range.contains(&code)));
    let (kind, sentence) = listed.map_or((SendErrorKind::Rejected, sentence), |(_, kind, sentence)| (*kind, *sentence));
    let mut underlying = Map::new();
    if let Some(code) = code {
        underlying.insert("statusErrorCode".into(), code.into());
    }
    underlying.insert("statusReason".into(), reason.unwrap_or(sentence).into());
    SendError::new(kind, sentence).with_underlying(underlying.into()).with_answer(answer)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use serde_json::json;

    fn answer(status: u16, body: impl Into<Vec<u8>>) -> CarrierResponse {
        http::Response::builder().status(status).body(body.into()).unwrap()
    }

    fn refusal(status: u16, errors: Value) -> SendError {
        accepted(&answer(status, json!({ "errors": errors }).to_string())).unwrap_err()
    }

    fn failed(word: &str, code: Option<&str>, reason: Option<&str>) -> SendError {
        match status(word, code, reason) {
            ReceiptStatus::Failed(failure) => failure,
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn an_accepted_message_is_known_by_its_id() {
        let body = r#"{"id":"efa6405d518d4c0c88cce11f7db775fb","recipients":{"totalCount":1}}"#;
        assert_eq!(accepted(&answer(201, body)).unwrap().0, "efa6405d518d4c0c88cce11f7db775fb");
        assert_eq!(accepted(&answer(201, r#"{"id":"efa6","href":"htt"#)).unwrap().0, "efa6");
        for nameless in ["{}", r#"{"id":"efa"#, r#"{"id":""}"#, r#"{"id":7}"#] {
            assert_eq!(accepted(&answer(201, nameless)).unwrap_err().kind, SendErrorKind::Undecided, "{nameless}");
        }
    }

    #[test]
    fn refusals_are_sorted_by_code_and_parameter() {
        let error = |code, parameter| json!([{"code": code, "description": "…", "parameter": parameter}]);
        assert_eq!(refusal(401, error(2, "access_key")).kind, SendErrorKind::Unauthorized);
        assert_eq!(refusal(422, error(9, "recipients")).kind, SendErrorKind::Invalid);
        assert_eq!(refusal(422, error(9, "originator")).kind, SendErrorKind::Misconfigured);
        assert_eq!(refusal(422, error(10, "originator")).kind, SendErrorKind::Misconfigured);
        assert_eq!(refusal(422, error(10, "datacoding")).kind, SendErrorKind::Invalid);
        assert_eq!(refusal(402, error(25, "")).kind, SendErrorKind::Misconfigured);
        assert_eq!(refusal(404, error(98, "")).kind, SendErrorKind::Misconfigured);
        assert_eq!(refusal(500, error(99, "")).kind, SendErrorKind::Undecided);
        assert_eq!(refusal(422, error(1234, "")).kind, SendErrorKind::Invalid);
    }

    #[test]
    fn of_several_errors_the_wrong_key_counts() {
        let errors = json!([{"code": 2, "parameter": "access_key"}, {"code": 9, "parameter": "recipients"}]);
        let failure = refusal(401, errors.clone());
        assert_eq!(failure.kind, SendErrorKind::Unauthorized);
        assert_eq!(failure.underlying, Some(json!({ "errors": errors })));
    }

    #[test]
    fn answers_without_errors_are_read_by_status() {
        for body in [r#"{"errors":[]}"#, "", "<html>", "[]", "null"] {
            assert_eq!(accepted(&answer(500, body)).unwrap_err().kind, SendErrorKind::Undecided, "{body}");
            assert_eq!(accepted(&answer(503, body)).unwrap_err().kind, SendErrorKind::Unavailable, "{body}");
            assert_eq!(accepted(&answer(429, body)).unwrap_err().kind, SendErrorKind::Throttled {});
        }
    }

    #[test]
    fn reports_move_deliver_or_fail() {
        for word in ["scheduled", "sent", "buffered", "something-new"] {
            assert_eq!(status(word, None, None), ReceiptStatus::Progress, "{word}");
        }
        assert_eq!(status("delivered", None, None), ReceiptStatus::Delivered);
        let failure = failed("delivery_failed", Some("1"), Some("unknown subscriber"));
        assert_eq!(failure.kind, SendErrorKind::Invalid);
        assert_eq!(failure.underlying, Some(json!({"statusErrorCode": 1, "statusReason": "unknown subscriber"})));
        let by_code = |code| failed("delivery_failed", Some(code), None).kind;
        let kinds = ["5", "6", "27", "13", "34", "103", "104", "9999", "x", ""].map(by_code);
        use SendErrorKind::*;
        let expected =
            [Invalid, Rejected, Rejected, Rejected, Unavailable, OptedOut, Rejected, Rejected, Rejected, Rejected];
        assert_eq!(kinds, expected);
        assert_eq!(failed("expired", None, Some("DLR not received")).kind, Rejected);
    }

    proptest! {
        #[test]
        fn no_answer_makes_reading_panic(status in 100u16..600, body in proptest::collection::vec(any::<u8>(), 0..200)) {
            let _ = accepted(&answer(status, body));
        }

        #[test]
        fn no_json_makes_reading_panic(status in 100u16..600, code in any::<i64>(), text in "\\PC{0,20}") {
            let errors = json!([{"code": code, "parameter": text}, code, null]);
            let _ = accepted(&answer(status, json!({"errors": errors, "id": code}).to_string()));
            let _ = super::status(&text, Some(&text), Some(&text));
        }
    }
}
