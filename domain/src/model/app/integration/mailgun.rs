//! Mailgun: a domain, and the address at which people write in.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

use super::view::present;
use crate::model::{ApiError, Change, Secret, check};

const DOMAIN_LIMIT: usize = 253;
const ADDRESS_LIMIT: usize = 254;

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct MailgunSettings<S = Secret> {
    #[serde(rename = "sealedApiKey")]
    pub api_key: S,
    pub domain: String,
    /// Of that domain.
    pub incoming_address: String,
    /// `From` and `Reply-To`; the incoming address without.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub from_address: Option<String>,
    pub hide_unsubscribe_link: bool,
}

impl<S> MailgunSettings<S> {
    pub(super) fn with_secrets<T, E>(self, change: impl Fn(S) -> Result<T, E>) -> Result<MailgunSettings<T>, E> {
        Ok(MailgunSettings {
            api_key: change(self.api_key)?,
            domain: self.domain,
            incoming_address: self.incoming_address,
            from_address: self.from_address,
            hide_unsubscribe_link: self.hide_unsubscribe_link,
        })
    }

    pub(super) fn view(&self) -> Map<String, Value> {
        present(json!({
            "domain": self.domain,
            "incomingAddress": self.incoming_address,
            "fromAddress": self.from_address,
            "hideUnsubscribeLink": self.hide_unsubscribe_link,
        }))
    }
}

#[derive(Deserialize, Default)]
#[serde(rename_all = "camelCase", default)]
pub(super) struct Wire {
    api_key: Change<String>,
    domain: Change<String>,
    incoming_address: Change<String>,
    from_address: Change<String>,
    hide_unsubscribe_link: Change<bool>,
}

impl Wire {
    pub(super) fn apply(self, old: Option<MailgunSettings>) -> Result<MailgunSettings, ApiError> {
        let old = old.as_ref();
        let api_key = self.api_key.check(|key| check::secret("apiKey", key))?;
        let domain = self.domain.check(domain)?;
        let domain = check::needed("domain", domain, old.map(|old| old.domain.clone()))?;
        let incoming = self.incoming_address.check(|text| address("incomingAddress", text))?;
        let incoming = check::needed("incomingAddress", incoming, old.map(|old| old.incoming_address.clone()))?;
        if !incoming.to_ascii_lowercase().ends_with(&format!("@{domain}")) {
            return Err(ApiError::field("incomingAddress", "must be an address of the domain"));
        }
        let from = self.from_address.check(|text| address("fromAddress", text))?;
        let hide = old.map(|old| old.hide_unsubscribe_link).unwrap_or_default();
        Ok(MailgunSettings {
            api_key: check::needed("apiKey", api_key, old.map(|old| old.api_key.clone()))?,
            domain: check::lasting("domain", domain, old.map(|old| &old.domain))?,
            incoming_address: check::lasting("incomingAddress", incoming, old.map(|old| &old.incoming_address))?,
            from_address: from.apply(old.and_then(|old| old.from_address.clone())),
            hide_unsubscribe_link: self.hide_unsubscribe_link.required("hideUnsubscribeLink", hide)?,
        })
    }
}

/// Domains stand in URLs of Mailgun's, and mean the same in capitals.
fn domain(text: String) -> Result<String, ApiError> {
    let label = |label: &str| {
        !label.is_empty() && label.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_'))
    };
    if text.len() <= DOMAIN_LIMIT && text.contains('.') && text.split('.').all(label) {
        Ok(text.to_ascii_lowercase())
    } else {
        Err(ApiError::field("domain", "must be a domain name, such as mail.example.com"))
    }
}

fn address(field: &str, text: String) -> Result<String, ApiError> {
    let is_plain = text.chars().all(|c| !c.is_whitespace() && !c.is_control() && !matches!(c, '<' | '>' | ',' | ';'));
    let has_parts = text.rsplit_once('@').is_some_and(|(name, domain)| !name.is_empty() && domain.contains('.'));
    if is_plain && has_parts && text.len() <= ADDRESS_LIMIT {
        Ok(text)
    } else {
        Err(ApiError::field(field, "must be an e-mail address, such as help@mail.example.com"))
    }
}
