//! What happens to a send before and after a carrier's own checks, whichever carrier it is: faults asked for, the
//! destination's outcome, and the taking of the message.

use std::time::Duration;

use axum::body::Body;
use axum::http::{HeaderValue, header};
use axum::response::Response;
use serde_json::Value;

use super::State;
use super::addresses::Outcome;
use super::carrier::{Carrier, Words};
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

/// What faults that were asked for do to a message that is taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Trouble {
    /// Every receipt is sent twice.
    pub is_doubled: bool,
    pub heard: Heard,
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
    pub(super) async fn strike(&self, carrier: &dyn Carrier) -> Result<Trouble, Refusal> {
        let spared = Trouble { is_doubled: false, heard: Heard::All };
        let Some(fault) = self.0.faults.take(&format!("carrier:{}", carrier.channel())) else { return Ok(spared) };
        match fault.kind {
            FaultKind::Status(status) => Err(Refusal::Status { status, after: fault.retry_after }),
            FaultKind::Throttle => Err(Refusal::Throttled { after: fault.retry_after.unwrap_or(RETRY_AFTER) }),
            FaultKind::Duplicate => Ok(Trouble { is_doubled: true, ..spared }),
            FaultKind::Lost => Ok(Trouble { heard: Heard::Nothing, ..spared }),
            FaultKind::Cut(bytes) => Ok(Trouble { heard: Heard::AllBut(bytes), ..spared }),
            FaultKind::Timeout | FaultKind::Reset => {
                fault.answer().await;
                Err(Refusal::Silence)
            }
            // For the engine: it kills the caller once we have answered.
            FaultKind::Kill => Ok(spared),
        }
    }

    /// Takes a message that the carrier's checks let through, or refuses it as its destination asks.
    pub(super) async fn accept(
        &self,
        carrier: &dyn Carrier,
        message: Message,
        trouble: Trouble,
    ) -> Result<(), Refusal> {
        let outcome = Outcome::of(&message.to, &carrier.addresses());
        self.refuse(&message, outcome).await?;
        let mut steps = receipts(carrier.words(), outcome);
        if trouble.is_doubled {
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
            Outcome::OptedOut => Err(Refusal::OptedOut),
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

/// Those of a message that was taken.
fn receipts(words: Words, outcome: Outcome) -> Vec<Step> {
    let sent = Step::new(PAUSE, words.sent, None);
    let delivered = Step::new(PAUSE, words.delivered, None);
    let failed = |code| Step::new(PAUSE, words.failed, Some(code));
    match outcome {
        Outcome::UnknownSubscriber => vec![sent, failed(words.unknown_subscriber)],
        Outcome::OptedOutLater => vec![failed(words.opted_out)],
        Outcome::NeverConfirmed => vec![sent],
        Outcome::ReceiptsOutOfOrder => vec![delivered.clone(), sent.clone(), delivered, sent],
        _ => vec![sent, delivered],
    }
}
