//! Files that the build has made, by path: found, or not; changed since the caller's copy, or not; compressed, or not.

use lambda_http::http::header::{self, HeaderMap, HeaderName, HeaderValue};
use lambda_http::http::{Method, StatusCode};
use lambda_http::{Body, Request, Response};
use shared::gateway;
use shared::model::{ApiError, ErrorCode};

struct File {
    path: &'static str,
    content_type: &'static str,
    etag: &'static str,
    plain: &'static [u8],
    compressed: &'static [u8],
}

const FILES: &[File] = include!(concat!(env!("OUT_DIR"), "/files.rs"));

/// The page may load and call what comes from here, and nothing else. Swagger UI styles its elements one by one.
const CONTENT_POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; \
                              img-src 'self' data:; connect-src 'self'; base-uri 'none'; frame-ancestors 'none'";

pub fn handle(request: &Request) -> Response<Body> {
    match find(request) {
        Ok(file) => answer(file, request.headers()),
        Err(error) => gateway::refuse(&error.into()),
    }
}

fn find(request: &Request) -> Result<&'static File, ApiError> {
    let path = gateway::path(request);
    let file = FILES.iter().find(|file| file.path == path);
    let file = file.ok_or_else(|| ApiError::new(ErrorCode::NotFound, "There is nothing at this path"))?;
    if request.method() == Method::GET {
        Ok(file)
    } else {
        Err(ApiError::new(ErrorCode::MethodNotAllowed, "Only GET is served at this path"))
    }
}

fn answer(file: &'static File, asked: &HeaderMap) -> Response<Body> {
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
    let bytes = if compressed { file.compressed } else { file.plain };
    let mut response = Response::new(match std::str::from_utf8(bytes) {
        Ok(text) => Body::Text(text.to_owned()),
        Err(_) => Body::Binary(bytes.to_vec()),
    });
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(file.content_type));
    if compressed {
        headers.insert(header::CONTENT_ENCODING, HeaderValue::from_static("gzip"));
    }
    response
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
