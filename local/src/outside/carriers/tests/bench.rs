//! An engine of carriers and callbacks only, and a sender that works as the product's.

use std::path::PathBuf;
use std::sync::atomic::AtomicUsize;
use std::time::Duration;

use axum::body::Bytes;
use axum::extract::State as Shared;
use axum::http::{HeaderMap, Method, StatusCode, Uri};
use serde_json::{Value, json};
use shared::channels::messagebird::Messagebird;
use shared::channels::twilio::Twilio;
use shared::channels::{
    self, Callback, CarrierRequest, CarrierResponse, Channel, Incoming, Outgoing, ReceiptStatus, SendError,
};
use shared::ids::{AppId, NotificationId};
use shared::model::{
    Address, ExternalId, Integration, Message, MessageWire, MessagebirdSettings, Secret, Settings, TwilioSettings,
};
use shared::system::System;
use tokio::net::TcpListener;
use tokio::sync::mpsc;
use tokio::time::timeout;

use super::super::*;

/// Longer than anything here takes.
const PATIENCE: Duration = Duration::from_secs(20);

/// The product's callbacks: verifies and reads what comes, refuses as often as told to.
#[derive(Clone)]
struct Product {
    integrations: Vec<Integration>,
    url: String,
    read: mpsc::UnboundedSender<Incoming>,
    failures: Arc<AtomicUsize>,
}

pub struct Bench {
    pub state: State,
    pub url: String,
    pub client: reqwest::Client,
    pub integrations: Vec<Integration>,
    pub read: mpsc::UnboundedReceiver<Incoming>,
    pub faults: Faults,
    pub failures: Arc<AtomicUsize>,
}

impl Bench {
    pub async fn start() -> Self {
        Self::start_at(None, integrations()).await
    }

    pub async fn start_at(data_dir: Option<PathBuf>, integrations: Vec<Integration>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let faults = Faults::default();
        let state =
            State::new(url.clone(), Feed::default(), faults.clone(), Activity::default(), data_dir, None).unwrap();
        for integration in &integrations {
            state.register(integration);
        }
        let (sender, read) = mpsc::unbounded_channel();
        let failures = Arc::default();
        let product = Product {
            integrations: integrations.clone(),
            url: url.clone(),
            read: sender,
            failures: Arc::clone(&failures),
        };
        let router = Router::new()
            .nest("/_carriers", router(state.clone()))
            .nest("/_local", control(state.clone()))
            .route("/callbacks/{*path}", axum::routing::any(take).with_state(product));
        tokio::spawn(crate::server::serve(listener, router));
        let client = reqwest::Client::builder().no_proxy().build().unwrap();
        Self { state, url, client, integrations, read, faults, failures }
    }

    pub fn integration(&self, channel: &str) -> &Integration {
        self.integrations.iter().find(|integration| integration.kind().as_str() == channel).unwrap()
    }

    /// Renders, sends and reads the answer as the product does.
    pub async fn send_as<C: Channel>(
        &self,
        integration: &Integration,
        to: &str,
        wire: Value,
    ) -> Result<ExternalId, SendError> {
        let wire: MessageWire = serde_json::from_value(wire).unwrap();
        let message = Message::try_from(wire).unwrap();
        let path = format!("callbacks/{}/{}/{}", integration.kind().as_str(), integration.app_id, integration.id);
        let requests = C::render(
            C::settings(integration).unwrap(),
            &Outgoing {
                api_url: &format!("{}/_carriers/{}", self.url, C::TYPE),
                to: &Address::e164(to).unwrap(),
                message: &message,
                app_name: "Tea House",
                callback_url: &|parts| format!("{}/{path}/token{parts}", self.url),
                reference: shared::model::Subject::Notification(NotificationId::generate(&System)),
            },
        )?;
        assert_eq!(requests.len(), 1);
        C::accepted(&self.execute(requests.into_iter().next().unwrap()).await.expect("an answer"))
    }

    pub async fn send(&self, channel: &str, to: &str) -> Result<ExternalId, SendError> {
        let integration = self.integration(channel);
        let wire = json!({"type": "text", "text": "Ça va? Your tea is ready & hot"});
        match channel {
            "twilio" => self.send_as::<Twilio>(integration, to, wire).await,
            _ => self.send_as::<Messagebird>(integration, to, wire).await,
        }
    }

    pub async fn execute(&self, request: CarrierRequest) -> Result<CarrierResponse, reqwest::Error> {
        let response = self.client.execute(reqwest::Request::try_from(request).unwrap()).await?;
        let mut answer = http::Response::builder().status(response.status());
        answer.headers_mut().unwrap().extend(response.headers().clone());
        Ok(answer.body(response.bytes().await?.to_vec()).unwrap())
    }

    pub async fn next(&mut self) -> Incoming {
        timeout(PATIENCE, self.read.recv()).await.expect("a callback in time").expect("a callback")
    }

    pub async fn next_status(&mut self, id: &ExternalId) -> ReceiptStatus {
        match self.next().await {
            Incoming::Receipt(receipt) if receipt.external_id == *id => receipt.status,
            other => panic!("not a receipt for {id:?}: {other:?}"),
        }
    }

    pub async fn control(&self, path: &str, body: Value) -> (StatusCode, Value) {
        let request = self.client.post(format!("{}/_local/{path}", self.url)).json(&body);
        let response = request.send().await.unwrap();
        (response.status(), response.json().await.unwrap())
    }

    pub async fn outbox(&self, query: &str) -> Vec<Value> {
        let response = self.client.get(format!("{}/_local/outbox?{query}", self.url)).send().await.unwrap();
        let body: Value = response.json().await.unwrap();
        body["messages"].as_array().unwrap().clone()
    }
}

async fn take(
    Shared(product): Shared<Product>,
    method: Method,
    uri: Uri,
    headers: HeaderMap,
    body: Bytes,
) -> StatusCode {
    use std::sync::atomic::Ordering::SeqCst;
    if product.failures.fetch_update(SeqCst, SeqCst, |left| left.checked_sub(1)).is_ok() {
        return StatusCode::SERVICE_UNAVAILABLE;
    }
    let received = shared::system::now();
    let url = format!("{}{uri}", product.url);
    let callback = Callback { method, url, headers, body: body.to_vec(), received };
    let is_for = |integration: &&Integration| uri.path().contains(&integration.id.to_string());
    let integration = product.integrations.iter().find(is_for).unwrap();
    match channels::read_callback(integration, callback) {
        Ok(incoming) => {
            incoming.into_iter().for_each(|one| product.read.send(one).unwrap());
            StatusCode::OK
        }
        Err(_) => StatusCode::FORBIDDEN,
    }
}

pub fn integrations() -> Vec<Integration> {
    let integration = |settings| Integration::new(&System, AppId::generate(&System), settings);
    vec![
        integration(Settings::Twilio(TwilioSettings {
            account_sid: "AC00000000000000000000000000000001".into(),
            auth_token: Secret::new("0123456789abcdef0123456789abcdef"),
            phone_number_sid: "PN00000000000000000000000000000001".into(),
            phone_number: Address::e164("+15550100001").unwrap(),
            account_name: None,
            messaging_service_sid: None,
        })),
        integration(Settings::Messagebird(MessagebirdSettings {
            access_key: Secret::new("live_0123456789abcdefghij"),
            originator: Address::e164("+31970000001").unwrap(),
            signing_key: Some(Secret::new("a signing key")),
            webhook_secret: None,
        })),
    ]
}
