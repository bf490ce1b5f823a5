//! The messages that the carriers accepted most recently, in memory: what `GET /_local/outbox` shows.

use std::collections::{HashMap, VecDeque};
use std::sync::{Mutex, PoisonError};

use super::message::Message;

/// Messages kept.
pub const CAPACITY: usize = 2_000;

pub struct AcceptedMessages(Mutex<Kept>);

#[derive(Default)]
struct Kept {
    messages: VecDeque<Message>,
    /// Number of the first message kept, counted from the engine's start.
    first: usize,
    /// Last message of an external id: a request to several recipients has one id.
    by_id: HashMap<String, usize>,
}

impl AcceptedMessages {
    /// `messages`: oldest first.
    pub fn new(messages: Vec<Message>) -> Self {
        let accepted = Self(Mutex::default());
        messages.into_iter().for_each(|message| accepted.push(message));
        accepted
    }

    pub fn push(&self, message: Message) {
        let mut kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if kept.messages.len() == CAPACITY
            && let Some(oldest) = kept.messages.pop_front()
        {
            let first = kept.first;
            if kept.by_id.get(&oldest.external_id) == Some(&first) {
                kept.by_id.remove(&oldest.external_id);
            }
            kept.first += 1;
        }
        let number = kept.first + kept.messages.len();
        kept.by_id.insert(message.external_id.clone(), number);
        kept.messages.push_back(message);
    }

    pub fn set_status(&self, external_id: &str, status: &str) {
        let mut kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(number) = kept.by_id.get(external_id).copied() {
            let index = number - kept.first;
            if let Some(message) = kept.messages.get_mut(index) {
                status.clone_into(&mut message.status);
            }
        }
    }

    pub fn find(&self, external_id: &str) -> Option<Message> {
        let kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let number = kept.by_id.get(external_id)?;
        kept.messages.get(number - kept.first).cloned()
    }

    /// Oldest first.
    pub fn select(&self, wanted: impl Fn(&Message) -> bool) -> Vec<Message> {
        let kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        kept.messages.iter().filter(|message| wanted(message)).cloned().collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use shared::ids::{AppId, IntegrationId};
    use shared::model::ChannelType;

    fn message(number: usize) -> Message {
        Message {
            external_id: format!("SM{number}"),
            app_id: AppId::from_bytes([1; 12]),
            integration_id: IntegrationId::from_bytes([1; 12]),
            channel: ChannelType::Twilio,
            to: String::new(),
            from: String::new(),
            text: String::new(),
            media_urls: Vec::new(),
            raw: serde_json::Map::new(),
            at: 0,
            status: "queued".into(),
            callback_path: None,
            reference: None,
        }
    }

    #[test]
    fn the_oldest_make_room_and_the_rest_is_found() {
        let accepted = AcceptedMessages::new((0..CAPACITY + 10).map(message).collect());
        assert_eq!(accepted.select(|_| true).len(), CAPACITY);
        assert!(accepted.find("SM9").is_none());
        accepted.set_status("SM9", "sent");
        accepted.set_status("SM10", "sent");
        assert_eq!(accepted.find("SM10").unwrap().status, "sent");
        assert_eq!(accepted.find(&format!("SM{}", CAPACITY + 9)).unwrap().status, "queued");
    }
}
