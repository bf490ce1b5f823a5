//! Webhooks and the triggers they subscribe to.

use serde::{Deserialize, Serialize};

use super::Secret;
use crate::ids::{AppId, WebhookId};

macro_rules! triggers {
    ($($(#[$doc:meta])* $variant:ident = $name:literal),+ $(,)?) => {
        /// What can happen, by v1.1's names (v1.1 reference, 6.3).
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
        pub enum Trigger { $($(#[$doc])* #[serde(rename = $name)] $variant),+ }

        impl Trigger {
            pub const ALL: &[Self] = &[$(Self::$variant),+];

            pub fn as_str(self) -> &'static str {
                match self { $(Self::$variant => $name),+ }
            }

            pub fn from_name(name: &str) -> Option<Self> {
                Self::ALL.iter().copied().find(|trigger| trigger.as_str() == name)
            }
        }
    };
}

triggers! {
    AppUserDelete = "appUser:delete",
    ClientAdd = "client:add",
    ClientRemove = "client:remove",
    ConversationRead = "conversation:read",
    ConversationReferral = "conversation:referral",
    ConversationStart = "conversation:start",
    LinkFailure = "link:failure",
    LinkMatch = "link:match",
    LinkSuccess = "link:success",
    MergeAppUser = "merge:appUser",
    MessageAppMaker = "message:appMaker",
    MessageAppUser = "message:appUser",
    MessageDeliveryChannel = "message:delivery:channel",
    MessageDeliveryFailure = "message:delivery:failure",
    MessageDeliveryUser = "message:delivery:user",
    NotificationDeliveryChannel = "notification:delivery:channel",
    NotificationDeliveryFailure = "notification:delivery:failure",
    NotificationDeliveryUser = "notification:delivery:user",
    PaymentSuccess = "payment:success",
    Postback = "postback",
    TypingAppUser = "typing:appUser",
    /// All messages, whoever wrote them: the subscription that v1.1 gives by default. Never the trigger of an event.
    Message = "message",
    /// Everything. Never the trigger of an event.
    All = "*",
}

impl std::fmt::Display for Trigger {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.as_str())
    }
}

/// A business's subscription to an app's events.
#[derive(Debug, Clone, PartialEq)]
pub struct Webhook {
    pub id: WebhookId,
    pub app_id: AppId,
    /// `http://` or `https://`.
    pub target: String,
    pub triggers: Vec<Trigger>,
    /// Sent as `X-API-Key`, and the key of the request's signature.
    pub secret: Secret,
    pub include_client: bool,
    pub include_full_app_user: bool,
}

impl Webhook {
    pub fn wants(&self, event: Trigger) -> bool {
        self.triggers.iter().any(|trigger| match trigger {
            Trigger::All => true,
            Trigger::Message => matches!(event, Trigger::MessageAppUser | Trigger::MessageAppMaker),
            trigger => *trigger == event,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_default_subscription_wants_messages_and_nothing_else() {
        let webhook = Webhook {
            id: WebhookId::generate(),
            app_id: AppId::generate(),
            target: "https://example.com".into(),
            triggers: vec![Trigger::Message],
            secret: Secret::generate(),
            include_client: false,
            include_full_app_user: false,
        };
        assert!(webhook.wants(Trigger::MessageAppUser));
        assert!(!webhook.wants(Trigger::NotificationDeliveryUser));
        assert!(Webhook { triggers: vec![Trigger::All], ..webhook }.wants(Trigger::Postback));
    }
}
