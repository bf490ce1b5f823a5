//! `GET` and `HEAD /media/{key}`, without credentials: who knows the key may have the file, whole, or the stretch of it that
//! a player asks for (RFC 9110, 14).
//!
//! `HEAD` gets the same answer. API Gateway keeps its body back and says how long it is, which it could not tell of one
//! that was left out here.

use std::ops::RangeInclusive;

use lambda_http::http::header::{
    ACCEPT_RANGES, CACHE_CONTROL, CONTENT_DISPOSITION, CONTENT_RANGE, CONTENT_SECURITY_POLICY, CONTENT_TYPE, ETAG,
    HeaderName, HeaderValue, IF_RANGE, RANGE, X_CONTENT_TYPE_OPTIONS,
};
use lambda_http::http::{HeaderMap, Method, StatusCode};
use lambda_http::{Body, Request, Response};
use shared::api::Answer;
use shared::files::File;
use shared::gateway;
use shared::model::{ApiError, ErrorCode, FileKey};
use shared::telemetry::{Metric, Outcome};

use crate::context::Context;

/// v1.1 lets a removed file stay in caches for a quarter of an hour.
const CACHED: &str = "public, max-age=900";
/// What is shown at our own address runs nothing, loads nothing and asks nobody.
const SHOWN_ALONE: &str = "default-src 'none'; img-src 'self'; media-src 'self'; object-src 'self'; style-src 'unsafe-inline'; form-action 'none'";

/// How much of a file is wanted.
#[derive(Debug, PartialEq)]
enum Stretch {
    Whole,
    /// From the first to the last byte, both within the file.
    Part(RangeInclusive<usize>),
    /// Nothing of it.
    Beyond,
}

/// The key that a request asks for, if it asks for a file.
pub fn key(request: &Request) -> Option<String> {
    let is_read = [Method::GET, Method::HEAD].contains(request.method());
    let words = gateway::words(request).filter(|_| is_read)?;
    let (first, key) = words.split_first()?;
    (first == "media" && !key.is_empty()).then(|| key.join("/"))
}

pub async fn hand_out(context: &Context, request: &Request, key: &str) -> Response<Body> {
    find(context, request, key).await.unwrap_or_else(|refusal| {
        let outcome = Outcome::of(Metric::RequestRefused).with("operation", "GetMedia");
        outcome.with("code", refusal.api_error().code.as_str()).log();
        gateway::refuse(&refusal)
    })
}

async fn find(context: &Context, request: &Request, key: &str) -> Answer {
    let missing = || ApiError::new(ErrorCode::NotFound, "There is no file at this address");
    let key: FileKey = key.parse().map_err(|_| missing())?;
    let file = context.files.get(&key).await?.ok_or_else(missing)?;
    let answer = answer(request, &key, &file);
    let outcome = Outcome::of(Metric::RequestServed).with("operation", "GetMedia").with("appId", key.app_id);
    outcome.with_number("status", i64::from(answer.status().as_u16())).log();
    Ok(answer)
}

fn answer(request: &Request, key: &FileKey, file: &File) -> Response<Body> {
    let size = file.bytes.len();
    let wanted =
        if request.method() == Method::GET { wanted(request.headers(), &key.etag(), size) } else { Stretch::Whole };
    let (status, body, content_range) = match wanted {
        Stretch::Whole => (StatusCode::OK, file.bytes.clone(), None),
        Stretch::Part(range) => {
            let content_range = format!("bytes {}-{}/{size}", range.start(), range.end());
            (StatusCode::PARTIAL_CONTENT, file.bytes.slice(range), Some(content_range))
        }
        Stretch::Beyond => return beyond(size),
    };
    let mut response = Response::new(Body::Binary(body.to_vec()));
    *response.status_mut() = status;
    let headers = [
        (CONTENT_TYPE, file.media_type.header()),
        (CONTENT_DISPOSITION, file.media_type.disposition(&key.name)),
        (CACHE_CONTROL, CACHED.to_owned()),
        (CONTENT_SECURITY_POLICY, SHOWN_ALONE.to_owned()),
        (X_CONTENT_TYPE_OPTIONS, "nosniff".to_owned()),
        (ACCEPT_RANGES, "bytes".to_owned()),
        (ETAG, key.etag()),
    ];
    set(&mut response, headers.into_iter().chain(content_range.map(|range| (CONTENT_RANGE, range))));
    response
}

fn beyond(size: usize) -> Response<Body> {
    let problem = format!("Range must begin within the file, which has {size} bytes");
    let error = ApiError::new(ErrorCode::RangeNotSatisfiable, problem);
    let mut response = gateway::json(error.code.status(), &error.body());
    set(&mut response, [(CONTENT_RANGE, format!("bytes */{size}"))]);
    response
}

/// Names and media types hold nothing that a header may not.
fn set(response: &mut Response<Body>, headers: impl IntoIterator<Item = (HeaderName, String)>) {
    for (name, value) in headers {
        if let Ok(value) = HeaderValue::from_str(&value) {
            response.headers_mut().insert(name, value);
        }
    }
}

/// One stretch at a time: who asks for several, for other units than bytes, in words that are none, or for the rest of
/// another file, gets the whole.
fn wanted(headers: &HeaderMap, etag: &str, size: usize) -> Stretch {
    let header = |name| headers.get(name).map(|value| value.to_str().unwrap_or_default());
    let is_of_this = header(IF_RANGE).is_none_or(|known| known == etag);
    let Some(range) = header(RANGE).filter(|_| is_of_this) else { return Stretch::Whole };
    let Ok(ranges) = http_range_header::parse_range_header(range.trim()) else { return Stretch::Whole };
    if ranges.len() != 1 {
        return Stretch::Whole;
    }
    let inside = ranges.validate(size as u64).ok().and_then(|ranges| ranges.into_iter().next());
    let index = |place: u64| usize::try_from(place).ok();
    let part = inside.and_then(|range| Some(index(*range.start())?..=index(*range.end())?));
    part.filter(|part| *part.end() < size).map_or(Stretch::Beyond, Stretch::Part)
}

#[cfg(test)]
mod tests {
    use super::*;

    const ETAG_OF_IT: &str = "\"7\"";

    fn asked(range: &str, if_range: Option<&str>) -> Stretch {
        let mut headers = HeaderMap::new();
        headers.insert(RANGE, range.parse().unwrap());
        if let Some(known) = if_range {
            headers.insert(IF_RANGE, known.parse().unwrap());
        }
        wanted(&headers, ETAG_OF_IT, 10)
    }

    #[test]
    fn a_player_gets_the_stretch_it_asks_for() {
        let cases = [
            ("bytes=0-1", 0..=1),
            ("Bytes=2-", 2..=9),
            ("bytes=-3", 7..=9),
            ("bytes=-30", 0..=9),
            ("bytes=9-9", 9..=9),
            ("bytes=0-99999999999999999999", 0..=9),
        ];
        for (range, part) in cases {
            assert_eq!(asked(range, None), Stretch::Part(part), "{range}");
        }
    }

    #[test]
    fn what_begins_behind_the_end_is_beyond_and_what_is_no_range_is_the_whole() {
        for range in ["bytes=10-", "bytes=10-11", "bytes=-0", "bytes=99999999999999999999-"] {
            assert_eq!(asked(range, None), Stretch::Beyond, "{range}");
        }
        for range in ["", "bytes", "bytes=", "bytes=a-b", "bytes=5-2", "bytes=0-1,4-5", "lines=0-1", "bytes=0-1;x"] {
            assert_eq!(asked(range, None), Stretch::Whole, "{range}");
        }
    }

    #[test]
    fn the_rest_of_another_file_is_the_whole_of_this_one() {
        assert_eq!(asked("bytes=0-1", Some(ETAG_OF_IT)), Stretch::Part(0..=1));
        for other in ["\"8\"", "W/\"7\"", "Tue, 03 Jun 2025 10:00:00 GMT"] {
            assert_eq!(asked("bytes=0-1", Some(other)), Stretch::Whole, "{other}");
        }
    }
}
