//! HTTP functions: from API Gateway's event to a request, and from a refusal to v1.1's error body.
//!
//! `lambda_http` builds a URI from path, host and forwarded scheme before anything of ours runs, and panics where they make
//! none. Proxies double and garble such headers, and nothing here wants them: our own address is configured. So it is given
//! a path and a query that are fit for a URI, and no host; the path as it came is kept beside ([`path`]).

use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use lambda_http::request::{LambdaRequest, RequestContext};
use lambda_http::{Adapter, Body, Error, LambdaEvent, Request, RequestExt, Response, service_fn};
use percent_encoding::{AsciiSet, CONTROLS, utf8_percent_encode};
use serde_json::{Map, Value};
use tower::ServiceExt;

use crate::api::path;
use crate::auth::AuthError;
use crate::files::FilesError;
use crate::model::{ApiError, ErrorCode};
use crate::publish::PublishError;
use crate::queue::QueueError;
use crate::store::StoreError;
use crate::telemetry::Causes;

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
    /// The path is served by these methods.
    #[error("another method")]
    OtherMethods(Vec<&'static str>),
    /// It was done too often, until then.
    #[error("{0}")]
    TooOften(ApiError, Duration),
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
            Self::Caller(error) | Self::TooOften(error, _) => error.clone(),
            Self::Store(_) | Self::Queue(_) | Self::Publish(_) | Self::Files(_) => ApiError::new(
                ErrorCode::ServiceUnavailable,
                "This may not have been done; please try again in a moment",
            ),
            Self::OtherMethods(methods) => {
                let problem = format!("Only {} is served at this path", methods.join(", "));
                ApiError::new(ErrorCode::MethodNotAllowed, problem)
            }
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

/// v1.1's answer where there is nothing to tell.
pub fn done() -> Response<Body> {
    json(200, &Value::Object(Map::new()))
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
    use http::header::{ALLOW, RETRY_AFTER};
    let error = refusal.api_error();
    let mut response = json(error.code.status(), &error.body());
    let header = match refusal {
        Refusal::Caller(_) => None,
        Refusal::Store(_) | Refusal::Queue(_) | Refusal::Publish(_) | Refusal::Files(_) => {
            tracing::error!(error = %Causes(refusal), "request refused for a fault of ours");
            Some((RETRY_AFTER, "1".to_owned()))
        }
        Refusal::OtherMethods(methods) => Some((ALLOW, methods.join(", "))),
        Refusal::TooOften(_, wait) => Some((RETRY_AFTER, wait.as_secs().to_string())),
    };
    if let Some((name, value)) = header
        && let Ok(value) = http::HeaderValue::from_str(&value)
    {
        response.headers_mut().insert(name, value);
    }
    response
}

/// The path as the gateway handed it on.
pub fn path(request: &Request) -> &str {
    match request.request_context_ref() {
        Some(RequestContext::ApiGatewayV2(context)) => context.http.path.as_deref().unwrap_or_default(),
        _ => "",
    }
}

/// The path's words, decoded; see [`crate::api::path`].
pub fn words(request: &Request) -> Option<Vec<String>> {
    path::words(path(request))
}

/// Path and query as the caller wrote them, for signatures over URLs.
pub fn path_and_query(request: &Request) -> String {
    let path = escaped(path(request), PATH);
    match request.uri().query() {
        Some(query) => format!("{path}?{query}"),
        None => path,
    }
}

/// Scheme and host at which AWS took the request in, as AWS says: an HTTP API and a function URL answer under no name but
/// theirs. It always speaks TLS; the development engine, which never does, is on this machine.
pub fn origin(request: &Request) -> Option<String> {
    let domain = match request.request_context_ref() {
        Some(RequestContext::ApiGatewayV2(context)) => context.domain_prefix.as_deref()?,
        _ => return None,
    };
    let is_name =
        |text: &str| !text.is_empty() && text.bytes().all(|b| b.is_ascii_alphanumeric() || b".-".contains(&b));
    let (name, port) = domain.split_once(':').unwrap_or((domain, "0"));
    let is_engine = ["127.0.0.1", "localhost"].contains(&name);
    (is_name(name) && port.parse::<u16>().is_ok())
        .then(|| format!("{}://{domain}", if is_engine { "http" } else { "https" }))
}

/// Whatever it holds, a URI can be made of it, and a body.
fn make_buildable(request: &mut LambdaRequest) {
    let LambdaRequest::ApiGatewayV2(event) = request else { return };
    let path = event.raw_path.replace("/".to_owned());
    let query = event.raw_query_string.take().unwrap_or_default();
    let fits = query.len() <= QUERY_LIMIT;
    event.request_context.http.path = path.filter(|_| fits);
    event.raw_query_string = Some(escaped(&query, QUERY)).filter(|_| fits);
    event.request_context.stage = None;
    // Where `lambda_http` makes nothing of it.
    event.request_context.domain_prefix = event.request_context.domain_name.take();
    event.headers.remove(http::header::HOST);
    let is_readable = |body: &String| STANDARD.decode(body).is_ok();
    if event.is_base64_encoded && !event.body.as_ref().is_some_and(is_readable) {
        event.body = None;
    }
}

/// In bytes, each of which may become three. `http` makes no URI of more than 65,534.
const QUERY_LIMIT: usize = 20_000;

/// What a URI cannot hold. A query comes as the caller wrote it, and what can be left of it is: signatures cover it.
const QUERY: &AsciiSet = &CONTROLS.add(b' ').add(b'"').add(b'<').add(b'>').add(b'#');
/// A path may come decoded: what is a question mark there was one to the caller.
const PATH: &AsciiSet = &QUERY.add(b'\\').add(b'^').add(b'`').add(b'{').add(b'|').add(b'}').add(b'?');

fn escaped(text: &str, unfit: &'static AsciiSet) -> String {
    utf8_percent_encode(text, unfit).to_string()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use serde_json::json;

    fn request(event: &Value) -> Request {
        let mut event: LambdaRequest = serde_json::from_value(event.clone()).unwrap();
        make_buildable(&mut event);
        event.into()
    }

    fn event(path: &str, query: &str, headers: &Value, body: &str) -> Value {
        json!({
            "version": "2.0", "routeKey": "$default", "rawPath": path, "rawQueryString": query, "headers": headers,
            "requestContext": { "http": { "method": "GET", "path": path }, "domainName": headers["host"], "stage": headers["x"] },
            "body": body, "isBase64Encoded": true,
        })
    }

    #[test]
    fn what_proxies_double_or_garble_makes_a_request_all_the_same() {
        for (name, value) in [
            ("x-forwarded-proto", "https,http"),
            ("x-forwarded-proto", "https, https"),
            ("x-forwarded-proto", ""),
            ("x-forwarded-port", "443,80"),
            ("host", "a.example,b.example"),
            ("host", "evil:99999999"),
            ("host", "[::1"),
            ("host", "a b"),
            ("content-length", "5,5"),
            ("forwarded", "proto=https;host=\"x"),
        ] {
            let request = request(&event("/v1.1/apps", "a=b", &json!({ (name): value }), ""));
            assert_eq!((path(&request), request.uri().query()), ("/v1.1/apps", Some("a=b")), "{name}: {value}");
        }
    }

    #[test]
    fn the_path_stays_as_it_was_handed_on() {
        for text in ["/a?b#c", "/50%off", "/50%25off", "/team/blue/", "/..//", "x", ":99999999", "", "/\u{1F375}|"] {
            let request = request(&event(text, "", &json!({}), ""));
            assert_eq!((path(&request), request.uri().path()), (text, "/"));
        }
    }

    #[test]
    fn the_origin_is_what_aws_says_and_nothing_that_a_caller_does() {
        let origin_of = |domain: &str| {
            let mut event = event("/", "", &json!({ "host": "evil.example", "x-forwarded-host": "evil.example" }), "");
            event["requestContext"]["domainName"] = domain.into();
            origin(&request(&event))
        };
        let url = "ab12.lambda-url.eu-west-1.on.aws";
        assert_eq!(origin_of(url), Some(format!("https://{url}")));
        assert_eq!(origin_of("127.0.0.1:3000").as_deref(), Some("http://127.0.0.1:3000"));
        for garbage in ["", "a b", "a/b", "a@b", "a:b", "a:99999", "[::1"] {
            assert_eq!(origin_of(garbage), None, "{garbage}");
        }
    }

    proptest! {
        #[test]
        fn nothing_that_a_gateway_hands_on_makes_it_panic(
            path in "\\PC{0,30}", query in "\\PC{0,30}", proto in "[ -~]{0,12}", host in "[ -~]{0,12}", body in "[a-zA-Z+/=]{0,9}"
        ) {
            let headers = json!({ "x-forwarded-proto": proto, "host": host, "x": proto });
            let _ = words(&request(&event(&path, &query, &headers, &body)));
        }
    }

    #[test]
    fn a_query_of_any_length_is_no_panic() {
        let request = request(&event("/v1.1/apps", &"|".repeat(70_000), &json!({}), ""));
        assert_eq!((path(&request), request.uri().query()), ("", None));
    }
}
