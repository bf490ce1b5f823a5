//! From a request to a call: its route found, its caller known and allowed, its app named.
//!
//! A call holds what every operation needs. Reading the body and doing the work is the operation's.

use std::str::FromStr;

use lambda_http::{Body, Request, Response, http};
use serde::de::DeserializeOwned;
use serde_json::Value;

use super::path;
use super::routes::{self, Access, Found, NoRoute, Operation, Service};
use crate::auth::{self, Caller};
use crate::flow::page::Room;
use crate::gateway::{self, Refusal};
use crate::ids::{AccountId, AppId};
use crate::model::{ApiError, ErrorCode, json};
use crate::store::Store;
use crate::telemetry::{Metric, Outcome};

/// docs/REFERENCE.md, 11.
pub(super) const BODY_LIMIT: usize = 100 * 1024;
const PAGE_LIMIT: usize = 100;
const PAGE_DEFAULT: usize = 25;

/// The door of one function.
pub struct Api {
    service: Service,
    store: Store,
}

/// A request that its caller may make.
pub struct Call<'r> {
    pub operation: Operation,
    pub caller: Caller,
    app: Option<AppId>,
    found: Found,
    request: &'r Request,
}

/// A stretch of a list.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Page {
    pub limit: usize,
    pub offset: usize,
}

impl Api {
    pub fn new(service: Service, store: Store) -> Self {
        Self { service, store }
    }

    /// Finds the route, checks the credentials, and whether they reach it.
    pub async fn open<'r>(&self, request: &'r Request) -> Result<Call<'r>, Refusal> {
        let found = route(request)?;
        let is_ours = found.route.service == self.service;
        let is_plain = found.parameters.get("userId").is_none_or(|user_id| !user_id.contains('/'));
        if !is_ours && is_plain {
            return Err(elsewhere(&found, request));
        }
        let call = self.call(found, request).await?;
        if is_ours { Ok(call) } else { Err(self.by_id(call).await?) }
    }

    async fn call<'r>(&self, found: Found, request: &'r Request) -> Result<Call<'r>, Refusal> {
        let caller = auth::authenticate(&self.store, authorization(request)).await?;
        permit(found.route.access, &caller)?;
        let app = self.app(&found, &caller).await?;
        Ok(Call { operation: found.route.operation, caller, app, found, request })
    }

    /// A name with slashes may look like other words to a gateway that decodes before it finds a function, so no spelling
    /// of it leads to the one that serves the call for certain; the person's `_id` does.
    async fn by_id(&self, call: Call<'_>) -> Result<Refusal, Refusal> {
        let person = self.person(&call).await?;
        let mut found = call.found;
        found.parameters.insert("userId", person.user.id.to_string());
        Ok(Refusal::Elsewhere(documented(&found, call.request)))
    }

    pub(super) fn store(&self) -> &Store {
        &self.store
    }

    /// The app a call is about, if it is about one.
    async fn app(&self, found: &Found, caller: &Caller) -> Result<Option<AppId>, Refusal> {
        if !found.route.path.contains("{appId}") {
            return Ok(None);
        }
        let unknown = || ApiError::missing(ErrorCode::AppNotFound);
        let named = found.parameters.get("appId").map(|id| id.parse()).transpose().map_err(|_| unknown())?;
        Ok(Some(caller.app(&self.store, named).await?))
    }
}

/// The answer of a call, with its line in the log.
pub fn closed(call: &Call<'_>, answer: Result<Response<Body>, Refusal>) -> Response<Body> {
    let outcome = |metric| {
        let outcome = Outcome::of(metric).with("operation", format!("{:?}", call.operation));
        match call.app {
            Some(app) => outcome.with("appId", app),
            None => outcome,
        }
    };
    match answer {
        Ok(response) => {
            outcome(Metric::RequestServed).with_number("status", i64::from(response.status().as_u16())).log();
            response
        }
        Err(refusal) => {
            outcome(Metric::RequestRefused).with("code", refusal.api_error().code.as_str()).log();
            gateway::refuse(&refusal)
        }
    }
}

/// The answer to what did not become a call.
pub fn refused(refusal: &Refusal) -> Response<Body> {
    Outcome::of(Metric::RequestRefused).with("code", refusal.api_error().code.as_str()).log();
    gateway::refuse(refusal)
}

impl<'r> Call<'r> {
    /// The app it is about. Only for routes with an app: others have none, and say so.
    pub fn app(&self) -> Result<AppId, ApiError> {
        self.app.ok_or_else(|| ApiError::missing(ErrorCode::AppNotFound))
    }

    /// The account that the credentials belong to.
    pub fn account(&self) -> Result<AccountId, ApiError> {
        match self.caller {
            Caller::Account(account) | Caller::ServiceAccount { account, .. } => Ok(account),
            Caller::App(_) | Caller::AppUser { .. } => Err(auth::forbidden()),
        }
    }

    /// What stands for a variable of the path.
    pub fn text(&self, name: &str) -> &str {
        self.found.parameters.get(name).map_or("", String::as_str)
    }

    /// An id of the path; one that is malformed names nothing, and is answered with `missing`.
    pub fn id<T: FromStr>(&self, name: &str, missing: ErrorCode) -> Result<T, ApiError> {
        self.text(name).parse().map_err(|_| ApiError::missing(missing))
    }

    /// The first value of a query parameter, decoded. An empty one counts as absent.
    pub fn query(&self, name: &str) -> Option<String> {
        query(self.request, name)
    }

    pub fn request(&self) -> &'r Request {
        self.request
    }

    /// The body as JSON.
    ///
    /// # Errors
    /// 400, 413 or 415.
    pub fn json<T: DeserializeOwned>(&self) -> Result<T, ApiError> {
        json::parse(json_body(self.request)?)
    }

    /// `limit` and `offset` of the query.
    pub fn page(&self) -> Result<Page, ApiError> {
        let number = |name: &str, default: usize| match self.query(name) {
            None => Ok(default),
            Some(text) => text.parse().map_err(|_| ApiError::field(name, "must be a whole number, 0 or more")),
        };
        let limit = number("limit", PAGE_DEFAULT)?;
        if !(1..=PAGE_LIMIT).contains(&limit) {
            return Err(ApiError::field("limit", format!("must lie between 1 and {PAGE_LIMIT}")));
        }
        Ok(Page { limit, offset: number("offset", 0)? })
    }
}

impl Page {
    /// The stretch of a whole list, and whether there is more after it.
    pub fn cut<T>(self, list: Vec<T>) -> (Vec<T>, bool) {
        let has_more = list.len() > self.offset.saturating_add(self.limit);
        (list.into_iter().skip(self.offset).take(self.limit).collect(), has_more)
    }

    /// The same as it is shown. It ends early where it would outgrow an answer: the next stretch begins at the offset and
    /// as many more as were shown.
    pub fn show<T>(self, list: Vec<T>, view: impl Fn(&T) -> Value) -> (Vec<Value>, bool) {
        let (found, has_more) = self.cut(list);
        let mut room = Room::of_an_answer();
        let views = found.iter().map(view);
        let shown: Vec<_> = views.take_while(|view| room.takes(std::slice::from_ref(view))).collect();
        let is_short = shown.len() < found.len();
        (shown, has_more || is_short)
    }
}

/// The body of a request that must be JSON and not too large.
pub fn json_body(request: &Request) -> Result<&[u8], ApiError> {
    let body: &[u8] = request.body().as_ref();
    if body.len() > BODY_LIMIT {
        let problem = format!("The body must have at most {BODY_LIMIT} bytes");
        return Err(ApiError::new(ErrorCode::RequestEntityTooLarge, problem));
    }
    let content_type = request.headers().get(http::header::CONTENT_TYPE).and_then(|value| value.to_str().ok());
    let essence = content_type.unwrap_or_default().split(';').next().unwrap_or_default().trim();
    if !essence.eq_ignore_ascii_case("application/json") {
        return Err(ApiError::new(ErrorCode::UnsupportedMediaType, "Content-Type must be application/json"));
    }
    uncompressed(request)?;
    Ok(body)
}

/// What is compressed is not unpacked: nobody could say how large it is before.
pub(super) fn uncompressed(request: &Request) -> Result<(), ApiError> {
    match request.headers().get(http::header::CONTENT_ENCODING).map(|value| value.as_bytes()) {
        None => Ok(()),
        Some(encoding) if encoding.is_empty() || encoding.eq_ignore_ascii_case(b"identity") => Ok(()),
        Some(_) => {
            let problem = "Content-Encoding must be left out: bodies are taken as they are, not compressed";
            Err(ApiError::new(ErrorCode::UnsupportedMediaType, problem))
        }
    }
}

fn route(request: &Request) -> Result<Found, Refusal> {
    let words = gateway::words(request).unwrap_or_default();
    routes::find(request.method().as_str(), &words).map_err(|problem| match problem {
        NoRoute::NoPath => ApiError::new(ErrorCode::NotFound, "There is nothing at this path").into(),
        NoRoute::OtherMethods(methods) => Refusal::OtherMethods(methods),
    })
}

fn permit(access: Access, caller: &Caller) -> Result<(), ApiError> {
    let least = match caller {
        Caller::Account(_) => Access::Owner,
        Caller::ServiceAccount { .. } => Access::Account,
        Caller::App(_) => Access::App,
        Caller::AppUser { .. } => Access::Person,
    };
    if access >= least { Ok(()) } else { Err(auth::forbidden()) }
}

fn authorization(request: &Request) -> Option<&str> {
    request.headers().get(http::header::AUTHORIZATION).and_then(|value| value.to_str().ok())
}

fn query(request: &Request, name: &str) -> Option<String> {
    let pairs = form_urlencoded::parse(request.uri().query().unwrap_or_default().as_bytes());
    pairs.into_iter().find(|(key, value)| key == name && !value.is_empty()).map(|(_, value)| value.into_owned())
}

/// What another function serves came here because of how its path is spelled: in capitals, say. One that is spelled as
/// documented would only come back.
fn elsewhere(found: &Found, request: &Request) -> Refusal {
    let path = documented(found, request);
    if path.split('?').next().and_then(path::words) == gateway::words(request) {
        ApiError::new(ErrorCode::NotFound, "There is nothing at this path").into()
    } else {
        Refusal::Elsewhere(path)
    }
}

/// The route's documented spelling of the same request.
fn documented(found: &Found, request: &Request) -> String {
    use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
    let in_full = found.parameters.contains_key("appId") || !found.route.path.contains("{appId}");
    let pattern = if in_full { found.route.path } else { found.route.path.trim_start_matches("/apps/{appId}") };
    let mut path = format!("/v1.1{pattern}");
    for (name, value) in &found.parameters {
        path = path.replace(&format!("{{{name}}}"), &utf8_percent_encode(value, NON_ALPHANUMERIC).to_string());
    }
    match request.uri().query() {
        Some(query) => format!("{path}?{query}"),
        None => path,
    }
}
