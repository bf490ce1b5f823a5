//! Twilio's verified posts: receipts (they alone have a `MessageStatus`) and messages from people.
//!
//! Stop words are Twilio's business: it answers the person and blocks the pair, and the message reaches us like any other.
//!
//! A signature covers the fields without what stands between them: a value that swallowed the next field's name would be
//! signed as well. So what decides who is meant, and which message, must have its full form.

use serde_json::{Map, Value};

use super::{MEDIA_LIMIT, receipt};
use crate::channels::fields::Fields;
use crate::channels::{Callback, Incoming, Malformed, Receipt, Reply, ReplyPart};
use crate::model::{Address, ExternalId};

/// What Twilio tells of the person, guessed from their number's region.
const RAW_FIELDS: [&str; 5] = ["From", "FromCity", "FromState", "FromZip", "FromCountry"];

pub fn parse(account_sid: &str, callback: &Callback) -> Result<Vec<Incoming>, Malformed> {
    let fields = Fields::of(callback)?;
    let external_id = fields
        .filled_one_of(&["MessageSid", "SmsMessageSid", "SmsSid"])
        .filter(|sid| is_message_sid(sid))
        .map(|sid| ExternalId(sid.to_owned()))
        .ok_or_else(|| Malformed("MessageSid is missing, or none of Twilio's".into()))?;
    if fields.get("AccountSid") != Some(account_sid) {
        return Err(Malformed("AccountSid is missing, or another account's".into()));
    }
    Ok(vec![match fields.filled("MessageStatus") {
        Some(word) => {
            Incoming::Receipt(Receipt { external_id, status: receipt::status(word, fields.filled("ErrorCode")) })
        }
        None => Incoming::Reply(reply(external_id, &fields)?),
    }])
}

/// `SM` or, with media, `MM`, and 32 hexadecimal digits.
fn is_message_sid(text: &str) -> bool {
    let digits = text.strip_prefix("SM").or_else(|| text.strip_prefix("MM"));
    digits.is_some_and(|digits| digits.len() == 32 && digits.bytes().all(|byte| byte.is_ascii_hexdigit()))
}

fn reply(external_id: ExternalId, fields: &Fields) -> Result<Reply, Malformed> {
    let from = fields.filled("From").ok_or_else(|| Malformed("From is missing".into()))?;
    // Numbers come with `+`; what has none is a short code or a name.
    let from = if from.starts_with('+') { Address::e164(from) } else { Address::sender(from) }
        .map_err(|_| Malformed("From is neither a number nor a sender's name".into()))?;
    let raw: Map<String, Value> =
        RAW_FIELDS.iter().filter_map(|name| Some(((*name).to_owned(), fields.get(name)?.into()))).collect();
    Ok(Reply { external_id, from, display_name: None, parts: parts(fields), sent: None, raw })
}

fn parts(fields: &Fields) -> Vec<ReplyPart> {
    let text = fields.get("Body").unwrap_or_default();
    let media: Vec<_> = (0..MEDIA_LIMIT)
        .map_while(|index| {
            let url = fields.filled(&format!("MediaUrl{index}"))?.to_owned();
            let media_type = fields.filled(&format!("MediaContentType{index}")).map(str::to_owned);
            let text = Some(text).filter(|text| index == 0 && !text.is_empty()).map(str::to_owned);
            Some(ReplyPart::Media { url, media_type, text })
        })
        .collect();
    if media.is_empty() { vec![ReplyPart::Text(text.to_owned())] } else { media }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::channels::conformance::post;
    use crate::channels::{ReceiptStatus, SendErrorKind};

    const ACCOUNT: &str = "AC00000000000000000000000000000001";

    fn of_the_account(body: &str) -> Callback {
        post("application/x-www-form-urlencoded", &format!("AccountSid={ACCOUNT}&{body}"))
    }

    fn parsed(body: &str) -> Incoming {
        let mut incoming = parse(ACCOUNT, &of_the_account(body)).unwrap();
        assert_eq!(incoming.len(), 1);
        incoming.remove(0)
    }

    fn reply_to(body: &str) -> Reply {
        match parsed(body) {
            Incoming::Reply(reply) => reply,
            Incoming::Receipt(_) => panic!("a receipt"),
        }
    }

    #[test]
    fn a_receipt_is_known_by_its_message_status() {
        let Incoming::Receipt(receipt) = parsed(
            "SmsSid=SM00000000000000000000000000000001&SmsStatus=sent&MessageStatus=sent&MessageSid=SM00000000000000000000000000000001",
        ) else {
            panic!("a reply")
        };
        assert_eq!(
            (receipt.external_id.0.as_str(), receipt.status),
            ("SM00000000000000000000000000000001", ReceiptStatus::Progress)
        );
        let failed = parsed(
            "SmsSid=SM00000000000000000000000000000001&SmsStatus=undelivered&MessageStatus=undelivered&ErrorCode=30003&To=%2B15550100002",
        );
        let Incoming::Receipt(Receipt { status: ReceiptStatus::Failed(failure), .. }) = failed else {
            panic!("not failed")
        };
        assert_eq!(failure.kind, SendErrorKind::Rejected);
    }

    #[test]
    fn a_text_keeps_every_character() {
        let reply = reply_to(
            "MessageSid=SM00000000000000000000000000000002&From=%2B15550100002&Body=%C3%87a+va%3F+100%25+%F0%9F%99%82&NumMedia=0&FromCity=",
        );
        assert_eq!(reply.parts, [ReplyPart::Text("Ça va? 100% 🙂".into())]);
        assert_eq!(reply.from.as_str(), "+15550100002");
        assert_eq!(serde_json::to_string(&reply.raw).unwrap(), r#"{"From":"+15550100002","FromCity":""}"#);
    }

    #[test]
    fn an_empty_text_and_a_very_long_one_are_messages_all_the_same() {
        assert_eq!(
            reply_to("MessageSid=SM00000000000000000000000000000002&From=%2B15550100002&Body=").parts,
            [ReplyPart::Text(String::new())]
        );
        let long = "x".repeat(20_000);
        let reply = reply_to(&format!(
            "MessageSid=SM00000000000000000000000000000002&From=%2B15550100002&Body={long}&NumSegments=130"
        ));
        assert_eq!(reply.parts, [ReplyPart::Text(long)]);
    }

    #[test]
    fn each_medium_is_a_part_and_the_caption_goes_with_the_first() {
        let media: String = (0..10)
            .map(|i| format!("&MediaUrl{i}=https%3A%2F%2Fm.example%2F{i}&MediaContentType{i}=image%2Fpng"))
            .collect();
        let reply = reply_to(&format!(
            "MessageSid=MM00000000000000000000000000000003&From=%2B15550100002&Body=look&NumMedia=10{media}"
        ));
        assert_eq!(reply.parts.len(), 10);
        let expected = |index: usize, text: Option<&str>| ReplyPart::Media {
            url: format!("https://m.example/{index}"),
            media_type: Some("image/png".into()),
            text: text.map(str::to_owned),
        };
        assert_eq!(reply.parts[0], expected(0, Some("look")));
        assert_eq!(reply.parts[9], expected(9, None));
    }

    #[test]
    fn a_stop_word_is_a_message_and_a_short_code_can_write() {
        let reply = reply_to("MessageSid=SM00000000000000000000000000000004&From=12345&Body=STOP&OptOutType=STOP");
        assert_eq!((reply.from.as_str(), &reply.parts[0]), ("12345", &ReplyPart::Text("STOP".into())));
        assert_eq!(reply_to("MessageSid=SM00000000000000000000000000000004&From=BANK&Body=hi").from.as_str(), "BANK");
    }

    #[test]
    fn what_names_no_message_or_no_person_makes_no_sense() {
        for body in [
            "",
            "a=b",
            "From=%2B15550100002&Body=hi",
            "MessageSid=SM00000000000000000000000000000001&Body=hi",
            "MessageSid=SM00000000000000000000000000000001&From=%00&Body=hi",
            "%",
        ] {
            assert!(parse(ACCOUNT, &of_the_account(body)).is_err(), "{body}");
        }
        assert!(parse(ACCOUNT, &post("application/json", "[]")).is_err());
    }

    #[test]
    fn a_field_that_swallowed_the_next_one_is_no_message() {
        let sid = "SM00000000000000000000000000000001";
        let form = |sid: &str, rest: &str| format!("MessageSid={sid}&SmsSid={sid}&From=%2B15550100002&Body=hi{rest}");
        assert!(parse(ACCOUNT, &of_the_account(&form(sid, "&NumMedia=0"))).is_ok());
        for swallowed in
            [format!("{sid}NumMedia0"), format!("{sid}NumMedia"), sid[..33].to_owned(), format!("XX{}", &sid[2..])]
        {
            assert!(parse(ACCOUNT, &of_the_account(&form(&swallowed, ""))).is_err(), "{swallowed}");
        }
        for account in ["", "AccountSid=AC2&", "AccountSid=AC00000000000000000000000000000001ApiVersion&"] {
            let body = format!("{account}{}", form(sid, ""));
            assert!(parse(ACCOUNT, &post("application/x-www-form-urlencoded", &body)).is_err(), "{account}");
        }
    }

    #[test]
    fn names_of_senders_that_are_legal_on_a_network_are_taken() {
        for (written, name) in
            [("McDonald%27s", "McDonald's"), ("DHL+(DE)", "DHL (DE)"), ("Tea%231!", "Tea#1!"), ("A%2FB", "A/B")]
        {
            let reply = reply_to(&format!("MessageSid=SM00000000000000000000000000000004&From={written}&Body=hi"));
            assert_eq!(reply.from.as_str(), name);
        }
    }
}
