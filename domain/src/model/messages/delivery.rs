//! What became of something that was sent, as the business is told of it.

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::ids::{AppId, EventId, IntegrationId, MessageId, NotificationId};
use crate::model::{Address, ChannelType, MatchResult, Subject, Timestamp, Trigger};

/// The carrier's id of one message it accepted.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct ExternalId(pub String);

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Destination {
    pub channel: ChannelType,
    pub integration_id: IntegrationId,
    pub address: Address,
}

/// `notification:delivery:*` or `message:delivery:*`, before it is written for a webhook.
#[derive(Debug, Clone, PartialEq)]
pub struct DeliveryEvent {
    pub app_id: AppId,
    pub subject: DeliverySubject,
    pub destination: Destination,
    pub external_ids: Vec<ExternalId>,
    /// Absent only where a failure came before the person was known.
    pub match_result: Option<MatchResult>,
    pub outcome: DeliveryOutcome,
    pub at: Timestamp,
}

/// What the business is told the delivery of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DeliverySubject {
    Notification(NotificationId),
    Message(MessageId),
}

impl From<DeliverySubject> for Subject {
    fn from(told: DeliverySubject) -> Self {
        match told {
            DeliverySubject::Notification(id) => Self::Notification(id),
            DeliverySubject::Message(id) => Self::Message(id),
        }
    }
}

#[derive(Debug, Clone, PartialEq)]
pub enum DeliveryOutcome {
    /// The carrier took it. Not final: every channel served so far can still confirm or fail.
    Channel,
    /// The person's device has it.
    User,
    Failure(Failure),
}

impl DeliveryEvent {
    pub fn trigger(&self) -> Trigger {
        match (self.subject, &self.outcome) {
            (DeliverySubject::Notification(_), DeliveryOutcome::Channel) => Trigger::NotificationDeliveryChannel,
            (DeliverySubject::Notification(_), DeliveryOutcome::User) => Trigger::NotificationDeliveryUser,
            (DeliverySubject::Notification(_), DeliveryOutcome::Failure(_)) => Trigger::NotificationDeliveryFailure,
            (DeliverySubject::Message(_), DeliveryOutcome::Channel) => Trigger::MessageDeliveryChannel,
            (DeliverySubject::Message(_), DeliveryOutcome::User) => Trigger::MessageDeliveryUser,
            (DeliverySubject::Message(_), DeliveryOutcome::Failure(_)) => Trigger::MessageDeliveryFailure,
        }
    }

    /// Exactly one event is final: of a notification, and of a message for each destination.
    pub fn is_final(&self) -> bool {
        !matches!(self.outcome, DeliveryOutcome::Channel)
    }

    /// The same for every repeat. There is one end of each kind, so the id needs no external id; a message goes to
    /// several destinations, a notification to one.
    pub fn event_id(&self) -> EventId {
        let destination = match self.subject {
            DeliverySubject::Notification(_) => String::new(),
            DeliverySubject::Message(_) => {
                format!("{}/{}", self.destination.integration_id, self.destination.address.as_str())
            }
        };
        EventId::derive(&Subject::from(self.subject).to_string(), self.trigger().as_str(), &destination)
    }
}

/// Why a notification failed, as the business reads it: `{"code","message","underlyingError"}`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Failure {
    pub code: FailureCode,
    pub message: String,
    /// The carrier's own words, passed on unchanged.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub underlying_error: Option<Value>,
}

/// Every `error.code` a failure event can have. `docs/ERRORS.md` has the same list.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum FailureCode {
    Unauthorized,
    Forbidden,
    BadRequest,
    NotFound,
    TooManyRequests,
    ServiceUnavailable,
    UncategorizedError,
}

impl FailureCode {
    pub const ALL: [Self; 7] = [
        Self::Unauthorized,
        Self::Forbidden,
        Self::BadRequest,
        Self::NotFound,
        Self::TooManyRequests,
        Self::ServiceUnavailable,
        Self::UncategorizedError,
    ];

    pub fn as_str(self) -> &'static str {
        match self {
            Self::Unauthorized => "unauthorized",
            Self::Forbidden => "forbidden",
            Self::BadRequest => "bad_request",
            Self::NotFound => "not_found",
            Self::TooManyRequests => "too_many_requests",
            Self::ServiceUnavailable => "service_unavailable",
            Self::UncategorizedError => "uncategorized_error",
        }
    }
}
