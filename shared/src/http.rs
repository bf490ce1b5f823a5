//! The only HTTP clients: for carriers, for webhooks, and what the AWS SDK calls through. Nothing else names `reqwest`.
//!
//! None follows redirects. None retries: for AWS its SDK does, for the others a queue.
//!
//! All trust the same authorities: Mozilla's, which are compiled in. Reading those of the system and parsing them, once
//! for each client, was most of a cold start.

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
use crate::webhook::target::{self, ForbiddenTarget};

const CONNECT_TIMEOUT: Duration = Duration::from_secs(3);
/// Below the sending functions' own time-out, so that an unanswered request is recorded as such.
const CARRIER_TIMEOUT: Duration = Duration::from_secs(10);
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
        Ok(Self(builder().user_agent("heliograph").timeout(CARRIER_TIMEOUT).build()?))
    }

    /// The carrier's answer, or why there is none. Only a connection that never came about is known not to have sent.
    pub async fn send(&self, request: CarrierRequest) -> Result<CarrierResponse, SendError> {
        let request = reqwest::Request::try_from(request)
            .map_err(|_| SendError::new(SendErrorKind::Misconfigured, "The carrier's address cannot be called"))?;
        let response = self.0.execute(request).await.map_err(|error| no_answer(&error))?;
        let (status, headers) = (response.status(), response.headers().clone());
        let body = read_limited(response).await.map_err(|error| no_answer(&error))?;
        let mut answer = http::Response::new(body);
        *answer.status_mut() = status;
        *answer.headers_mut() = headers;
        Ok(answer)
    }
}

fn no_answer(error: &reqwest::Error) -> SendError {
    if error.is_connect() {
        SendError::new(SendErrorKind::Unavailable, "The carrier could not be reached")
    } else {
        SendError::new(SendErrorKind::Undecided, "The carrier did not answer; the message may have gone out")
    }
}

async fn read_limited(mut response: reqwest::Response) -> Result<Vec<u8>, reqwest::Error> {
    let mut body = Vec::new();
    while let Some(chunk) = response.chunk().await? {
        let room = ANSWER_LIMIT - body.len();
        body.extend_from_slice(&chunk[..chunk.len().min(room)]);
        if body.len() == ANSWER_LIMIT {
            break;
        }
    }
    Ok(body)
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
    #[error("no connection")]
    Unreachable,
}

/// What is read of a webhook's answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WebhookAnswer {
    pub status: u16,
    pub retry_after: Option<String>,
}

impl WebhookClient {
    /// `private_networks`: whether targets may lie in private, loopback and link-local networks.
    pub fn new(private_networks: bool) -> Result<Self, ClientError> {
        let builder = builder().user_agent("heliograph");
        let client = builder.dns_resolver(Arc::new(JudgingResolver { private_networks })).build()?;
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
                    None if error.is_timeout() => WebhookError::TimedOut(patience),
                    None => WebhookError::Unreachable,
                }
            })?;
        let retry_after = answer.headers().get(http::header::RETRY_AFTER).and_then(|value| value.to_str().ok());
        Ok(WebhookAnswer { status: answer.status().as_u16(), retry_after: retry_after.map(str::to_owned) })
    }
}

/// The judgement of [`JudgingResolver`], wherever in an error's chain it lies.
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

/// Resolves names to public addresses only. The connection goes to what is returned here, so a name that changes its
/// mind between check and use gains nothing.
struct JudgingResolver {
    private_networks: bool,
}

impl Resolve for JudgingResolver {
    fn resolve(&self, name: Name) -> Resolving {
        let private_networks = self.private_networks;
        Box::pin(async move {
            let found = tokio::net::lookup_host((name.as_str(), 0)).await?;
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
mod tests {
    use rustls::pki_types::PrivateKeyDer;
    use tokio::net::TcpListener;
    use tokio_rustls::TlsAcceptor;

    use super::*;

    #[tokio::test]
    async fn a_server_whose_certificate_no_authority_signed_is_not_spoken_to() {
        let made = rcgen::generate_simple_self_signed(["localhost".to_owned()]).unwrap();
        let key = PrivateKeyDer::Pkcs8(made.signing_key.serialize_der().into());
        let server = rustls::ServerConfig::builder().with_no_client_auth();
        let server = TlsAcceptor::from(Arc::new(server.with_single_cert(vec![made.cert.der().clone()], key).unwrap()));
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("https://localhost:{}/", listener.local_addr().unwrap().port());
        let call = builder().build().unwrap().get(url).send();
        let greet =
            async { server.accept(listener.accept().await.unwrap().0).await.err().map(|error| error.to_string()) };
        let (called, greeted) = tokio::join!(call, greet);
        assert!(called.unwrap_err().is_connect());
        assert_eq!(greeted.as_deref(), Some("received fatal alert: UnknownCA"));
    }

    #[tokio::test]
    async fn a_name_that_leads_to_this_machine_is_forbidden_and_not_called() {
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        listener.set_nonblocking(true).unwrap();
        let client = WebhookClient::new(false).unwrap();
        for host in ["localhost", "127.0.0.1", "[::ffff:127.0.0.1]"] {
            let target = format!("http://{host}:{port}/hook");
            let refused = client.post(&target, http::HeaderMap::new(), String::new(), CONNECT_TIMEOUT).await;
            assert!(
                matches!(refused, Err(WebhookError::Forbidden(ForbiddenTarget::Private(_)))),
                "{host}: {refused:?}"
            );
        }
        assert!(listener.accept().is_err(), "nobody called");
    }
}
