//! The carriers' way to the product: its callbacks, over HTTP, on this machine only.

use std::time::Duration;

use reqwest::redirect::Policy;
use shared::model::ChannelType;
use tokio::sync::Semaphore;

use super::accounts::Account;
use super::message::{Message, Step};
use super::{messagebird, twilio};

/// Twilio's own: 15 seconds in all.
const TIMEOUT: Duration = Duration::from_secs(15);
/// At the same time.
const CALLS: usize = 64;
/// Milliseconds between tries, when the product is down or says so.
const PAUSES: [u64; 10] = [50, 100, 200, 400, 800, 1_600, 3_200, 5_000, 5_000, 5_000];

/// A request to the product, signed.
pub type Call = http::Request<Vec<u8>>;

/// What the product answered.
#[derive(Debug, Clone, serde::Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Answer {
    pub status: u16,
    pub body: String,
}

/// What a person writes.
#[derive(Debug, Clone, Default)]
pub struct Written {
    pub from: String,
    pub text: String,
    /// URL and type.
    pub media: Vec<(String, String)>,
}

pub struct Callbacks {
    client: reqwest::Client,
    calls: Semaphore,
    public_url: String,
}

impl Callbacks {
    pub fn new(public_url: String) -> Result<Self, reqwest::Error> {
        let client = reqwest::Client::builder().redirect(Policy::none()).timeout(TIMEOUT).no_proxy().build()?;
        Ok(Self { client, calls: Semaphore::new(CALLS), public_url })
    }

    /// The part of a callback URL below the public URL. A simulation calls nobody else.
    pub fn path<'a>(&self, url: &'a str) -> Option<&'a str> {
        url.strip_prefix(&self.public_url).filter(|path| path.starts_with('/'))
    }

    /// The whole URL of a path.
    pub fn url(&self, path: &str) -> String {
        format!("{}{path}", self.public_url)
    }

    /// Sends one receipt. Tried again, newly signed, while the product is down; `None` when it stays so.
    pub async fn receipt(&self, account: &Account, message: &Message, step: &Step) -> Option<Answer> {
        let url = format!("{}{}", self.public_url, message.callback_path.as_deref()?);
        let call = || match message.channel {
            ChannelType::Twilio => twilio::receipt(account, message, step, &url),
            ChannelType::Messagebird => messagebird::report(account, message, step, &url),
        };
        let mut last = None;
        for pause in std::iter::once(0).chain(PAUSES) {
            tokio::time::sleep(Duration::from_millis(pause)).await;
            last = self.send(call()?).await;
            if last.as_ref().is_some_and(|answer| answer.status < 500) {
                break;
            }
        }
        last
    }

    /// Brings a person's message to a path of ours, once, as the carrier that has the number would.
    pub async fn reply(&self, account: &Account, path: &str, external_id: &str, written: &Written) -> Option<Answer> {
        let url = self.url(path);
        self.send(match account.channel {
            ChannelType::Twilio => twilio::inbound(account, external_id, written, &url),
            ChannelType::Messagebird => messagebird::inbound(account, external_id, written, &url),
        }?)
        .await
    }

    async fn send(&self, call: Call) -> Option<Answer> {
        let _permit = self.calls.acquire().await.ok()?;
        let response = self.client.execute(reqwest::Request::try_from(call).ok()?).await.ok()?;
        let status = response.status().as_u16();
        Some(Answer { status, body: response.text().await.ok()? })
    }
}
