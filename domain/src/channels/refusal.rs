//! What an HTTP answer means where the carrier's own error code says nothing, or there is none: a proxy's page, an
//! empty body, a code newer than our tables.

use http::StatusCode;
use serde_json::Value;

use super::{CarrierResponse, SendError, SendErrorKind, partial};
use crate::model::{CarrierAnswer, ExternalId};
use crate::retry::retry_after;

/// The kind of failure by status alone. "Not taken" is only what HTTP itself defines so: a proxy's 502, or a server that
/// broke in the middle, may have passed the message on.
pub(in crate::channels) fn kind_of_status(status: StatusCode) -> SendErrorKind {
    match status.as_u16() {
        401 => SendErrorKind::Unauthorized,
        403 => SendErrorKind::Forbidden,
        402 | 404 | 405 => SendErrorKind::Misconfigured,
        429 => SendErrorKind::Throttled {},
        // Conflict, misdirected, locked, too early, unavailable: refused for now.
        409 | 421 | 423 | 425 | 503 => SendErrorKind::Unavailable,
        408 => SendErrorKind::Undecided,
        400..=499 => SendErrorKind::Invalid,
        _ => SendErrorKind::Undecided,
    }
}

/// A failure of this kind, sharpened by what the answer's head says: a 401 or 403 tells which side of the credentials
/// is at fault, and a carrier that may take the message later may say when.
fn refused(kind: SendErrorKind, reason: String, response: &CarrierResponse) -> SendError {
    let kind = match (kind, response.status()) {
        (SendErrorKind::Misconfigured, StatusCode::UNAUTHORIZED) => SendErrorKind::Unauthorized,
        (SendErrorKind::Misconfigured, StatusCode::FORBIDDEN) => SendErrorKind::Forbidden,
        (kind, _) => kind,
    };
    let error = match kind {
        SendErrorKind::Undecided => SendError::undecided(&reason),
        kind => SendError::new(kind, reason),
    };
    let wish = if error.is_retryable() { retry_after(response.headers()) } else { None };
    SendError { retry_after: wish, ..error }
}

/// How a carrier answers a send.
pub(in crate::channels) struct Manner {
    pub carrier: &'static str,
    /// The field that names the message.
    pub message_id: &'static str,
    /// The header that names the request, where there is one.
    pub request_id: &'static str,
    /// The code and the sentence of an error.
    pub said: fn(&Value) -> (Option<u64>, Option<&str>),
}

impl Manner {
    fn answer(&self, response: &CarrierResponse, error: Option<&Value>) -> CarrierAnswer {
        let (code, said) = error.map(self.said).unwrap_or_default();
        let code = code.map(|code| code.to_string());
        let request_id = response.headers().get(self.request_id).and_then(|id| id.to_str().ok());
        CarrierAnswer::to_send(response.status().as_u16(), request_id, code.as_deref(), said)
    }
}

/// Reads the answer to a send: the id of the message it made, or why there is none. `known` reads the carrier's own
/// error, a JSON object that is kept whole for the business.
pub(in crate::channels) fn accepted(
    response: &CarrierResponse,
    manner: &Manner,
    known: impl FnOnce(&Value) -> Option<(SendErrorKind, String)>,
) -> Result<ExternalId, SendError> {
    let carrier = manner.carrier;
    if response.status().is_success() {
        let id = partial::string(response.body(), manner.message_id).filter(|id| !id.is_empty());
        let unnamed = || SendError::undecided(&format!("{carrier}'s answer names no message"));
        return id.map(ExternalId).ok_or_else(|| unnamed().with_answer(manner.answer(response, None)));
    }
    let status = response.status();
    let body = serde_json::from_slice::<Value>(response.body()).ok().filter(Value::is_object);
    let answer = manner.answer(response, body.as_ref());
    let (kind, reason) = body
        .as_ref()
        .and_then(known)
        .unwrap_or_else(|| (kind_of_status(status), format!("{carrier} answered with HTTP {}", status.as_u16())));
    Err(SendError { underlying: body, ..refused(kind, reason, response).with_answer(answer) })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_may_take_it_later_may_say_when() {
        for (status, wish) in [(429, Some(7)), (503, Some(7)), (409, Some(7)), (502, Some(7)), (400, None), (401, None)]
        {
            let response =
                http::Response::builder().status(status).header("retry-after", "7").body(Vec::new()).unwrap();
            let failure = refused(kind_of_status(response.status()), "No".into(), &response);
            assert_eq!(failure.retry_after, wish, "{status}");
        }
    }

    #[test]
    fn a_status_alone_tells_who_can_help_and_whether_the_message_may_have_gone_out() {
        use SendErrorKind::*;
        let table = [
            (Unauthorized, &[401][..]),
            (Forbidden, &[403]),
            (Misconfigured, &[402, 404, 405]),
            (Invalid, &[400, 406, 410, 413, 418, 422, 451]),
            (Throttled {}, &[429]),
            (Unavailable, &[409, 421, 423, 425, 503]),
            (Undecided, &[200, 201, 204, 301, 302, 307, 308, 408, 500, 501, 502, 504, 520, 524, 599]),
        ];
        for (kind, statuses) in table {
            for status in statuses {
                assert_eq!(kind_of_status(StatusCode::from_u16(*status).unwrap()), kind, "{status}");
            }
        }
    }
}
