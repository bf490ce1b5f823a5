//! Apps, keys and service accounts as requests write them and answers show them (docs/REFERENCE.md, 12).

use serde::Deserialize;
use serde_json::{Map, Value, json};

use crate::entropy::Entropy;
use crate::ids::AccountId;
use crate::model::{ApiError, ApiKey, App, AppSettings, Change, Metadata, ServiceAccount, check};

const NAME_LIMIT: usize = 100;

/// An app as a request writes it.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub struct AppBody {
    name: Change<String>,
    settings: SettingsBody,
    metadata: Change<Map<String, Value>>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct SettingsBody {
    mask_credit_card_numbers: Change<bool>,
    use_animal_names: Change<bool>,
    conversation_retention_seconds: Change<u32>,
    echo_postback: Change<bool>,
    ignore_auto_conversation_start: Change<bool>,
}

/// What an update says of an app. What it does not name stays.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct AppChange {
    pub name: Option<String>,
    pub settings: SettingsChange,
    /// Replaced as a whole.
    pub metadata: Option<Metadata>,
}

#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct SettingsChange {
    pub mask_credit_card_numbers: Option<bool>,
    pub use_animal_names: Option<bool>,
    pub conversation_retention_seconds: Change<u32>,
    pub echo_postback: Option<bool>,
    pub ignore_auto_conversation_start: Option<bool>,
}

impl AppBody {
    /// A new app of an account.
    ///
    /// # Errors
    /// 400 that names the field.
    pub fn create(self, entropy: &impl Entropy, account: AccountId) -> Result<App, ApiError> {
        let AppChange { name, settings, metadata } = self.change()?;
        let name = check::required("name", name)?;
        let app = App::new(entropy, account, name);
        Ok(App { settings: settings.apply(app.settings), metadata: metadata.unwrap_or_default(), ..app })
    }

    /// A change of an app.
    ///
    /// # Errors
    /// 400 that names the field.
    pub fn change(self) -> Result<AppChange, ApiError> {
        Ok(AppChange {
            name: self.name.check(checked_name)?.given("name")?,
            settings: self.settings.change()?,
            metadata: self.metadata.check(|metadata| check::metadata("metadata", metadata))?.given("metadata")?,
        })
    }
}

impl SettingsBody {
    fn change(self) -> Result<SettingsChange, ApiError> {
        let retention = |seconds| match seconds {
            0 => Err(ApiError::field("settings.conversationRetentionSeconds", "must be 1 or more, or null")),
            seconds => Ok(seconds),
        };
        Ok(SettingsChange {
            mask_credit_card_numbers: self.mask_credit_card_numbers.given("settings.maskCreditCardNumbers")?,
            use_animal_names: self.use_animal_names.given("settings.useAnimalNames")?,
            conversation_retention_seconds: self.conversation_retention_seconds.check(retention)?,
            echo_postback: self.echo_postback.given("settings.echoPostback")?,
            ignore_auto_conversation_start: self
                .ignore_auto_conversation_start
                .given("settings.ignoreAutoConversationStart")?,
        })
    }
}

impl SettingsChange {
    /// Key by key over what was.
    pub fn apply(self, old: AppSettings) -> AppSettings {
        AppSettings {
            mask_credit_card_numbers: self.mask_credit_card_numbers.unwrap_or(old.mask_credit_card_numbers),
            use_animal_names: self.use_animal_names.unwrap_or(old.use_animal_names),
            conversation_retention_seconds: self
                .conversation_retention_seconds
                .apply(old.conversation_retention_seconds),
            echo_postback: self.echo_postback.unwrap_or(old.echo_postback),
            ignore_auto_conversation_start: self
                .ignore_auto_conversation_start
                .unwrap_or(old.ignore_auto_conversation_start),
        }
    }
}

/// A key or a service account as a request writes it: by its name.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub struct NameBody {
    name: Change<String>,
}

impl NameBody {
    /// The name that something new must have.
    ///
    /// # Errors
    /// 400 that names the field.
    pub fn required(self) -> Result<String, ApiError> {
        check::required("name", self.optional()?)
    }

    /// The name that something shall have from now on, if it changes.
    ///
    /// # Errors
    /// 400 that names the field.
    pub fn optional(self) -> Result<Option<String>, ApiError> {
        self.name.check(checked_name)?.given("name")
    }
}

fn checked_name(name: String) -> Result<String, ApiError> {
    check::text("name", name, NAME_LIMIT)
}

impl App {
    pub fn wire(&self) -> Value {
        json!({
            "_id": self.id,
            "appToken": self.token(),
            "name": self.name,
            "settings": self.settings,
            "metadata": self.metadata,
        })
    }
}

impl ApiKey {
    /// With its secret: v1.1 shows it whenever the key is asked for.
    pub fn wire(&self) -> Value {
        json!({ "_id": self.id, "name": self.name.as_deref().unwrap_or_default(), "secret": self.secret.expose() })
    }
}

impl ServiceAccount {
    pub fn wire(&self) -> Value {
        json!({ "_id": self.id, "name": self.name })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::entropy::Counter;
    use crate::model::json;

    fn body(body: Value) -> AppBody {
        json::read(body).unwrap()
    }

    fn refusal(body: Value) -> String {
        let body: Result<AppBody, ApiError> = json::read(body);
        body.and_then(|body| body.create(&Counter, AccountId::generate(&Counter))).unwrap_err().description
    }

    #[test]
    fn a_new_app_has_every_setting() {
        let settings = json!({ "echoPostback": true, "conversationRetentionSeconds": 3600 });
        let app = body(json!({ "name": "Tea House", "settings": settings, "metadata": { "plan": "gold" } }));
        let app = app.create(&Counter, AccountId::generate(&Counter)).unwrap().wire();
        assert_eq!(app["name"], "Tea House");
        assert_eq!(app["appToken"].as_str().unwrap().len(), 24);
        let expected = json!({
            "maskCreditCardNumbers": true,
            "useAnimalNames": false,
            "conversationRetentionSeconds": 3600,
            "echoPostback": true,
            "ignoreAutoConversationStart": false,
        });
        assert_eq!(app["settings"], expected);
        assert_eq!(app["metadata"], json!({ "plan": "gold" }));
    }

    #[test]
    fn settings_are_merged_and_null_unsets_what_can_be_unset() {
        let old = AppSettings { conversation_retention_seconds: Some(60), echo_postback: true, ..Default::default() };
        let change = body(json!({ "settings": { "conversationRetentionSeconds": null, "useAnimalNames": true } }));
        let new = change.change().unwrap().settings.apply(old.clone());
        assert_eq!(new, AppSettings { conversation_retention_seconds: None, use_animal_names: true, ..old });
    }

    #[test]
    fn every_refusal_names_its_field() {
        let name = |name: &str| json!({ "name": name });
        let settings = |settings: Value| json!({ "name": "A", "settings": settings });
        for (body, problem) in [
            (json!({}), "name is required"),
            (name(""), "name must not be empty"),
            (name("  "), "name must not be empty"),
            (name(&"x".repeat(101)), "name must have at most 100 characters, not 101"),
            (json!({ "name": null }), "name must not be null"),
            (json!({ "name": 7 }), "name has the wrong type, expected a string"),
            (settings(json!({ "echoPostback": null })), "settings.echoPostback must not be null"),
            (
                settings(json!({ "echoPostback": "yes" })),
                "settings.echoPostback has the wrong type, expected a boolean",
            ),
            (
                settings(json!({ "conversationRetentionSeconds": 0 })),
                "settings.conversationRetentionSeconds must be 1 or more, or null",
            ),
            (json!({ "name": "A", "metadata": null }), "metadata must not be null"),
            (
                json!({ "name": "A", "metadata": { "x": "y".repeat(4096) } }),
                "metadata is limited to 4096 bytes in size",
            ),
            (json!({ "name": "A", "metadata": { "x": {} } }), "metadata must hold strings, numbers and booleans only"),
        ] {
            assert_eq!(refusal(body), problem);
        }
    }
}
