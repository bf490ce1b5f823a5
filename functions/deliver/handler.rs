//! One batch of events to post. A success at the first try writes nothing.
//!
//! An event that fails leaves its task and goes on alone, with its own count of attempts, so that neither the other
//! events nor other webhooks wait for it. No slot is held through a back-off: the queue does the waiting.

use std::sync::Arc;
use std::time::Instant;

use aws_lambda_events::sqs::SqsEvent;
use lambda_http::http::{HeaderMap, HeaderName, HeaderValue, header};
use serde_json::Value;
use shared::batch::{self, Later, Record};
use shared::http::{WebhookAnswer, WebhookError};
use shared::model::{Timestamp, Webhook};
use shared::queue::QueueError;
use shared::system::{jitter, now};
use shared::tasks::{DeliverTask, WebhookEvent};
use shared::telemetry::{Metric, Outcome};
use shared::webhook::retry::{self, Verdict};
use shared::webhook::{Event, signature};
use tokio::task::JoinSet;

use crate::context::Context;

/// What one attempt at one event came to.
enum Attempt {
    Taken,
    /// Refused for good, by the receiver's word (406): nothing to repeat, nothing to keep.
    Rejected,
    Retry {
        wait: u32,
        reason: String,
    },
    Dead {
        reason: String,
    },
}

pub async fn handle(context: Arc<Context>, batch: SqsEvent) -> Value {
    let each = |record| deliver(Arc::clone(&context), record);
    batch::run(batch, &context.queue, None, each).await
}

async fn deliver(context: Arc<Context>, record: Record<DeliverTask>) -> Result<Vec<Event>, Later> {
    let DeliverTask::V1 { app_id, webhook_id, attempts, events, .. } = record.task;
    let Some(webhook) = context.store.webhook(app_id, webhook_id).await? else {
        // Deleted since the event was published: nobody is left to tell.
        return Ok(Vec::new());
    };
    let webhook = Arc::new(webhook);
    let mut posting = JoinSet::new();
    for event in events {
        let (context, webhook) = (Arc::clone(&context), Arc::clone(&webhook));
        posting.spawn(async move {
            let attempt = attempt(&context, &webhook, &event, attempts.saturating_add(1)).await;
            follow_up(&context, &webhook, event, attempts.saturating_add(1), attempt).await
        });
    }
    let mut undone = None;
    while let Some(posted) = posting.join_next().await {
        match posted {
            Ok(Ok(())) => {}
            Ok(Err(error)) => undone = Some(Later::from(error)),
            Err(_) => undone = Some(Later::because("posting panicked")),
        }
    }
    undone.map_or(Ok(Vec::new()), Err)
}

async fn attempt(context: &Context, webhook: &Webhook, event: &WebhookEvent, made: u8) -> Attempt {
    let now = now();
    let patience = context.hung.patience(webhook.id, made, Instant::now());
    let answer = context.client.post(&webhook.target, headers(webhook, event, now), event.body.clone(), patience).await;
    match &answer {
        Ok(_) => context.hung.forget(webhook.id),
        Err(WebhookError::TimedOut(waited)) => context.hung.note(webhook.id, *waited, Instant::now()),
        Err(_) => {}
    }
    judge(answer, made, jitter())
}

/// What follows from an answer, or from none, after `made` attempts.
fn judge(answer: Result<WebhookAnswer, WebhookError>, made: u8, jitter: f64) -> Attempt {
    let (reason, wish) = match answer {
        Ok(WebhookAnswer { status: 406, .. }) => return Attempt::Rejected,
        Ok(answer) => match retry::verdict(answer.status) {
            Verdict::Taken => return Attempt::Taken,
            Verdict::Refused => return Attempt::Dead { reason: format!("the receiver answered {}", answer.status) },
            Verdict::TryAgain => (format!("the receiver answered {}", answer.status), answer.retry_after),
        },
        Err(WebhookError::Forbidden(error)) => return Attempt::Dead { reason: error.to_string() },
        Err(error) => (error.to_string(), None),
    };
    match retry::wait(made, wish, jitter) {
        Some(wait) => Attempt::Retry { wait, reason },
        None => Attempt::Dead { reason: format!("{made} attempts, at last {reason}") },
    }
}

async fn follow_up(
    context: &Context,
    webhook: &Webhook,
    event: WebhookEvent,
    made: u8,
    attempt: Attempt,
) -> Result<(), QueueError> {
    let outcome = |metric| {
        let outcome = Outcome::of(metric).with("appId", webhook.app_id).with("webhookId", webhook.id);
        let outcome = outcome.with("eventId", event.id).with("trigger", event.trigger);
        let outcome = match event.subject {
            Some(subject) => outcome.with(subject.id_name(), subject),
            None => outcome,
        };
        outcome.with_number("attempt", i64::from(made))
    };
    match attempt {
        Attempt::Taken => outcome(Metric::WebhookDelivered).log(),
        Attempt::Rejected => outcome(Metric::WebhookDelivered).with("rejected", true).log(),
        Attempt::Retry { wait, reason } => {
            outcome(Metric::WebhookRetried).with("reason", reason).with_number("seconds", i64::from(wait)).log();
            context.queue.send_later(&alone(webhook, event, made, None), wait).await?;
        }
        Attempt::Dead { reason } => {
            outcome(Metric::WebhookDead).with("reason", &reason).log();
            // Redriven, it starts from the first attempt.
            context.dead.send(&alone(webhook, event, 0, Some(reason))).await?;
        }
    }
    Ok(())
}

fn alone(webhook: &Webhook, event: WebhookEvent, attempts: u8, dead: Option<String>) -> DeliverTask {
    DeliverTask::V1 { app_id: webhook.app_id, webhook_id: webhook.id, attempts, events: vec![event], dead }
}

fn headers(webhook: &Webhook, event: &WebhookEvent, now: Timestamp) -> HeaderMap {
    let signature = signature::sign(&webhook.signing, event.id, now, &event.body);
    let mut headers = HeaderMap::new();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
    let own = [
        (signature::API_KEY, webhook.secret.expose().to_owned()),
        (signature::ID, event.id.to_string()),
        (signature::TIMESTAMP, now.seconds().to_string()),
        (signature::SIGNATURE, signature),
    ];
    for (name, value) in own {
        if let Ok(mut value) = HeaderValue::from_str(&value) {
            value.set_sensitive(name == signature::API_KEY);
            headers.insert(HeaderName::from_static(name), value);
        }
    }
    headers
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    fn answered(status: u16, made: u8) -> Attempt {
        judge(Ok(WebhookAnswer { status, retry_after: None }), made, 0.5)
    }

    #[test]
    fn a_receiver_that_refuses_is_not_asked_again() {
        for status in [400, 401, 403, 404] {
            assert!(matches!(answered(status, 1), Attempt::Dead { .. }), "{status}");
        }
        assert!(matches!(answered(406, 1), Attempt::Rejected));
        assert!(matches!(answered(204, 1), Attempt::Taken));
    }

    #[test]
    fn a_receiver_that_is_down_gets_four_more_attempts() {
        for made in 1..=4 {
            assert!(matches!(answered(503, made), Attempt::Retry { .. }), "{made}");
        }
        assert!(matches!(answered(503, 5), Attempt::Dead { .. }));
        assert!(matches!(judge(Err(WebhookError::TimedOut(Duration::from_secs(2))), 1, 0.5), Attempt::Retry { .. }));
    }

    #[test]
    fn the_receivers_own_wish_is_kept() {
        let answer = WebhookAnswer { status: 429, retry_after: Some(300) };
        assert!(matches!(judge(Ok(answer), 1, 0.5), Attempt::Retry { wait: 300, .. }));
    }
}
