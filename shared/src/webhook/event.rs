//! What happened, before it is written for a webhook: one constructor for each of v1.1's payloads (reference, 6.5).
//!
//! Every event has an id that a repeat of it has too, so that receivers can drop repeats.

use serde_json::{Map, Value, json};

use crate::ids::{AppId, AppUserId, ConversationId, EventId, IntegrationId};
use crate::model::user_wire;
use crate::model::{
    ChannelType, Client, DeliveryEvent, DeliveryOutcome, ExternalId, MatchResult, MessageWire, Person, Subject,
    Timestamp, Trigger,
};

#[derive(Debug, Clone, PartialEq)]
pub struct Event {
    pub app_id: AppId,
    pub trigger: Trigger,
    pub id: EventId,
    pub at: Timestamp,
    /// For the log, where it is about something sent.
    pub subject: Option<Subject>,
    /// Whose conversation it is about. Absent where the fields name people in their own way.
    pub who: Option<Who>,
    /// What this trigger's body holds besides.
    pub fields: Map<String, Value>,
}

/// The person an event is about, as far as it is known without reading them. Webhooks that want the full app user are
/// given it when the event is published.
#[derive(Debug, Clone, PartialEq)]
pub struct Who {
    pub app_user_id: AppUserId,
    pub user_id: Option<String>,
    pub conversation_started: bool,
    pub conversation_id: ConversationId,
    /// For webhooks that want it: the client that the event came by, and whether it is the preferred one.
    pub client: Option<(Client, bool)>,
}

impl Who {
    /// The person behind an address, with that client.
    pub fn at(result: &MatchResult) -> Self {
        Self {
            app_user_id: result.app_user_id,
            user_id: result.user_id.clone(),
            conversation_started: true,
            conversation_id: result.conversation_id,
            client: Some((result.client.clone(), result.client.preferred().is_some())),
        }
    }

    /// A person, with the client they prefer.
    pub fn of(person: &Person) -> Self {
        Self {
            app_user_id: person.user.id,
            user_id: person.user.user_id.clone(),
            conversation_started: person.user.conversation_started,
            conversation_id: person.user.conversation_id,
            client: person.primary().map(|client| (client.clone(), true)),
        }
    }

    /// The same person, with another client.
    pub fn by(self, client: &Client, primary: bool) -> Self {
        Self { client: Some((client.clone(), primary)), ..self }
    }
}

/// A message that a person wrote on a channel.
#[derive(Debug, Clone, PartialEq)]
pub struct Said {
    pub channel: ChannelType,
    pub integration_id: IntegrationId,
    /// The carrier's id of what was said.
    pub external_id: ExternalId,
}

impl Event {
    fn new(app_id: AppId, trigger: Trigger, id: EventId, at: Timestamp) -> Self {
        Self { app_id, trigger, id, at, subject: None, who: None, fields: Map::new() }
    }

    fn about(self, who: Who) -> Self {
        Self { who: Some(who), ..self }
    }

    fn with(mut self, name: &str, value: Value) -> Self {
        self.fields.insert(name.to_owned(), value);
        self
    }

    /// `notification:delivery:*` and `message:delivery:*`.
    pub fn delivery(delivery: &DeliveryEvent) -> Self {
        let mut event = Self::new(delivery.app_id, delivery.trigger(), delivery.event_id(), delivery.at);
        event.subject = Some(delivery.subject);
        let destination = &delivery.destination;
        let mut to = json!({ "type": destination.channel, "integrationId": destination.integration_id });
        let subject = match delivery.subject {
            Subject::Notification(id) => {
                to["destinationId"] = json!(destination.address);
                ("notification", json!({ "_id": id }))
            }
            Subject::Message(id) => {
                event.who = delivery.match_result.as_ref().map(Who::at);
                ("message", json!({ "_id": id }))
            }
        };
        let ids: Value = delivery.external_ids.iter().map(|id| json!({ "id": id })).collect();
        event = event.with("destination", to).with("isFinalEvent", delivery.is_final().into());
        event = event.with("externalMessages", ids).with(subject.0, subject.1);
        if let (Some(result), Subject::Notification(_)) = (&delivery.match_result, delivery.subject) {
            event = event.with("matchResult", match_result(result));
        }
        match &delivery.outcome {
            DeliveryOutcome::Failure(failure) => event.with("error", json!(failure)),
            DeliveryOutcome::Channel | DeliveryOutcome::User => event,
        }
    }

    /// `conversation:start`: a person wrote who was not known.
    pub fn conversation_start(app_id: AppId, who: Who, said: &Said, at: Timestamp) -> Self {
        let id = EventId::derive(&who.app_user_id.to_string(), Trigger::ConversationStart.as_str(), "");
        let source = json!({ "type": said.channel, "integrationId": said.integration_id });
        Self::new(app_id, Trigger::ConversationStart, id, at).about(who).with("source", source)
    }

    /// `message:appUser` by a channel, with what the person had been sent since they last wrote.
    pub fn reply(
        app_id: AppId,
        who: Who,
        said: &Said,
        messages: &[MessageWire],
        recent: &[MessageWire],
        at: Timestamp,
    ) -> Self {
        let subject = format!("{app_id}/{}", said.integration_id);
        let id = EventId::derive(&subject, Trigger::MessageAppUser.as_str(), &said.external_id.0);
        let event = Self::new(app_id, Trigger::MessageAppUser, id, at).about(who).with("messages", json!(messages));
        if recent.is_empty() { event } else { event.with("recentNotifications", json!(recent)) }
    }
}

fn match_result(result: &MatchResult) -> Value {
    json!({
        "appUser": user_wire::matched(result),
        "conversation": { "_id": result.conversation_id },
        "client": user_wire::client(&result.client, result.client.preferred().is_some()),
    })
}
