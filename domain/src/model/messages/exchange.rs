//! An exchange with a carrier that failed, cut down to what may be logged and kept: why it failed has an answer then, and
//! nothing of the person, the message or the account is in it.

use serde::{Deserialize, Serialize};

use super::sentence::Sentence;
use super::{Message, MessageWire};
use crate::model::Timestamp;

/// Characters that are kept of a carrier's code, and of its id of a request.
const CODE_LIMIT: usize = 32;
const REQUEST_ID_LIMIT: usize = 64;

/// As it lies with the record of the send.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct FailedExchange {
    pub at: Timestamp,
    /// Which try to send it was. A receipt is none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub attempt: Option<u32>,
    pub carrier: CarrierAnswer,
}

/// What came back from the carrier.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum CarrierAnswer {
    /// To a send.
    #[serde(rename_all = "camelCase")]
    Answered {
        /// HTTP's.
        status: u16,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        code: Option<String>,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        sentence: Option<Sentence>,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        request_id: Option<String>,
    },
    /// In a receipt.
    Reported {
        #[serde(default, skip_serializing_if = "Option::is_none")]
        code: Option<String>,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        sentence: Option<Sentence>,
    },
    /// Nothing, and why, in our own words.
    Silent { cause: String },
}

impl CarrierAnswer {
    pub fn to_send(status: u16, request_id: Option<&str>, code: Option<&str>, said: Option<&str>) -> Self {
        Self::Answered {
            status,
            code: code.and_then(self::code),
            sentence: said.and_then(Sentence::redacted),
            request_id: request_id.map(|id| safe(id, REQUEST_ID_LIMIT)).filter(|id| !id.is_empty()),
        }
    }

    pub fn in_receipt(code: Option<&str>, said: Option<&str>) -> Self {
        Self::Reported { code: code.and_then(self::code), sentence: said.and_then(Sentence::redacted) }
    }

    /// Without the words of the message that it is about.
    pub fn without(self, message: &Message) -> Self {
        let texts = texts(message);
        let cut = |sentence: Option<Sentence>| sentence.map(|said| said.without(texts.iter().map(String::as_str)));
        match self {
            Self::Answered { status, code, sentence, request_id } => {
                Self::Answered { status, code, sentence: cut(sentence), request_id }
            }
            Self::Reported { code, sentence } => Self::Reported { code, sentence: cut(sentence) },
            Self::Silent { cause } => Self::Silent { cause },
        }
    }
}

/// Nought is no code.
fn code(text: &str) -> Option<String> {
    Some(safe(text, CODE_LIMIT)).filter(|code| !matches!(code.as_str(), "" | "0"))
}

/// Only what ids and codes are made of.
fn safe(text: &str, limit: usize) -> String {
    text.chars().filter(|c| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.')).take(limit).collect()
}

/// Every text in a message, wherever it stands.
fn texts(message: &Message) -> Vec<String> {
    fn collect(value: &serde_json::Value, into: &mut Vec<String>) {
        match value {
            serde_json::Value::String(text) => into.push(text.clone()),
            serde_json::Value::Array(items) => items.iter().for_each(|item| collect(item, into)),
            serde_json::Value::Object(members) => {
                let said = members.iter().filter(|(name, _)| *name != "type");
                said.for_each(|(_, item)| collect(item, into));
            }
            _ => {}
        }
    }
    let mut texts = Vec::new();
    collect(&serde_json::to_value(MessageWire::from(message)).unwrap_or_default(), &mut texts);
    texts
}
