//! The only HTTP clients: for carriers, for webhooks, and what the AWS SDK calls through. Nothing else names `reqwest`.
//!
//! None follows redirects. None retries: for AWS its SDK does, for the others a queue.
//!
//! All trust the same authorities: Mozilla's, which are compiled in. Reading those of the system and parsing them, once
//! for each client, was most of a cold start.

mod cause;

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use aws_smithy_runtime_api::client::http::{
    HttpConnector, HttpConnectorFuture, SharedHttpClient, SharedHttpConnector, http_client_fn,
};
use aws_smithy_runtime_api::client::orchestrator::{HttpRequest, HttpResponse};
use aws_smithy_runtime_api::client::result::ConnectorError;
use aws_smithy_types::body::SdkBody;
use reqwest::dns::{Addrs, Name, Resolve, Resolving};
use reqwest::redirect::Policy;

use crate::channels::{CarrierRequest, CarrierResponse, SendError, SendErrorKind};
use crate::model::CarrierAnswer;
use crate::retry::retry_after;
use crate::system;
use crate::webhook::target::{self, ForbiddenTarget};

pub use cause::Cause;
use cause::UnknownName;

const CONNECT_TIMEOUT: Duration = Duration::from_secs(3);
/// Below the sending functions' own time-out, so that an unanswered request is recorded as such.
pub const CARRIER_TIMEOUT: Duration = Duration::from_secs(10);
/// More of an answer than this is not read.
const ANSWER_LIMIT: usize = 64 * 1024;

#[derive(Debug, thiserror::Error)]
#[error("the HTTP client cannot be built")]
pub struct ClientError(#[from] reqwest::Error);

/// What all clients have in common.
fn builder() -> reqwest::ClientBuilder {
    let roots = rustls::RootCertStore { roots: webpki_roots::TLS_SERVER_ROOTS.to_vec() };
    let mut tls = rustls::ClientConfig::builder().with_root_certificates(roots).with_no_client_auth();
    tls.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
    let builder = reqwest::Client::builder().tls_backend_preconfigured(tls);
    builder.redirect(Policy::none()).connect_timeout(CONNECT_TIMEOUT)
}

/// Calls carriers.
#[derive(Clone)]
pub struct CarrierClient(reqwest::Client);

impl CarrierClient {
    pub fn new() -> Result<Self, ClientError> {
        let builder = builder().user_agent("heliograph").timeout(CARRIER_TIMEOUT);
        Ok(Self(builder.dns_resolver(Arc::new(Resolver { private_networks: true })).build()?))
    }

    /// The carrier's answer as far as it came, or why there is none. Only a connection that never came about is known
    /// not to have sent.
    pub async fn send(&self, request: CarrierRequest) -> Result<CarrierResponse, SendError> {
        let request = reqwest::Request::try_from(request)
            .map_err(|_| SendError::new(SendErrorKind::Misconfigured, "The carrier's address cannot be called"))?;
        let response = self.0.execute(request).await.map_err(|error| no_answer(&error))?;
        let mut answer = http::Response::new(Vec::new());
        *answer.status_mut() = response.status();
        *answer.headers_mut() = dated(response.headers().clone());
        *answer.body_mut() = read_on(response).await;
        Ok(answer)
    }
}

fn no_answer(error: &reqwest::Error) -> SendError {
    let cause = cause_of(error);
    let error = if error.is_connect() {
        SendError::new(SendErrorKind::Unavailable, format!("The carrier could not be reached: {cause}"))
    } else {
        SendError::undecided(&format!("The carrier did not answer ({cause})"))
    };
    error.with_answer(CarrierAnswer::Silent { cause: cause.to_string() })
}

fn cause_of(error: &reqwest::Error) -> Cause {
    match (error.is_timeout(), error.is_connect()) {
        (true, true) => Cause::ConnectTimedOut,
        (true, false) => Cause::TimedOut,
        (false, is_connect) => Cause::of(error).unwrap_or(if is_connect { Cause::Failed } else { Cause::Closed }),
    }
}

/// Who gets an answer without a date notes when it came (RFC 9110, 6.6.1): what counts from it needs no clock then.
fn dated(mut headers: http::HeaderMap) -> http::HeaderMap {
    if let Ok(now) = http::HeaderValue::from_str(&httpdate::fmt_http_date(system::now().into())) {
        headers.entry(http::header::DATE).or_insert(now);
    }
    headers
}

/// The body, as far as it comes and is of interest. One that breaks off may have said what matters.
async fn read_on(mut response: reqwest::Response) -> Vec<u8> {
    let mut body = Vec::new();
    loop {
        match response.chunk().await {
            Ok(Some(chunk)) => {
                let room = ANSWER_LIMIT - body.len();
                body.extend_from_slice(&chunk[..chunk.len().min(room)]);
            }
            Ok(None) => return body,
            Err(error) => {
                tracing::warn!(cause = %cause_of(&error), read = body.len(), "a carrier's answer broke off");
                return body;
            }
        }
        if body.len() == ANSWER_LIMIT {
            return body;
        }
    }
}

/// Posts to webhooks.
#[derive(Clone)]
pub struct WebhookClient {
    client: reqwest::Client,
    private_networks: bool,
}

/// Why a webhook gave no answer.
#[derive(Debug, thiserror::Error)]
pub enum WebhookError {
    #[error(transparent)]
    Forbidden(#[from] ForbiddenTarget),
    #[error("no answer within {} seconds", .0.as_secs())]
    TimedOut(Duration),
    #[error("no answer: {0}")]
    Unreachable(Cause),
}

/// What is read of a webhook's answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WebhookAnswer {
    pub status: u16,
    /// In seconds.
    pub retry_after: Option<u32>,
}

impl WebhookClient {
    /// `private_networks`: whether targets may lie in private, loopback and link-local networks.
    pub fn new(private_networks: bool) -> Result<Self, ClientError> {
        let builder = builder().user_agent("heliograph");
        let client = builder.dns_resolver(Arc::new(Resolver { private_networks })).build()?;
        Ok(Self { client, private_networks })
    }

    /// Waits for the answer as long as `patience` says.
    pub async fn post(
        &self,
        target: &str,
        headers: http::HeaderMap,
        body: String,
        patience: Duration,
    ) -> Result<WebhookAnswer, WebhookError> {
        let url = url::Url::parse(target).map_err(|_| ForbiddenTarget::NotHttp)?;
        target::check(&url, self.private_networks)?;
        let answer =
            self.client.post(url).headers(headers).body(body).timeout(patience).send().await.map_err(|error| {
                match forbidden(&error) {
                    Some(forbidden) => WebhookError::Forbidden(forbidden),
                    None if error.is_timeout() && !error.is_connect() => WebhookError::TimedOut(patience),
                    None => WebhookError::Unreachable(cause_of(&error)),
                }
            })?;
        let retry_after = retry_after(&dated(answer.headers().clone()));
        Ok(WebhookAnswer { status: answer.status().as_u16(), retry_after })
    }
}

/// The judgement of [`Resolver`], wherever in an error's chain it lies.
fn forbidden(error: &reqwest::Error) -> Option<ForbiddenTarget> {
    let mut cause = std::error::Error::source(error);
    while let Some(error) = cause {
        if let Some(forbidden) = error.downcast_ref::<ForbiddenTarget>() {
            return Some(forbidden.clone());
        }
        cause = error.source();
    }
    None
}

/// Resolves names, where `private_networks` are forbidden to public addresses only. The connection goes to what is returned here, so a name that changes its
/// mind between check and use gains nothing.
struct Resolver {
    private_networks: bool,
}

impl Resolve for Resolver {
    fn resolve(&self, name: Name) -> Resolving {
        let private_networks = self.private_networks;
        Box::pin(async move {
            let found = tokio::net::lookup_host((name.as_str(), 0)).await.map_err(|_| UnknownName)?;
            let found: Vec<SocketAddr> = found.collect();
            let is_allowed = |address: &&SocketAddr| private_networks || target::is_public(address.ip());
            let allowed: Vec<SocketAddr> = found.iter().filter(is_allowed).copied().collect();
            match (allowed.is_empty(), found.first()) {
                (true, Some(address)) => Err(ForbiddenTarget::Private(address.ip()).into()),
                _ => Ok(Box::new(allowed.into_iter()) as Addrs),
            }
        })
    }
}

/// What AWS SDK clients call through: one set of connections for all that are built with it. How long an answer may take
/// is the SDK's business.
pub fn aws() -> Result<SharedHttpClient, ClientError> {
    let connector = SharedHttpConnector::new(AwsConnector(builder().no_proxy().build()?));
    Ok(http_client_fn(move |_, _| connector.clone()))
}

#[derive(Debug)]
struct AwsConnector(reqwest::Client);

impl HttpConnector for AwsConnector {
    fn call(&self, request: HttpRequest) -> HttpConnectorFuture {
        let client = self.0.clone();
        HttpConnectorFuture::new(async move {
            let request = request.try_into_http1x().map_err(|error| ConnectorError::user(error.into()))?;
            let request = reqwest::Request::try_from(request.map(reqwest::Body::wrap)).map_err(no_answer_of_aws)?;
            let response = http::Response::from(client.execute(request).await.map_err(no_answer_of_aws)?);
            let response = response.map(SdkBody::from_body_1_x);
            HttpResponse::try_from(response).map_err(|error| ConnectorError::other(error.into(), None))
        })
    }
}

/// In the SDK's terms, by which it decides about another try.
fn no_answer_of_aws(error: reqwest::Error) -> ConnectorError {
    let (is_ours, is_timeout) = (error.is_builder(), error.is_timeout());
    let error = error.without_url().into();
    match (is_ours, is_timeout) {
        (true, _) => ConnectorError::user(error),
        (_, true) => ConnectorError::timeout(error),
        _ => ConnectorError::io(error),
    }
}

#[cfg(test)]
mod tests;
