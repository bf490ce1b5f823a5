//! Sealing anew what lies under keys that are to go. An operator's work: it walks over the whole table, page by page,
//! writes nothing but sealed values, and these only where nobody has changed them meanwhile.

use aws_sdk_dynamodb::types::AttributeValue;

use crate::secrets::{Keyring, Purpose, Unopenable};
use crate::store::table::keys::{self, Key};
use crate::store::table::{Item, ItemChange, Written};
use crate::store::{Store, StoreError};

/// How the sort keys of all that holds sealed values begin.
const HOLDERS: [&str; 3] = ["KEY", keys::INTEGRATION_PREFIX, keys::WEBHOOK_PREFIX];

/// What became of the items of a page or a walk that hold sealed values.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Resealed {
    pub changed: usize,
    /// Somebody else changed them in that moment: another walk looks at them again.
    pub overtaken: usize,
    /// They open under none of the keys.
    pub unopenable: usize,
}

impl Store {
    /// Of one page of the table; and where the next one begins, if this was not the last.
    pub async fn reseal(&self, keys: &Keyring, after: Option<&Key>) -> Result<(Resealed, Option<Key>), StoreError> {
        let (items, next) = self.table.scan(&HOLDERS, after).await?;
        let mut page = Resealed::default();
        for item in &items {
            match resealed(keys, item) {
                Ok(None) => {}
                Ok(Some(change)) => match self.table.update(change).await? {
                    Written::Done(_) => page.changed += 1,
                    Written::Refused(_) => page.overtaken += 1,
                },
                Err(_) => page.unopenable += 1,
            }
        }
        Ok((page, next))
    }
}

/// `None`: all of it is under the current key.
fn resealed(keys: &Keyring, item: &Item) -> Result<Option<ItemChange>, Unopenable> {
    let Some(key) = Key::of(item) else { return Ok(None) };
    let text = |name: &str| item.get(name).and_then(|value| value.as_s().ok()).map_or("", String::as_str);
    let holder = Holder::of(&key);
    let owner = match holder {
        Holder::Integration => format!("{}/{}", text("appId"), text("id")),
        Holder::Key | Holder::Webhook => text("id").to_owned(),
    };
    let mut change = None;
    for (path, sealed) in sealed_values(item) {
        if let Some(new) = keys.reseal(holder.purpose(&path), &owner, sealed)? {
            let other = change.unwrap_or_else(|| ItemChange::of(&key));
            change = Some(other.when_is(&path, &sealed).set(&path, &new));
        }
    }
    Ok(change)
}

enum Holder {
    Key,
    Integration,
    Webhook,
}

impl Holder {
    fn of(key: &Key) -> Self {
        match () {
            () if key.sk.starts_with(keys::INTEGRATION_PREFIX) => Self::Integration,
            () if key.sk.starts_with(keys::WEBHOOK_PREFIX) => Self::Webhook,
            () => Self::Key,
        }
    }

    fn purpose(&self, path: &str) -> Purpose {
        match self {
            Self::Key => Purpose::KeySecret,
            Self::Integration => Purpose::CarrierCredential,
            Self::Webhook if path == "sealedSecret" => Purpose::WebhookSecret,
            Self::Webhook => Purpose::WebhookSigningSecret,
        }
    }
}

/// Every text that is named `sealed…`, with its path.
fn sealed_values(item: &Item) -> Vec<(String, &str)> {
    fn collect<'a>(name: &str, path: String, value: &'a AttributeValue, into: &mut Vec<(String, &'a str)>) {
        match value {
            AttributeValue::S(text) if name.starts_with("sealed") => into.push((path, text)),
            AttributeValue::M(members) => {
                members.iter().for_each(|(name, value)| collect(name, format!("{path}.{name}"), value, into));
            }
            AttributeValue::L(items) => {
                items.iter().enumerate().for_each(|(n, value)| collect("", format!("{path}[{n}]"), value, into));
            }
            _ => {}
        }
    }
    let mut found = Vec::new();
    item.iter().for_each(|(name, value)| collect(name, name.clone(), value, &mut found));
    found
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;
    use crate::model::Secret;
    use crate::secrets::SealingSecret;

    /// Before a rotation, and after it.
    fn keys() -> (Keyring, Keyring) {
        let first = SealingSecret::new(Secret::new("first"));
        (Keyring::new(&first), Keyring::new(&first.with_next(Secret::new("second")).unwrap()))
    }

    fn item(value: Value) -> Item {
        serde_dynamo::to_item(value).unwrap()
    }

    #[test]
    fn every_sealed_value_is_found_wherever_it_stands() {
        let item = item(json!({
            "sealedSecret": "a", "target": "https://shop.example", "retiringSigningSecrets": [{ "sealed": "b", "until": 1 }],
            "settings": { "type": "twilio", "sealedAuthToken": "c" }, "sealed": 5,
        }));
        let mut found = sealed_values(&item);
        found.sort();
        let expected =
            [("retiringSigningSecrets[0].sealed", "b"), ("sealedSecret", "a"), ("settings.sealedAuthToken", "c")];
        assert_eq!(found, expected.map(|(path, text)| (path.to_owned(), text)));
    }

    #[test]
    fn what_lies_under_the_first_key_is_sealed_anew_once() {
        let (before, after) = keys();
        let sealed = |keys: &Keyring, purpose, owner: &str| keys.seal(purpose, owner, b"hush");
        let holders = |keys: &Keyring| {
            [
                json!({ "pk": "KEY#k", "sk": "KEY", "id": "k", "sealedSecret": sealed(keys, Purpose::KeySecret, "k") }),
                json!({ "pk": "APP#a", "sk": "INTEGRATION#i", "appId": "a", "id": "i",
                    "settings": { "sealedAuthToken": sealed(keys, Purpose::CarrierCredential, "a/i") } }),
                json!({ "pk": "APP#a", "sk": "WEBHOOK#w", "id": "w",
                    "sealedSecret": sealed(keys, Purpose::WebhookSecret, "w"),
                    "retiringSigningSecrets": [{ "sealed": sealed(keys, Purpose::WebhookSigningSecret, "w") }] }),
            ]
        };
        for holder in holders(&before) {
            assert!(resealed(&after, &item(holder.clone())).unwrap().is_some(), "{holder}");
            assert!(resealed(&before, &item(holder.clone())).unwrap().is_none(), "{holder}");
        }
        for holder in holders(&after) {
            assert!(resealed(&after, &item(holder.clone())).unwrap().is_none(), "{holder}");
            assert!(resealed(&before, &item(holder.clone())).is_err(), "{holder}");
        }
    }
}
