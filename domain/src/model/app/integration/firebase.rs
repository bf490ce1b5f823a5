//! Firebase's push notifications: `android`, and `fcm`, as it was called first.
//!
//! By a service account of FCM's HTTP v1 interface, or by the pair of the older one.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

use super::view::present;
use crate::model::{ApiError, Change, Secret, check};

const NAME_LIMIT: usize = 256;

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct FirebaseSettings<S = Secret> {
    #[serde(rename = "sealedServerKey", default = "none", skip_serializing_if = "Option::is_none")]
    pub server_key: Option<S>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sender_id: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub project_id: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub client_email: Option<String>,
    #[serde(rename = "sealedPrivateKey", default = "none", skip_serializing_if = "Option::is_none")]
    pub private_key: Option<S>,
}

fn none<S>() -> Option<S> {
    None
}

impl<S> FirebaseSettings<S> {
    pub(super) fn with_secrets<T, E>(self, change: impl Fn(S) -> Result<T, E>) -> Result<FirebaseSettings<T>, E> {
        Ok(FirebaseSettings {
            server_key: self.server_key.map(&change).transpose()?,
            sender_id: self.sender_id,
            project_id: self.project_id,
            client_email: self.client_email,
            private_key: self.private_key.map(&change).transpose()?,
        })
    }

    pub(super) fn view(&self) -> Map<String, Value> {
        present(json!({
            "senderId": self.sender_id,
            "projectId": self.project_id,
            "clientEmail": self.client_email,
        }))
    }
}

#[derive(Deserialize, Default)]
#[serde(rename_all = "camelCase", default)]
pub(super) struct Wire {
    server_key: Change<String>,
    sender_id: Change<String>,
    project_id: Change<String>,
    client_email: Change<String>,
    private_key: Change<String>,
}

impl Wire {
    pub(super) fn apply(self, old: Option<FirebaseSettings>) -> Result<FirebaseSettings, ApiError> {
        let name = |field: &'static str| move |text| check::text(field, text, NAME_LIMIT);
        let secret = |field: &'static str| move |text| check::secret(field, text);
        let (server_key, sender_id, project_id, client_email, private_key) = match old {
            Some(old) => (old.server_key, old.sender_id, old.project_id, old.client_email, old.private_key),
            None => (None, None, None, None, None),
        };
        let settings = FirebaseSettings {
            server_key: self.server_key.check(secret("serverKey"))?.apply(server_key),
            sender_id: self.sender_id.check(name("senderId"))?.apply(sender_id),
            project_id: self.project_id.check(name("projectId"))?.apply(project_id),
            client_email: self.client_email.check(name("clientEmail"))?.apply(client_email),
            private_key: self.private_key.check(secret("privateKey"))?.apply(private_key),
        };
        settings.complete()
    }
}

impl FirebaseSettings {
    /// Names what is missing of the pair or the three that was begun; of the pair where nothing was.
    fn complete(self) -> Result<Self, ApiError> {
        let pair = [("serverKey", self.server_key.is_some()), ("senderId", self.sender_id.is_some())];
        let account = [
            ("projectId", self.project_id.is_some()),
            ("clientEmail", self.client_email.is_some()),
            ("privateKey", self.private_key.is_some()),
        ];
        let lacks =
            |fields: &[(&'static str, bool)]| fields.iter().find(|(_, is_there)| !is_there).map(|(name, _)| *name);
        let is_begun = account.iter().any(|(_, is_there)| *is_there);
        match (lacks(&pair), lacks(&account)) {
            (None, _) | (_, None) => Ok(self),
            (_, Some(field)) if is_begun => {
                Err(ApiError::field(field, "is required with projectId, clientEmail or privateKey"))
            }
            (Some(field), _) => {
                let problem = "is required; or give projectId, clientEmail and privateKey instead of the pair";
                Err(ApiError::field(field, problem))
            }
        }
    }
}
