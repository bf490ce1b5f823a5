//! The API's own description: `GET /openapi.json`, and a page at `/docs` that shows it. Files that the build has made; each
//! found, or not; changed since the caller's copy, or not; compressed, or not.

use std::io::Read;

use flate2::read::GzDecoder;
use lambda_http::http::header::{self, HeaderMap, HeaderName, HeaderValue};
use lambda_http::http::{Method, StatusCode};
use lambda_http::{Body, Request, Response};
use shared::gateway;

pub struct File {
    path: &'static str,
    content_type: &'static str,
    etag: &'static str,
    /// By gzip; unpacked for the few who do not take it.
    compressed: &'static [u8],
}

const FILES: &[File] = include!(concat!(env!("OUT_DIR"), "/files.rs"));

/// The page may load and call what comes from here, and nothing else. Swagger UI styles its elements one by one.
const CONTENT_POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; \
                              img-src 'self' data:; connect-src 'self'; base-uri 'none'; frame-ancestors 'none'";

/// The file that a request asks for.
pub fn find(request: &Request) -> Option<&'static File> {
    FILES.iter().find(|file| request.method() == Method::GET && file.path == gateway::path(request))
}

pub fn answer(file: &'static File, asked: &HeaderMap) -> Response<Body> {
    let mut response = if is_known(file, asked) {
        let mut response = Response::new(Body::Empty);
        *response.status_mut() = StatusCode::NOT_MODIFIED;
        response
    } else {
        content(file, asked)
    };
    let fixed: [(HeaderName, &'static str); 6] = [
        (header::ETAG, file.etag),
        (header::VARY, "accept-encoding"),
        (header::CACHE_CONTROL, lifetime(file)),
        (header::CONTENT_SECURITY_POLICY, CONTENT_POLICY),
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (header::REFERRER_POLICY, "no-referrer"),
    ];
    for (name, value) in fixed {
        response.headers_mut().insert(name, HeaderValue::from_static(value));
    }
    response
}

fn content(file: &'static File, asked: &HeaderMap) -> Response<Body> {
    let compressed = takes_gzip(asked);
    let bytes = if compressed { file.compressed.to_vec() } else { unpacked(file) };
    let body = String::from_utf8(bytes).map_or_else(|error| Body::Binary(error.into_bytes()), Body::Text);
    let mut response = Response::new(body);
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(file.content_type));
    if compressed {
        headers.insert(header::CONTENT_ENCODING, HeaderValue::from_static("gzip"));
    }
    response
}

fn unpacked(file: &File) -> Vec<u8> {
    let mut bytes = Vec::new();
    // What the build has packed can be unpacked.
    let _ = GzDecoder::new(file.compressed).read_to_end(&mut bytes);
    bytes
}

/// The document and its page change with a deployment, and are asked for anew each time; the viewer hardly ever.
fn lifetime(file: &File) -> &'static str {
    if file.path.starts_with("/docs/") { "public, max-age=86400" } else { "no-cache" }
}

fn is_known(file: &File, asked: &HeaderMap) -> bool {
    let opaque = |tag: &str| tag.trim().trim_start_matches("W/").to_owned();
    listed(asked, header::IF_NONE_MATCH).any(|tag| tag.trim() == "*" || opaque(tag) == opaque(file.etag))
}

fn takes_gzip(asked: &HeaderMap) -> bool {
    listed(asked, header::ACCEPT_ENCODING).any(|entry| {
        let (name, parameters) = entry.split_once(';').unwrap_or((entry, ""));
        let is_refused = parameters.trim().strip_prefix("q=").is_some_and(|q| q.trim().parse() == Ok(0.0));
        name.trim().eq_ignore_ascii_case("gzip") && !is_refused
    })
}

/// The entries of a header that is a list.
fn listed(asked: &HeaderMap, name: HeaderName) -> impl Iterator<Item = &str> {
    asked.get_all(name).into_iter().filter_map(|value| value.to_str().ok()).flat_map(|value| value.split(','))
}
