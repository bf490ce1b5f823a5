//! The S3 endpoint that functions are given, `/_s3/{caller}/{bucket}/{key}`: finds out which operation is meant, holds
//! the caller to its policy, lets faults strike, counts, and passes on. It knows the operations that the product uses;
//! others are refused.

use axum::Router;
use axum::body::Bytes;
use axum::extract::{DefaultBodyLimit, Path, State};
use axum::http::{HeaderMap, Method, Request, StatusCode, Uri, header};
use axum::response::{IntoResponse, Response};
use axum::routing::any;

use crate::aws::Aws;
use crate::control::faults::{Fault, FaultKind, reset};
use crate::lambda::template::{Function, bucket_arn};

/// More than any file of the product.
const MAX_REQUEST: usize = 16 << 20;

/// Where a caller finds S3. With a slash at its end: the SDK puts the bucket's name right behind it.
pub fn endpoint(base_url: &str, caller: &str) -> String {
    format!("{base_url}/_s3/{caller}/")
}

/// To be mounted at `/_s3`.
pub fn router(aws: Aws) -> Router {
    Router::new().route("/{caller}/{*path}", any(serve)).layer(DefaultBodyLimit::max(MAX_REQUEST)).with_state(aws)
}

async fn serve(
    State(aws): State<Aws>,
    Path((caller, path)): Path<(String, String)>,
    method: Method,
    uri: Uri,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    let (bucket, key) = path.split_once('/').unwrap_or((&path, ""));
    let Some(operation) = Operation::of(&method, key, uri.query().unwrap_or_default()) else {
        return refusal(StatusCode::NOT_IMPLEMENTED, "NotImplemented", "The engine plays no such operation.");
    };
    let function = aws.runtime.function_of(&caller);
    let account = function.as_ref().map_or(caller.as_str(), |f| f.name.as_str());
    if let Some(function) = &function
        && let Some(message) = denied(function, operation, bucket, key)
    {
        return refusal(StatusCode::FORBIDDEN, "AccessDenied", &message);
    }
    let fault = aws.faults.take_operation("s3", operation.name(), account);
    let strikes = |kind| fault.as_ref().is_some_and(|fault| fault.kind == kind);
    let (duplicate, lost) = (strikes(FaultKind::Duplicate), strikes(FaultKind::Lost));
    if let Some(fault) = fault
        && let Some(response) = faulty(&fault).await
    {
        return response;
    }
    let below = uri.path_and_query().map_or("", |p| p.as_str()).trim_start_matches('/');
    let below = below.strip_prefix(caller.as_str()).unwrap_or(below);
    if duplicate {
        aws.buckets.serve(request(&method, below, &headers, body.clone())).await;
    }
    let response = aws.buckets.serve(request(&method, below, &headers, body)).await;
    aws.ledger.call(account, "s3", operation.name());
    if aws.runtime.killed_after(&caller, &format!("s3:{}", operation.name())) || lost {
        return reset();
    }
    let may_list = function.as_ref().is_none_or(|f| f.policy.allows("s3:ListBucket", &bucket_arn(bucket)));
    if response.status() == StatusCode::NOT_FOUND && !may_list {
        return refusal(StatusCode::FORBIDDEN, "AccessDenied", "What is missing is told to those who may list only.");
    }
    response
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Operation {
    PutObject,
    GetObject,
    HeadObject,
    DeleteObject,
    DeleteObjects,
    ListObjectsV2,
}

impl Operation {
    fn of(method: &Method, key: &str, query: &str) -> Option<Self> {
        let asks = |name: &str| form_urlencoded::parse(query.as_bytes()).any(|(key, _)| key == name);
        match (method.as_str(), key.is_empty()) {
            ("POST", true) if asks("delete") => Some(Self::DeleteObjects),
            ("GET", true) if asks("list-type") => Some(Self::ListObjectsV2),
            (_, false) if asks("uploadId") || asks("uploads") => None,
            ("PUT", false) => Some(Self::PutObject),
            ("GET", false) => Some(Self::GetObject),
            ("HEAD", false) => Some(Self::HeadObject),
            ("DELETE", false) => Some(Self::DeleteObject),
            _ => None,
        }
    }

    fn name(self) -> &'static str {
        match self {
            Self::PutObject => "PutObject",
            Self::GetObject => "GetObject",
            Self::HeadObject => "HeadObject",
            Self::DeleteObject => "DeleteObject",
            Self::DeleteObjects => "DeleteObjects",
            Self::ListObjectsV2 => "ListObjectsV2",
        }
    }

    /// The action that a policy must allow.
    fn action(self) -> &'static str {
        match self {
            Self::PutObject => "s3:PutObject",
            Self::GetObject | Self::HeadObject => "s3:GetObject",
            Self::DeleteObject | Self::DeleteObjects => "s3:DeleteObject",
            Self::ListObjectsV2 => "s3:ListBucket",
        }
    }
}

/// What the function's policy does not allow, if it does not.
fn denied(function: &Function, operation: Operation, bucket: &str, key: &str) -> Option<String> {
    let resource = match operation {
        Operation::ListObjectsV2 => bucket_arn(bucket),
        // Only a policy for every key lets many be deleted at once; narrower ones are not told apart here.
        Operation::DeleteObjects => format!("{}/*", bucket_arn(bucket)),
        _ => format!("{}/{key}", bucket_arn(bucket)),
    };
    let action = operation.action();
    let allowed = function.policy.allows(action, &resource);
    (!allowed)
        .then(|| format!("{} is not authorized to perform: {action} on resource: {resource}", function.logical_id))
}

fn request(method: &Method, path: &str, headers: &HeaderMap, body: Bytes) -> Request<Bytes> {
    let mut request = Request::new(body);
    *request.method_mut() = method.clone();
    *request.uri_mut() = path.parse().unwrap_or_default();
    *request.headers_mut() = headers.clone();
    request
}

async fn faulty(fault: &Fault) -> Option<Response> {
    match fault.kind {
        FaultKind::Throttle => {
            Some(refusal(StatusCode::SERVICE_UNAVAILABLE, "SlowDown", "Please reduce your request rate."))
        }
        FaultKind::Status(code) => {
            let status = StatusCode::from_u16(code).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
            Some(refusal(status, "InternalError", "A fault was asked for."))
        }
        _ => fault.answer().await,
    }
}

fn refusal(status: StatusCode, code: &str, message: &str) -> Response {
    let body = format!(
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<Error><Code>{code}</Code><Message>{message}</Message></Error>"
    );
    (status, [(header::CONTENT_TYPE, "application/xml")], body).into_response()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn requests_are_told_apart_by_method_key_and_query() {
        let of = |method: Method, key, query| Operation::of(&method, key, query);
        assert_eq!(of(Method::PUT, "a/b", "x-id=PutObject"), Some(Operation::PutObject));
        assert_eq!(of(Method::GET, "a/b", ""), Some(Operation::GetObject));
        assert_eq!(of(Method::GET, "", "list-type=2&prefix=a"), Some(Operation::ListObjectsV2));
        assert_eq!(of(Method::POST, "", "delete"), Some(Operation::DeleteObjects));
        assert_eq!(of(Method::PUT, "a", "uploadId=1&partNumber=1"), None);
        assert_eq!(of(Method::DELETE, "", ""), None);
    }
}
