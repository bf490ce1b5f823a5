//! HTTP functions: from API Gateway's event to a request, and from a refusal to v1.1's error body.
//!
//! API Gateway hands over decoded paths and whatever host the caller wrote; both are made fit for a URI here, before
//! `lambda_http` builds one of them.

use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use lambda_http::request::LambdaRequest;
use lambda_http::{Adapter, Body, Error, LambdaEvent, Request, RequestExt, Response, service_fn};
use percent_encoding::{AsciiSet, CONTROLS, utf8_percent_encode};
use serde_json::Value;
use tower::ServiceExt;

use crate::auth::AuthError;
use crate::files::FilesError;
use crate::model::{ApiError, ErrorCode};
use crate::publish::PublishError;
use crate::queue::QueueError;
use crate::store::StoreError;

/// What an API function answers with when it refuses: the caller's fault by v1.1's error, ours by 503.
#[derive(Debug, thiserror::Error)]
pub enum Refusal {
    #[error(transparent)]
    Caller(#[from] ApiError),
    #[error(transparent)]
    Store(#[from] StoreError),
    #[error(transparent)]
    Queue(#[from] QueueError),
    #[error(transparent)]
    Publish(#[from] PublishError),
    #[error(transparent)]
    Files(#[from] FilesError),
    /// The path's documented spelling is another function's.
    #[error("served under the path's documented spelling")]
    Elsewhere(String),
    /// The path is served by these methods.
    #[error("another method")]
    OtherMethods(Vec<&'static str>),
    /// The app asks too much at once.
    #[error("too many requests")]
    Flooded(Duration),
}

impl From<AuthError> for Refusal {
    fn from(error: AuthError) -> Self {
        match error {
            AuthError::Refused(error) => Self::Caller(error),
            AuthError::Store(error) => Self::Store(error),
        }
    }
}

impl Refusal {
    /// The error as the caller sees it. What went wrong on our side is in the log only.
    pub fn api_error(&self) -> ApiError {
        match self {
            Self::Caller(error) => error.clone(),
            Self::Store(_) | Self::Queue(_) | Self::Publish(_) | Self::Files(_) => ApiError::new(
                ErrorCode::ServiceUnavailable,
                "This may not have been done; please try again in a moment",
            ),
            Self::Elsewhere(path) => {
                ApiError::new(ErrorCode::NotFound, format!("This is served under its documented spelling, {path}"))
            }
            Self::OtherMethods(methods) => {
                let problem = format!("Only {} is served at this path", methods.join(", "));
                ApiError::new(ErrorCode::MethodNotAllowed, problem)
            }
            Self::Flooded(_) => ApiError::new(
                ErrorCode::TooManyRequests,
                "The app makes too many requests at once; try again after the seconds in Retry-After",
            ),
        }
    }
}

/// Runs an HTTP function until Lambda ends it. A browser that asks beforehand (`OPTIONS`) is told yes; which pages may do
/// what is said by API Gateway, which puts the headers on this answer too.
pub async fn run<F, Fut>(handler: F) -> Result<(), Error>
where
    F: Fn(Request) -> Fut + Send + Sync + 'static,
    Fut: Future<Output = Response<Body>> + Send,
{
    let handler = Arc::new(handler);
    let service = service_fn(move |request: Request| {
        let handler = Arc::clone(&handler);
        async move {
            Ok::<_, Error>(if request.method() == http::Method::OPTIONS { nothing() } else { handler(request).await })
        }
    });
    let service = Adapter::from(service).map_request(|mut event: LambdaEvent<LambdaRequest>| {
        make_buildable(&mut event.payload);
        event
    });
    lambda_http::lambda_runtime::run(service).await
}

/// A success without a body.
fn nothing() -> Response<Body> {
    let mut response = Response::new(Body::Empty);
    *response.status_mut() = http::StatusCode::NO_CONTENT;
    response
}

/// A JSON answer.
pub fn json(status: u16, body: &Value) -> Response<Body> {
    let mut response = Response::new(Body::Text(body.to_string()));
    *response.status_mut() = http::StatusCode::from_u16(status).unwrap_or(http::StatusCode::INTERNAL_SERVER_ERROR);
    let headers = response.headers_mut();
    headers.insert(http::header::CONTENT_TYPE, http::HeaderValue::from_static("application/json; charset=utf-8"));
    headers.insert(http::header::CACHE_CONTROL, http::HeaderValue::from_static("no-store"));
    response
}

/// v1.1's error answer; ours to mend ones are logged and carry `Retry-After`.
pub fn refuse(refusal: &Refusal) -> Response<Body> {
    use http::header::{ALLOW, LOCATION, RETRY_AFTER};
    let error = refusal.api_error();
    let mut response = json(error.code.status(), &error.body());
    let header = match refusal {
        Refusal::Caller(_) => None,
        Refusal::Store(_) | Refusal::Queue(_) | Refusal::Publish(_) | Refusal::Files(_) => {
            tracing::error!(error = %refusal, "request refused for a fault of ours");
            Some((RETRY_AFTER, "1".to_owned()))
        }
        Refusal::Elsewhere(path) => {
            *response.status_mut() = http::StatusCode::PERMANENT_REDIRECT;
            Some((LOCATION, path.clone()))
        }
        Refusal::OtherMethods(methods) => Some((ALLOW, methods.join(", "))),
        Refusal::Flooded(wait) => Some((RETRY_AFTER, (wait.as_secs() + 1).to_string())),
    };
    if let Some((name, value)) = header
        && let Ok(value) = http::HeaderValue::from_str(&value)
    {
        response.headers_mut().insert(name, value);
    }
    response
}

/// The path's segments, decoded, without empty ones at its ends.
pub fn segments(request: &Request) -> Vec<String> {
    let decoded = |segment: &str| percent_encoding::percent_decode_str(segment).decode_utf8_lossy().into_owned();
    request.raw_http_path().trim_matches('/').split('/').map(decoded).collect()
}

/// Path and query as the caller wrote them, for signatures over URLs.
pub fn path_and_query(request: &Request) -> String {
    match request.uri().query() {
        Some(query) => format!("{}?{query}", request.raw_http_path()),
        None => request.raw_http_path().to_owned(),
    }
}

fn make_buildable(request: &mut LambdaRequest) {
    if let LambdaRequest::ApiGatewayV2(event) = request {
        event.raw_path = event.raw_path.take().map(|path| escaped(&path, PATH));
        event.raw_query_string = event.raw_query_string.take().map(|query| escaped(&query, QUERY));
        let host_is_odd = event
            .headers
            .get(http::header::HOST)
            .is_some_and(|host| host.to_str().ok().is_none_or(|host| !is_authority(host)));
        if host_is_odd {
            event.headers.remove(http::header::HOST);
            event.request_context.domain_name = None;
        }
    }
}

/// A host with a port that exists, if with any.
fn is_authority(host: &str) -> bool {
    let port = host.rsplit_once(':').map(|(_, port)| port).filter(|port| !port.ends_with(']'));
    host.parse::<http::uri::Authority>().is_ok() && port.is_none_or(|port| port.parse::<u16>().is_ok())
}

/// What may not stand in a URI. A query comes as the caller wrote it.
const QUERY: &AsciiSet = &CONTROLS
    .add(b' ')
    .add(b'"')
    .add(b'<')
    .add(b'>')
    .add(b'\\')
    .add(b'^')
    .add(b'`')
    .add(b'{')
    .add(b'|')
    .add(b'}')
    .add(b'#');
/// A path comes decoded: what is a percent sign there was one to the caller.
const PATH: &AsciiSet = &QUERY.add(b'%').add(b'?');

fn escaped(text: &str, unfit: &'static AsciiSet) -> String {
    utf8_percent_encode(text, unfit).to_string()
}
