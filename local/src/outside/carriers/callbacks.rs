//! The carriers' way to the product: its callbacks, over HTTP, on this machine only.

use std::time::{Duration, Instant};

use reqwest::redirect::Policy;
use shared::model::ChannelType;
use tokio::sync::Semaphore;

use super::accounts::Account;
use super::message::{Message, Step};
use super::repeats::{Failure, MESSAGEBIRDS_PAUSES, TWILIOS_PATIENCE, Wishes, without_fragment};
use super::{messagebird, twilio};

/// Twilio's own: 15 seconds in all.
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

/// Where messages to a number go, below the public URL, with the wishes of its fragment.
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
        let called = self.url(without_fragment(path));
        match message.channel {
            ChannelType::Twilio => {
                let call = twilio::receipt(account, message, step, &called)?;
                self.as_twilio(&call, &Wishes::of(path)).await.ok()
            }
            ChannelType::Messagebird => {
                self.as_messagebird(|| messagebird::report(account, message, step, &called)).await.ok()
            }
        }
    }

    /// Brings a person's message to where the number's messages go, as the carrier that has the number would.
    pub async fn reply(&self, account: &Account, way: &Way, external_id: &str, written: &Written) -> Option<Answer> {
        let called = self.url(without_fragment(&way.path));
        match account.channel {
            ChannelType::Twilio => {
                let call = twilio::inbound(account, external_id, written, &called, None)?;
                match self.as_twilio(&call, &Wishes::of(&way.path)).await {
                    Ok(answer) if answer.status < 400 => Some(answer),
                    failed => match &way.fallback {
                        Some(path) => {
                            let url = self.url(without_fragment(path));
                            self.send(twilio::inbound(account, external_id, written, &url, Some(&called))?).await.ok()
                        }
                        None => failed.ok(),
                    },
                }
            }
            ChannelType::Messagebird => {
                self.as_messagebird(|| messagebird::inbound(account, external_id, written, &called)).await.ok()
            }
        }
    }

    /// The same call again, with the same token, at once.
    async fn as_twilio(&self, call: &Call, wishes: &Wishes) -> Result<Answer, Failure> {
        let ends = Instant::now() + TWILIOS_PATIENCE;
        for tries in 1.. {
            let outcome = self.send(call.clone()).await;
            let failure = match &outcome {
                Ok(answer) => Failure::Status(answer.status),
                Err(failure) => *failure,
            };
            if !wishes.repeats(failure, tries) || Instant::now() >= ends {
                return outcome;
            }
        }
        Err(Failure::NoAnswer)
    }

    /// Newly signed each time, since its signatures end.
    async fn as_messagebird(&self, call: impl Fn() -> Option<Call>) -> Result<Answer, Failure> {
        let mut outcome = self.send(call().ok_or(Failure::NoConnection)?).await;
        for pause in MESSAGEBIRDS_PAUSES {
            if outcome.as_ref().is_ok_and(|answer| answer.status < 300) {
                break;
            }
            tokio::time::sleep(pause).await;
            outcome = self.send(call().ok_or(Failure::NoConnection)?).await;
        }
        outcome
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
