//! From a request to a call: its route found, its caller known and allowed, its app named.
//!
//! A call holds what every operation needs. The work is the operation's.

use std::str::FromStr;

use lambda_http::{Body, Request, Response, http};
use serde::de::DeserializeOwned;

use super::body;
use super::matching::{self, NoRoute, RouteMatch};
use super::routes::{Access, Operation};
use crate::auth::{self, Caller};
use crate::gateway::{self, Refusal};
use crate::ids::{AccountId, AppId};
use crate::model::{ApiError, ErrorCode, json};
use crate::store::Store;
use crate::telemetry::{Metric, Outcome};

/// What an operation comes to.
pub type Answer = Result<Response<Body>, Refusal>;

/// The API's door.
pub struct Api {
    store: Store,
}

/// A request that its caller may make.
pub struct Call<'r> {
    pub operation: Operation,
    pub caller: Caller,
    app: Option<AppId>,
    matched: RouteMatch,
    request: &'r Request,
}

impl Api {
    pub fn new(store: Store) -> Self {
        Self { store }
    }

    /// Finds the route, checks the credentials, and whether they reach it; then lets `act` answer. Whatever comes of it
    /// has its line in the log.
    pub async fn answer<'r, F>(&self, request: &'r Request, act: impl FnOnce(Call<'r>) -> F) -> Response<Body>
    where
        F: Future<Output = Answer>,
    {
        let mut log = RequestLog::default();
        let answer = async {
            let matched = route(request)?;
            log.operation = Some(matched.route.operation);
            let call = self.open(matched, request).await?;
            log.app = call.app;
            act(call).await
        };
        let answer = answer.await;
        log.write(&answer);
        answer.unwrap_or_else(|refusal| gateway::refuse(&refusal))
    }

    async fn open<'r>(&self, matched: RouteMatch, request: &'r Request) -> Result<Call<'r>, Refusal> {
        let caller = auth::authenticate(&self.store, authorization(request)).await?;
        permit(matched.route.access, &caller)?;
        let app = self.app(&matched, &caller).await?;
        Ok(Call { operation: matched.route.operation, caller, app, matched, request })
    }

    pub(super) fn store(&self) -> &Store {
        &self.store
    }

    /// The app a call is about, if it is about one.
    async fn app(&self, matched: &RouteMatch, caller: &Caller) -> Result<Option<AppId>, Refusal> {
        if !matched.route.path.contains("{appId}") {
            return Ok(None);
        }
        let unknown = || ApiError::missing(ErrorCode::AppNotFound);
        let named = matched.parameters.get("appId").map(|id| id.parse()).transpose().map_err(|_| unknown())?;
        Ok(Some(caller.app(&self.store, named).await?))
    }
}

/// What the log says of a request, as far as it came.
#[derive(Default)]
struct RequestLog {
    operation: Option<Operation>,
    app: Option<AppId>,
}

impl RequestLog {
    /// Notifications are counted apart; one that is accepted has its line already.
    fn write(&self, answer: &Answer) {
        let of_notifications = self.operation == Some(Operation::CreateNotification);
        let outcome = match answer {
            Ok(_) if of_notifications => return,
            Ok(response) => {
                Outcome::of(Metric::RequestServed).with_number("status", i64::from(response.status().as_u16()))
            }
            Err(refusal) => {
                let metric = if of_notifications { Metric::NotificationRefused } else { Metric::RequestRefused };
                Outcome::of(metric).with("code", refusal.api_error().code.as_str())
            }
        };
        let outcome = match self.operation {
            Some(operation) => outcome.with("operation", format!("{operation:?}")),
            None => outcome,
        };
        match self.app {
            Some(app) => outcome.with("appId", app).log(),
            None => outcome.log(),
        }
    }
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
        self.matched.parameters.get(name).map_or("", String::as_str)
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

    /// The body, which says that it is JSON and is not too large, to be read by the model.
    ///
    /// # Errors
    /// 413 or 415.
    pub fn json_bytes(&self) -> Result<&'r [u8], ApiError> {
        body::json(self.request)
    }

    /// The body as JSON.
    ///
    /// # Errors
    /// 400, 413 or 415.
    pub fn json<T: DeserializeOwned>(&self) -> Result<T, ApiError> {
        json::parse(self.json_bytes()?)
    }
}

fn route(request: &Request) -> Result<RouteMatch, Refusal> {
    let words = gateway::words(request).unwrap_or_default();
    matching::find(request.method().as_str(), &words).map_err(|problem| match problem {
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
