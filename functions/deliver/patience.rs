//! Which webhooks let a post hang lately. A slot that waits for one is a slot that nobody else has.
//!
//! Known to a warm instance alone, and soon forgotten. Every attempt is made and counts: one that is cut short is an
//! attempt like any other, and the last one of an event is never cut short.

use std::time::{Duration, Instant};

use shared::ids::WebhookId;
use shared::memory::Memory;
use shared::webhook::patience;

#[derive(Default)]
pub struct Hung(Memory<WebhookId, Instant>);

impl Hung {
    /// How long this attempt, the `made`th of its event, may wait for an answer.
    pub fn patience(&self, webhook: WebhookId, made: u8, now: Instant) -> Duration {
        let since = self.0.get(&webhook).map(|at| now.saturating_duration_since(at));
        patience::for_answer(made, since)
    }

    /// It did not answer in `waited`. That it did not in a short time says nothing new.
    pub fn note(&self, webhook: WebhookId, waited: Duration, now: Instant) {
        if waited >= patience::LONG {
            self.0.update(webhook, |_| Some(now));
        }
    }

    /// It answered.
    pub fn forget(&self, webhook: WebhookId) {
        self.0.update(webhook, |_| None);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use shared::system::System;

    #[test]
    fn a_webhook_that_hung_is_waited_for_briefly_until_it_answers_or_a_minute_has_gone() {
        let (hung, webhook, other, begun) =
            (Hung::default(), WebhookId::generate(&System), WebhookId::generate(&System), Instant::now());
        let (long, short) = (Duration::from_secs(20), Duration::from_secs(2));
        assert_eq!(hung.patience(webhook, 1, begun), long);
        hung.note(webhook, long, begun);
        assert_eq!(hung.patience(webhook, 1, begun), short);
        assert_eq!(hung.patience(other, 1, begun), long, "nobody else is hurried");
        let later = begun + Duration::from_secs(59);
        hung.note(webhook, short, later);
        assert_eq!(hung.patience(webhook, 2, later), short);
        assert_eq!(hung.patience(webhook, 2, later + Duration::from_secs(1)), long, "a brief wait proves nothing");
        hung.note(webhook, long, later);
        hung.forget(webhook);
        assert_eq!(hung.patience(webhook, 1, later), long);
    }
}
