//! What happens to a send before and after a carrier's own checks, whichever carrier it is: faults asked for, the
//! destination's outcome, and the taking of the message.

use std::time::Duration;

use axum::body::Body;
use axum::http::{HeaderValue, header};
use axum::response::Response;
use serde_json::Value;
use shared::model::ChannelType;

use super::State;
use super::addresses::Outcome;
use super::message::{Message, Step, Work};
use crate::control::faults::{FaultKind, reset};

const SLOW: Duration = Duration::from_secs(2);
/// Longer than the product waits for a carrier.
const SILENCE: Duration = Duration::from_secs(15);
/// Milliseconds from the answer to the first receipt, and between receipts.
const PAUSE: u64 = 5;
/// From the last byte of an answer that is cut short to the end of its connection.
const UNTIL_CUT: Duration = Duration::from_millis(50);
/// Throttled callers are told to wait this many seconds.
const RETRY_AFTER: u64 = 1;

/// Why a carrier says no, for it to say in its own words.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Refusal {
    InvalidNumber,
    OptedOut,
    /// Seconds.
    Throttled {
        after: u64,
    },
    /// Whatever goes with this HTTP status.
    Status {
        status: u16,
        after: Option<u64>,
    },
    /// No answer at all: the connection is closed.
    Silence,
}

/// What a fault does to a request.
pub enum Struck {
    Spared,
    /// Every receipt is to be sent twice.
    Doubled,
    /// The message is to be taken, and the answer not to arrive, or not all of it.
    Unheard(Heard),
    Refused(Refusal),
    Answered(Response),
}

/// How much of an answer arrives.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Heard {
    All,
    Nothing,
    /// All but the last so many bytes of its body.
    AllBut(usize),
}

impl Heard {
    pub async fn of(self, answer: Response) -> Response {
        match self {
            Self::All => answer,
            Self::Nothing => reset(),
            Self::AllBut(missing) => cut(answer, missing).await,
        }
    }
}

/// An answer that promises its whole length, and breaks off.
async fn cut(answer: Response, missing: usize) -> Response {
    let (mut head, body) = answer.into_parts();
    let Ok(body) = axum::body::to_bytes(body, usize::MAX).await else { return reset() };
    head.headers.insert(header::CONTENT_LENGTH, HeaderValue::from(body.len()));
    let begun = body.slice(..body.len().saturating_sub(missing));
    let (sender, parts) = tokio::sync::mpsc::channel(1);
    tokio::spawn(async move {
        let _ = sender.send(Ok(begun)).await;
        // What was begun is to be on its way before the connection is closed.
        tokio::time::sleep(UNTIL_CUT).await;
        let _ = sender.send(Err(std::io::Error::other("cut short on purpose"))).await;
    });
    Response::from_parts(head, Body::from_stream(tokio_stream::wrappers::ReceiverStream::new(parts)))
}

impl State {
    /// The fault that strikes this request, if one does.
    pub(super) async fn strike(&self, channel: ChannelType) -> Struck {
        let Some(fault) = self.0.faults.take(&format!("carrier:{channel}")) else { return Struck::Spared };
        match fault.kind {
            FaultKind::Status(status) => Struck::Refused(Refusal::Status { status, after: fault.retry_after }),
            FaultKind::Throttle => {
                Struck::Refused(Refusal::Throttled { after: fault.retry_after.unwrap_or(RETRY_AFTER) })
            }
            FaultKind::Duplicate => Struck::Doubled,
            FaultKind::Lost => Struck::Unheard(Heard::Nothing),
            FaultKind::Cut(bytes) => Struck::Unheard(Heard::AllBut(bytes)),
            FaultKind::Timeout | FaultKind::Reset => Struck::Answered(fault.answer().await.unwrap_or_else(reset)),
            // For the engine: it kills the caller once we have answered.
            FaultKind::Kill => Struck::Spared,
        }
    }

    /// Takes a message that the carrier's checks let through, or refuses it as its destination asks.
    pub(super) async fn accept(&self, message: Message, is_doubled: bool) -> Result<(), Refusal> {
        let outcome = Outcome::of(&message.to);
        self.refuse(&message, outcome).await?;
        let mut steps = plan(message.channel, outcome);
        if is_doubled {
            steps = steps.into_iter().flat_map(|step| [step.clone(), step]).collect();
        }
        let down = Refusal::Status { status: 500, after: None };
        let row = self.0.journal.took(&message, &steps).await.map_err(|_| down)?;
        self.0.accepted.push(message.clone());
        self.0.feed.publish("outbox", serde_json::to_value(&message).unwrap_or(Value::Null));
        let receipts = self.start_receipts(Work { row, message, steps });
        if outcome == Outcome::ReceiptsFirst {
            receipts.await.map_err(|_| down)?;
        }
        Ok(())
    }

    async fn refuse(&self, message: &Message, outcome: Outcome) -> Result<(), Refusal> {
        let is_refused = |times| self.0.attempts.is_refused(message.integration_id, &message.to, times);
        match outcome {
            Outcome::InvalidNumber => Err(Refusal::InvalidNumber),
            // MessageBird takes such messages and reports the opt-out later.
            Outcome::OptedOut if message.channel == ChannelType::Twilio => Err(Refusal::OptedOut),
            Outcome::ThrottledTwice if is_refused(2) => Err(Refusal::Throttled { after: RETRY_AFTER }),
            Outcome::FailsOnce if is_refused(1) => Err(Refusal::Status { status: 500, after: None }),
            Outcome::NeverAnswers => {
                tokio::time::sleep(SILENCE).await;
                Err(Refusal::Silence)
            }
            Outcome::Slow => {
                tokio::time::sleep(SLOW).await;
                Ok(())
            }
            _ => Ok(()),
        }
    }
}

/// The receipts of a message that was taken.
fn plan(channel: ChannelType, outcome: Outcome) -> Vec<Step> {
    let (failed, unknown_subscriber, opted_out) = match channel {
        ChannelType::Twilio => ("undelivered", 30005, 21610),
        ChannelType::Messagebird => ("delivery_failed", 1, 103),
    };
    let sent = Step::new(PAUSE, "sent", None);
    let delivered = Step::new(PAUSE, "delivered", None);
    match outcome {
        Outcome::UnknownSubscriber => vec![sent, Step::new(PAUSE, failed, Some(unknown_subscriber))],
        Outcome::OptedOut => vec![Step::new(PAUSE, failed, Some(opted_out))],
        Outcome::NeverConfirmed => vec![sent],
        Outcome::ReceiptsOutOfOrder => vec![delivered.clone(), sent.clone(), delivered, sent],
        _ => vec![sent, delivered],
    }
}
