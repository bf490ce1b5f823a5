//! Webhooks and the triggers they subscribe to.

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::entropy::Entropy;
use crate::ids::{AppId, WebhookId};
use crate::model::{ApiError, Change, Secret, Signing, SigningSecret, Timestamp, check};

/// Of one app (docs/REFERENCE.md, 6.1).
pub const WEBHOOK_LIMIT: usize = 10;

macro_rules! triggers {
    ($($(#[$doc:meta])* $variant:ident = $name:literal),+ $(,)?) => {
        /// What can happen, by v1.1's names (docs/REFERENCE.md, 6.3).
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
    /// Sent as `X-API-Key`.
    pub secret: Secret,
    pub signing: Signing,
    pub include_client: bool,
    pub include_full_app_user: bool,
}

/// What a webhook wants to hear: all that those who publish need of it, and no secret.
#[derive(Debug, Clone, PartialEq)]
pub struct Subscription {
    pub webhook: WebhookId,
    pub app_id: AppId,
    pub triggers: Vec<Trigger>,
    pub include_client: bool,
    pub include_full_app_user: bool,
}

impl Subscription {
    pub fn wants(&self, event: Trigger) -> bool {
        self.triggers.iter().any(|trigger| match trigger {
            Trigger::All => true,
            Trigger::Message => matches!(event, Trigger::MessageAppUser | Trigger::MessageAppMaker),
            trigger => *trigger == event,
        })
    }
}

impl Webhook {
    /// As v1.1 shows it, secrets included: receivers check them.
    pub fn view(&self) -> Value {
        json!({
            "_id": self.id,
            "target": self.target,
            "triggers": self.triggers,
            "secret": self.secret.expose(),
            "signingSecret": self.signing.current.as_secret().expose(),
            "version": "v1.1",
            "includeClient": self.include_client,
            "includeFullAppUser": self.include_full_app_user,
        })
    }

    /// The same, signed with a new secret.
    pub fn with_new_signing_secret(self, entropy: &impl Entropy, now: Timestamp) -> Self {
        Self { signing: self.signing.rotated(entropy, now), ..self }
    }
}

/// What a caller says of a webhook, new or changed.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct WebhookWire {
    target: Change<String>,
    triggers: Change<Vec<String>>,
    include_client: Change<bool>,
    include_full_app_user: Change<bool>,
}

impl WebhookWire {
    /// A new webhook with secrets of its own. It wants messages unless told otherwise.
    pub fn create(self, entropy: &impl Entropy, app_id: AppId) -> Result<Webhook, ApiError> {
        let target = check::needed("target", self.target, None)?;
        Ok(Webhook {
            id: WebhookId::generate(entropy),
            app_id,
            target: check::url("target", target)?,
            triggers: self.triggers.check(triggers)?.apply(None).unwrap_or_else(|| vec![Trigger::Message]),
            secret: Secret::generate(entropy),
            signing: Signing::with(SigningSecret::generate(entropy)),
            include_client: self.include_client.apply(None).unwrap_or_default(),
            include_full_app_user: self.include_full_app_user.apply(None).unwrap_or_default(),
        })
    }

    /// The webhook as it becomes.
    pub fn update(self, old: Webhook) -> Result<Webhook, ApiError> {
        let target = self.target.check(|target| check::url("target", target))?;
        Ok(Webhook {
            target: target.required("target", old.target)?,
            triggers: self.triggers.check(triggers)?.required("triggers", old.triggers)?,
            include_client: self.include_client.required("includeClient", old.include_client)?,
            include_full_app_user: self
                .include_full_app_user
                .required("includeFullAppUser", old.include_full_app_user)?,
            ..old
        })
    }
}

fn triggers(names: Vec<String>) -> Result<Vec<Trigger>, ApiError> {
    let mut triggers = Vec::new();
    for (index, name) in names.iter().enumerate() {
        let trigger = Trigger::from_name(name).ok_or_else(|| {
            let problem = "is no trigger of v1.1; names are matched with regard to case, as in message:appUser";
            ApiError::field(&format!("triggers[{index}]"), problem)
        })?;
        if !triggers.contains(&trigger) {
            triggers.push(trigger);
        }
    }
    if triggers.is_empty() {
        return Err(ApiError::field("triggers", "must name at least one trigger"));
    }
    Ok(triggers)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::entropy::Counter;

    #[test]
    fn the_default_subscription_wants_messages_and_nothing_else() {
        let subscription = Subscription {
            webhook: WebhookId::generate(&Counter),
            app_id: AppId::generate(&Counter),
            triggers: vec![Trigger::Message],
            include_client: false,
            include_full_app_user: false,
        };
        assert!(subscription.wants(Trigger::MessageAppUser));
        assert!(!subscription.wants(Trigger::NotificationDeliveryUser));
        assert!(Subscription { triggers: vec![Trigger::All], ..subscription }.wants(Trigger::Postback));
    }
}
