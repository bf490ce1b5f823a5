//! What happened, before it is written for a webhook: one constructor for each of v1.1's payloads (docs/REFERENCE.md, 6.5).
//!
//! Every event has an id that a repeat of it has too, so that receivers can drop repeats.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

use crate::ids::{AppId, AppUserId, ConversationId, EventId, IntegrationId};
use crate::linking::Link;
use crate::model::user_wire;
use crate::model::{
    ActionWire, AppUser, ChannelType, Client, DeliveryEvent, DeliveryOutcome, DeliverySubject, ExternalId, Failure,
    MatchResult, MessageWire, Person, Role, Subject, Timestamp, Trigger,
};

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Event {
    pub app_id: AppId,
    pub trigger: Trigger,
    pub id: EventId,
    pub at: Timestamp,
    /// For the log, where it is about something sent.
    pub subject: Option<Subject>,
    /// Whose conversation it is about. Absent where the fields name people in their own way.
    pub who: Option<Who>,
    /// The person as they were, where nobody can read them any more.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub full: Option<Box<Person>>,
    /// What this trigger's body holds besides.
    pub fields: Map<String, Value>,
}

/// The person an event is about, as far as it is known without reading them. Webhooks that want the full app user are
/// given it when the event is published.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
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

    /// The same person, whose conversation has begun.
    pub fn started(self) -> Self {
        Self { conversation_started: true, ..self }
    }

    /// The same person, with another client.
    pub fn by(self, client: &Client, primary: bool) -> Self {
        Self { client: Some((client.clone(), primary)), ..self }
    }
}

/// Where a message came from that a person wrote on a channel.
#[derive(Debug, Clone, PartialEq)]
pub struct InboundSource {
    pub channel: ChannelType,
    pub integration_id: IntegrationId,
    /// The carrier's id of it.
    pub external_id: ExternalId,
}

impl Event {
    fn new(app_id: AppId, trigger: Trigger, id: EventId, at: Timestamp) -> Self {
        Self { app_id, trigger, id, at, subject: None, who: None, full: None, fields: Map::new() }
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
        event.subject = Some(delivery.subject.into());
        let destination = &delivery.destination;
        let mut to = json!({ "type": destination.channel, "integrationId": destination.integration_id });
        let (name, subject) = match delivery.subject {
            DeliverySubject::Notification(id) => {
                to["destinationId"] = json!(destination.address);
                ("notification", json!({ "_id": id }))
            }
            DeliverySubject::Message(id) => {
                event.who = delivery.match_result.as_ref().map(Who::at);
                ("message", json!({ "_id": id }))
            }
        };
        let ids: Value = delivery.external_ids.iter().map(|id| json!({ "id": id })).collect();
        event = event.with("destination", to).with("isFinalEvent", delivery.is_final().into());
        event = event.with("externalMessages", ids).with(name, subject);
        if let (Some(result), DeliverySubject::Notification(_)) = (&delivery.match_result, delivery.subject) {
            event = event.with("matchResult", match_result(result));
        }
        match &delivery.outcome {
            DeliveryOutcome::Failure(failure) => event.with("error", json!(failure)),
            DeliveryOutcome::Channel | DeliveryOutcome::User => event,
        }
    }

    /// `conversation:start`: a person wrote who was not known.
    pub fn conversation_start(app_id: AppId, who: Who, source: &InboundSource, at: Timestamp) -> Self {
        let id = EventId::derive(&who.app_user_id.to_string(), Trigger::ConversationStart.as_str(), "");
        let shown = json!({ "type": source.channel, "integrationId": source.integration_id });
        Self::new(app_id, Trigger::ConversationStart, id, at).about(who).with("source", shown)
    }

    /// `message:appUser` by a channel, with what the person had been sent since they last wrote.
    pub fn reply(
        app_id: AppId,
        who: Who,
        source: &InboundSource,
        messages: &[MessageWire],
        recent: &[MessageWire],
        at: Timestamp,
    ) -> Self {
        let subject = format!("{app_id}/{}", source.integration_id);
        let id = EventId::derive(&subject, Trigger::MessageAppUser.as_str(), &source.external_id.0);
        let event = Self::new(app_id, Trigger::MessageAppUser, id, at).about(who).with("messages", json!(messages));
        if recent.is_empty() { event } else { event.with("recentNotifications", json!(recent)) }
    }
}

/// How far a link came.
#[derive(Debug, Clone, PartialEq)]
pub enum LinkStep {
    Match,
    Success,
    Failure(Failure),
}

impl Event {
    /// `message:appMaker` or `message:appUser`, posted by the API.
    pub fn posted(app_id: AppId, who: Who, role: Role, messages: &[MessageWire]) -> Self {
        let trigger = match role {
            Role::AppMaker => Trigger::MessageAppMaker,
            Role::AppUser => Trigger::MessageAppUser,
        };
        let first = messages.first();
        let subject = first.and_then(|message| message.id).map(|id| id.to_string()).unwrap_or_default();
        let at = first.and_then(|message| message.received).unwrap_or(Timestamp::from_millis(0));
        let id = EventId::derive(&subject, trigger.as_str(), "");
        Self::new(app_id, trigger, id, at).about(who).with("messages", json!(messages))
    }

    /// `conversation:read`, by the person.
    pub fn read(app_id: AppId, who: Who, at: Timestamp) -> Self {
        Self::moment(app_id, Trigger::ConversationRead, who, at).with("source", json!({ "type": "api" }))
    }

    /// `typing:appUser`: `typing:start` or `typing:stop`.
    pub fn typing(app_id: AppId, who: Who, activity: &str, at: Timestamp) -> Self {
        Self::moment(app_id, Trigger::TypingAppUser, who, at).with("activity", json!({ "type": activity }))
    }

    /// `postback`, with the message that held the button.
    pub fn postback(app_id: AppId, who: Who, message: &MessageWire, action: &ActionWire, at: Timestamp) -> Self {
        let postbacks = json!([{ "message": message, "action": action }]);
        Self::moment(app_id, Trigger::Postback, who, at).with("postbacks", postbacks)
    }

    /// Something a person did at a moment, which nothing repeats.
    fn moment(app_id: AppId, trigger: Trigger, who: Who, at: Timestamp) -> Self {
        let id = EventId::derive(&who.app_user_id.to_string(), trigger.as_str(), &at.millis().to_string());
        Self::new(app_id, trigger, id, at).about(who)
    }

    /// `link:match`, `link:success`, `link:failure`.
    pub fn link(app_id: AppId, who: Who, link: &Link, step: LinkStep, at: Timestamp) -> Self {
        let trigger = match step {
            LinkStep::Match => Trigger::LinkMatch,
            LinkStep::Success => Trigger::LinkSuccess,
            LinkStep::Failure(_) => Trigger::LinkFailure,
        };
        let id = EventId::derive(&link.id.to_string(), trigger.as_str(), "");
        let mut event = Self::new(app_id, trigger, id, at).about(who);
        event = event.with("channel", json!(link.client.platform)).with("criteria", json!(link.criteria));
        match step {
            LinkStep::Failure(failure) => event.with("error", json!(failure)),
            LinkStep::Match | LinkStep::Success => event,
        }
    }

    /// `client:add`, once for each `cause`.
    pub fn client_added(app_id: AppId, who: Who, cause: &str, at: Timestamp) -> Self {
        let id = EventId::derive(cause, Trigger::ClientAdd.as_str(), "");
        Self::new(app_id, Trigger::ClientAdd, id, at).about_client(who).with("reason", "channelLinking".into())
    }

    /// `client:remove`: `api`, `theft`.
    pub fn client_removed(app_id: AppId, who: Who, cause: &str, reason: &str, at: Timestamp) -> Self {
        let id = EventId::derive(cause, Trigger::ClientRemove.as_str(), "");
        Self::new(app_id, Trigger::ClientRemove, id, at).about_client(who).with("reason", reason.into())
    }

    /// `merge:appUser`, which names its people in a way of its own.
    pub fn merged(app_id: AppId, surviving: &AppUser, discarded: &AppUser, at: Timestamp) -> Self {
        let id = EventId::derive(&discarded.id.to_string(), Trigger::MergeAppUser.as_str(), "");
        Self::new(app_id, Trigger::MergeAppUser, id, at)
            .with("surviving", user_wire::truncated(surviving))
            .with("discarded", json!([user_wire::truncated(discarded)]))
    }

    /// `appUser:delete`.
    pub fn user_deleted(app_id: AppId, person: Person, at: Timestamp) -> Self {
        let id = EventId::derive(&person.user.id.to_string(), Trigger::AppUserDelete.as_str(), "");
        let event = Self::new(app_id, Trigger::AppUserDelete, id, at).about(Who::of(&person));
        Self { full: Some(Box::new(person)), ..event }
    }

    /// The client is what it is about: shown to every webhook.
    fn about_client(self, who: Who) -> Self {
        let client = who.client.as_ref().map(|(client, primary)| user_wire::client(client, *primary));
        let event = self.about(who);
        match client {
            Some(client) => event.with("client", client),
            None => event,
        }
    }
}

fn match_result(result: &MatchResult) -> Value {
    json!({
        "appUser": user_wire::matched(result),
        "conversation": { "_id": result.conversation_id },
        "client": user_wire::client(&result.client, result.client.preferred().is_some()),
    })
}
