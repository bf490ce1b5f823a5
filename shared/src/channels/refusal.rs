//! What an HTTP answer means where the carrier's own error code says nothing, or there is none: a proxy's page, an
//! empty body, a code newer than our tables.

use http::StatusCode;
use http::header::RETRY_AFTER;
use time::OffsetDateTime;
use time::format_description::well_known::Rfc2822;

use super::{CarrierResponse, SendError, SendErrorKind};

/// A day: what a carrier may ask us to wait at most, whatever it writes.
const LONGEST_WAIT: u32 = 86_400;

/// The kind of failure by status alone; 2xx without a readable body means that the message may be on its way.
pub(in crate::channels) fn kind_of_status(status: StatusCode) -> SendErrorKind {
    match status.as_u16() {
        200..=299 => SendErrorKind::Undecided,
        401 => SendErrorKind::Unauthorized,
        403 => SendErrorKind::Forbidden,
        402 | 404 | 405 => SendErrorKind::Misconfigured,
        429 => SendErrorKind::Throttled { after: None },
        408 => SendErrorKind::Unavailable,
        400..=499 => SendErrorKind::Invalid,
        _ => SendErrorKind::Unavailable,
    }
}

/// A failure of this kind, sharpened by what the answer's head says: a 401 or 403 tells which side of the credentials
/// is at fault, and a throttled carrier may say how long.
pub(in crate::channels) fn refused(kind: SendErrorKind, reason: String, response: &CarrierResponse) -> SendError {
    let kind = match (kind, response.status()) {
        (SendErrorKind::Misconfigured, StatusCode::UNAUTHORIZED) => SendErrorKind::Unauthorized,
        (SendErrorKind::Misconfigured, StatusCode::FORBIDDEN) => SendErrorKind::Forbidden,
        (SendErrorKind::Throttled { .. }, _) => SendErrorKind::Throttled { after: retry_after(response) },
        (kind, _) => kind,
    };
    SendError::new(kind, reason)
}

/// `Retry-After` in seconds. A date counts from the answer's own `Date`, so that no clock is needed.
fn retry_after(response: &CarrierResponse) -> Option<u32> {
    let value = response.headers().get(RETRY_AFTER)?.to_str().ok()?.trim();
    if let Ok(seconds) = value.parse::<u32>() {
        return Some(seconds.min(LONGEST_WAIT));
    }
    let date = response.headers().get(http::header::DATE)?.to_str().ok()?;
    let seconds = (http_date(value)? - http_date(date)?).whole_seconds();
    u32::try_from(seconds).ok().map(|seconds| seconds.min(LONGEST_WAIT))
}

/// HTTP's date is RFC 2822's but for the zone, which it calls `GMT`.
fn http_date(text: &str) -> Option<OffsetDateTime> {
    OffsetDateTime::parse(&text.replace("GMT", "+0000"), &Rfc2822).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn throttled(headers: &[(&str, &str)]) -> Option<u32> {
        let mut builder = http::Response::builder().status(429);
        for (name, value) in headers {
            builder = builder.header(*name, *value);
        }
        let response = builder.body(Vec::new()).unwrap();
        refused(kind_of_status(response.status()), "slow down".into(), &response).retry_after()
    }

    #[test]
    fn a_wait_is_read_as_seconds_or_as_a_date() {
        assert_eq!(throttled(&[("retry-after", "7")]), Some(7));
        assert_eq!(throttled(&[("retry-after", "99999999")]), Some(86_400));
        let date = ("date", "Tue, 14 Nov 2023 22:13:20 GMT");
        assert_eq!(throttled(&[("retry-after", "Tue, 14 Nov 2023 22:13:50 GMT"), date]), Some(30));
        assert_eq!(throttled(&[("retry-after", "Tue, 14 Nov 2023 22:13:00 GMT"), date]), None);
        for nonsense in ["", "soon", "-1", "1.5", "Tue, 99 Nov 2023"] {
            assert_eq!(throttled(&[("retry-after", nonsense), date]), None, "{nonsense:?}");
        }
        assert_eq!(throttled(&[]), None);
    }

    #[test]
    fn a_status_alone_tells_who_can_help() {
        let kinds = [401, 403, 404, 418, 429, 500, 502, 301, 200]
            .map(|status| kind_of_status(StatusCode::from_u16(status).unwrap()));
        use SendErrorKind::*;
        let expected = [
            Unauthorized,
            Forbidden,
            Misconfigured,
            Invalid,
            Throttled { after: None },
            Unavailable,
            Unavailable,
            Unavailable,
            Undecided,
        ];
        assert_eq!(kinds, expected);
    }
}
