//! MessageBird's verified callbacks: reports (they have a `status` and no text) and messages from people.
//!
//! A number's messages are forwarded in one of two ways, set in MessageBird's dashboard: by the classic webhook, or by a
//! flow. Their fields differ, and real posts repeat names and mix their case.

use serde_json::Map;
use sha2::{Digest, Sha256};
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

use super::receipt;
use crate::channels::fields::Fields;
use crate::channels::{Callback, Incoming, Malformed, Receipt, Reply, ReplyPart};
use crate::model::{Address, ExternalId, Timestamp};

/// A text by the classic webhook, a flow, a short code; an MMS may have a subject only.
const TEXT_NAMES: [&str; 4] = ["body", "payload", "message", "subject"];
const ID_NAMES: [&str; 3] = ["id", "message_id", "mid"];
const TIME_NAMES: [&str; 4] = ["createdDatetime", "date_utc", "receive_datetime", "date"];
/// Up to this length a number is a short code, not a subscriber's.
const SHORT_CODE_LENGTH: usize = 6;

pub fn parse(callback: &Callback) -> Result<Vec<Incoming>, Malformed> {
    let fields = Fields::of(callback)?;
    if let Some(originator) = fields.filled("originator")
        && says_something(&fields)
    {
        return Ok(vec![Incoming::Reply(reply(originator, &fields, callback.received)?)]);
    }
    let id = fields.filled("id").ok_or_else(|| Malformed("it is neither a report nor a message".into()))?;
    let word = fields.filled("status").ok_or_else(|| Malformed("the report has no status".into()))?;
    let status = receipt::status(word, fields.filled("statusErrorCode"), fields.filled("statusReason"));
    Ok(vec![Incoming::Receipt(Receipt { external_id: ExternalId(id.to_owned()), status })])
}

/// An empty text is a message too, so presence counts.
fn says_something(fields: &Fields) -> bool {
    TEXT_NAMES.iter().any(|name| fields.get(name).is_some()) || fields.filled("mediaUrls").is_some()
}

fn reply(originator: &str, fields: &Fields, received: Timestamp) -> Result<Reply, Malformed> {
    let is_number = originator.trim_start_matches('+').len() > SHORT_CODE_LENGTH;
    let from = Some(originator)
        .filter(|_| is_number)
        .and_then(|originator| Address::e164(originator).ok())
        .map_or_else(|| Address::sender(originator), Ok)
        .map_err(|_| Malformed("originator is neither a number nor a sender's name".into()))?;
    let external_id = match fields.filled_one_of(&ID_NAMES) {
        Some(id) => ExternalId(id.to_owned()),
        None => derived_id(fields, received),
    };
    let raw = Map::from_iter([("originator".to_owned(), originator.into())]);
    Ok(Reply { external_id, from, display_name: None, parts: parts(fields), sent: sent(fields), raw })
}

fn parts(fields: &Fields) -> Vec<ReplyPart> {
    let text = TEXT_NAMES.iter().find_map(|name| fields.filled(name)).unwrap_or_default();
    let media: Vec<_> = fields
        .all("mediaUrls")
        .filter(|url| !url.is_empty())
        .enumerate()
        .map(|(index, url)| ReplyPart::Media {
            url: url.to_owned(),
            media_type: None,
            text: Some(text).filter(|text| index == 0 && !text.is_empty()).map(str::to_owned),
        })
        .collect();
    if media.is_empty() { vec![ReplyPart::Text(text.to_owned())] } else { media }
}

/// For a flow that forwards no id: the same for the same message, as far as its content and time tell. Where it gives no
/// time either, the minute of arrival stands in, so that a person can say the same thing twice.
fn derived_id(fields: &Fields, received: Timestamp) -> ExternalId {
    let minute = received.seconds().div_euclid(60).to_string();
    let time = fields.filled_one_of(&TIME_NAMES).unwrap_or(&minute);
    let mut hash = Sha256::new();
    for part in [fields.get("originator"), fields.get("recipient"), Some(time)] {
        hash.update(part.unwrap_or_default());
        hash.update([0]);
    }
    for part in TEXT_NAMES.iter().flat_map(|name| fields.all(name)).chain(fields.all("mediaUrls")) {
        hash.update(part);
        hash.update([0]);
    }
    ExternalId(hex::encode(&hash.finalize()[..16]))
}

fn sent(fields: &Fields) -> Option<Timestamp> {
    // A `+` that was not encoded has become a blank.
    let written = fields.filled("createdDatetime").map(|text| text.replace(' ', "+"));
    let written =
        written.and_then(|text| OffsetDateTime::parse(&text, &Rfc3339).ok()).map(OffsetDateTime::unix_timestamp);
    let seconds = written.or_else(|| fields.filled("date_utc")?.parse().ok())?;
    Some(Timestamp::from_millis(0).plus_seconds(seconds))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::channels::ReceiptStatus;
    use crate::channels::conformance::{get, post};

    const CLASSIC: &str = "id=8a1f0e2d3c4b5a69788796a5b4c3d2e1&recipient=31970000001&originator=31612345678&body=thanks\
                           &createdDatetime=2023-11-14T22%3A13%3A20%2B00%3A00";

    fn parsed(callback: &Callback) -> Incoming {
        parse(callback).unwrap().remove(0)
    }

    fn reply_to(callback: &Callback) -> Reply {
        match parsed(callback) {
            Incoming::Reply(reply) => reply,
            Incoming::Receipt(_) => panic!("a report"),
        }
    }

    fn form(body: &str) -> Callback {
        post("application/x-www-form-urlencoded", body)
    }

    #[test]
    fn a_report_comes_in_the_query() {
        let url = "https://x.example/cb?id=efa6&recipient=31612345678&reference=n-42&status=delivery_failed&statusErrorCode=6";
        let Incoming::Receipt(receipt) = parsed(&get(url)) else { panic!("a reply") };
        assert_eq!(receipt.external_id.0, "efa6");
        assert!(matches!(receipt.status, ReceiptStatus::Failed(_)));
    }

    #[test]
    fn a_message_is_read_from_a_classic_post_and_from_a_get() {
        let reply = reply_to(&form(CLASSIC));
        assert_eq!(reply.external_id.0, "8a1f0e2d3c4b5a69788796a5b4c3d2e1");
        assert_eq!(reply.from.as_str(), "+31612345678");
        assert_eq!(reply.parts, [ReplyPart::Text("thanks".into())]);
        assert_eq!(reply.sent, Some(Timestamp::from_millis(1_700_000_000_000)));
        assert_eq!(reply_to(&get(&format!("https://x.example/cb?{CLASSIC}"))), reply);
    }

    #[test]
    fn names_match_in_any_case_and_the_last_id_counts() {
        let reply = reply_to(&form(
            "ID=first&Originator=31612345678&BODY=hi&Id=last&createddatetime=2023-11-14T22:13:20+00:00",
        ));
        assert_eq!(reply.external_id.0, "last");
        assert_eq!(reply.sent, Some(Timestamp::from_millis(1_700_000_000_000)));
    }

    #[test]
    fn a_flow_forwards_a_payload_as_form_or_json() {
        let as_form = reply_to(&form("originator=31612345678&payload=Hello+you&recipient=31970000001"));
        let json = r#"{"originator":31612345678,"payload":"Hello you","recipient":"31970000001","x":{"y":1}}"#;
        assert_eq!(reply_to(&post("application/json; charset=utf-8", json)), as_form);
        assert_eq!(as_form.parts, [ReplyPart::Text("Hello you".into())]);
    }

    #[test]
    fn without_an_id_the_same_message_has_the_same_one() {
        let at = |seconds, text: &str| {
            let callback = form(&format!("originator=31612345678&payload={text}"));
            reply_to(&Callback { received: Timestamp::from_millis(0).plus_seconds(seconds), ..callback }).external_id
        };
        assert_eq!(at(120, "yes"), at(150, "yes"));
        assert_ne!(at(120, "yes"), at(120, "no"));
        assert_ne!(at(120, "yes"), at(300, "yes"));
        let dated = |seconds| {
            let callback = form("originator=31612345678&payload=yes&createdDatetime=2023-11-14T22%3A13%3A20Z");
            reply_to(&Callback { received: Timestamp::from_millis(0).plus_seconds(seconds), ..callback }).external_id
        };
        assert_eq!(dated(120), dated(40_000));
        assert_eq!(dated(0).0.len(), 32);
    }

    #[test]
    fn media_are_parts_and_the_text_goes_with_the_first() {
        let reply = reply_to(&form(
            "id=1&originator=15550100002&body=look&mediaUrls=https%3A%2F%2Fm.example%2F1&mediaURLs=https%3A%2F%2Fm.example%2F2",
        ));
        let expected = |url: &str, text: Option<&str>| ReplyPart::Media {
            url: url.into(),
            media_type: None,
            text: text.map(str::to_owned),
        };
        assert_eq!(reply.parts, [expected("https://m.example/1", Some("look")), expected("https://m.example/2", None)]);
        let json = r#"{"id":"1","originator":"15550100002","mediaUrls":["https://m.example/1"],"subject":"s"}"#;
        assert_eq!(reply_to(&post("application/json", json)).parts, [expected("https://m.example/1", Some("s"))]);
    }

    #[test]
    fn empty_and_very_long_texts_are_messages_and_short_codes_can_write() {
        assert_eq!(reply_to(&form("id=1&originator=31612345678&body=")).parts, [ReplyPart::Text(String::new())]);
        let long = "x".repeat(20_000);
        assert_eq!(reply_to(&form(&format!("id=1&originator=31612345678&body={long}"))).parts, [ReplyPart::Text(long)]);
        assert_eq!(reply_to(&form("mid=1&originator=1008&shortcode=1008&message=hi")).from.as_str(), "1008");
        assert_eq!(reply_to(&form("id=1&originator=TeaHouse&body=hi")).from.as_str(), "TeaHouse");
    }

    #[test]
    fn what_is_neither_report_nor_message_makes_no_sense() {
        for body in ["", "a=b", "id=1", "status=sent", "originator=31612345678", "originator=%00&body=x", "%%%"] {
            assert!(parse(&form(body)).is_err(), "{body}");
        }
        for body in ["", "[]", "{", "null", r#"{"id":{}}"#] {
            assert!(parse(&post("application/json", body)).is_err(), "{body}");
        }
    }
}
