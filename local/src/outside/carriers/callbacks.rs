//! The carriers' way to the product: its callbacks, over HTTP, on this machine only.

use std::time::{Duration, Instant};

use reqwest::redirect::Policy;
use tokio::sync::Semaphore;

use super::accounts::Account;
use super::message::{Message, Step};
use super::repeats::{Failure, Repeats};

/// No carrier waits longer for an answer.
const TIMEOUT: Duration = Duration::from_secs(15);
/// At the same time.
const CALLS: usize = 64;

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

/// A message from a person, on its way.
#[derive(Debug, Clone, Copy)]
pub struct Inbound<'a> {
    pub external_id: &'a str,
    pub written: &'a Written,
    pub url: &'a str,
    /// What was called before, in vain.
    pub failed: Option<&'a str>,
}

/// Where messages to an account go, below the public URL, with what the owner wrote behind it as a fragment.
#[derive(Debug, Clone)]
pub struct Way {
    pub path: String,
    /// Asked once where the other failed for good.
    pub fallback: Option<String>,
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

    /// Sends one receipt, repeated as the carrier repeats; `None` when nobody answered.
    pub async fn receipt(&self, account: &Account, message: &Message, step: &Step) -> Option<Answer> {
        let path = message.callback_path.as_deref()?;
        let url = self.url(without_fragment(path));
        self.repeated(account.carrier.repeats(path), || account.carrier.receipt(account, message, step, &url))
            .await
            .ok()
    }

    /// Brings a person's message to where the account's messages go, and then to the fallback.
    pub async fn reply(&self, account: &Account, way: &Way, external_id: &str, written: &Written) -> Option<Answer> {
        let url = self.url(without_fragment(&way.path));
        let inbound = Inbound { external_id, written, url: &url, failed: None };
        let call = |inbound| move || account.carrier.inbound(account, &inbound);
        let outcome = self.repeated(account.carrier.repeats(&way.path), call(inbound)).await;
        let is_taken = outcome.as_ref().is_ok_and(|answer| answer.status < 400);
        match &way.fallback {
            Some(path) if !is_taken => {
                let fallback = self.url(without_fragment(path));
                let inbound = Inbound { url: &fallback, failed: Some(&url), ..inbound };
                self.repeated(Repeats::Never, call(inbound)).await.ok()
            }
            _ => outcome.ok(),
        }
    }

    async fn repeated(&self, repeats: Repeats, call: impl Fn() -> Option<Call>) -> Result<Answer, Failure> {
        let begun = Instant::now();
        let mut prepared = call().ok_or(Failure::NoConnection)?;
        for tries in 1.. {
            let outcome = self.send(prepared.clone()).await;
            let failure = match &outcome {
                Ok(answer) => Failure::Status(answer.status),
                Err(failure) => *failure,
            };
            let Some(pause) = repeats.after(failure, tries, begun.elapsed()) else { return outcome };
            tokio::time::sleep(pause).await;
            if repeats.are_signed_anew() {
                prepared = call().ok_or(Failure::NoConnection)?;
            }
        }
        Err(Failure::NoAnswer)
    }

    async fn send(&self, call: Call) -> Result<Answer, Failure> {
        let _permit = self.calls.acquire().await.map_err(|_| Failure::NoConnection)?;
        let request = reqwest::Request::try_from(call).map_err(|_| Failure::NoConnection)?;
        let failed = |error: reqwest::Error| match error.is_connect() {
            true => Failure::NoConnection,
            false => Failure::NoAnswer,
        };
        let response = self.client.execute(request).await.map_err(failed)?;
        let status = response.status().as_u16();
        Ok(Answer { status, body: response.text().await.map_err(failed)? })
    }
}

/// What is called and signed: no fragment.
fn without_fragment(url: &str) -> &str {
    url.split('#').next().unwrap_or(url)
}
