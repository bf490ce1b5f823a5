//! What is written to one item, and on what condition. The only place where expressions are made.
//!
//! Every name stands behind a placeholder, so that no attribute of ours can be one of DynamoDB's hundreds of reserved words.

use std::collections::HashMap;

use aws_sdk_dynamodb::types::AttributeValue;
use serde::Serialize;

use super::Item;
use super::keys::Key;
use super::marks::{self, WriterMark};
use crate::store::StoreError;
use crate::store::error::Misfit;

/// Which condition of a transaction did not hold.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Label(pub &'static str);

/// A change of one item, or a condition on it.
#[derive(Debug, Clone)]
#[must_use]
pub struct ItemChange {
    pub(super) key: Key,
    pub(super) label: Option<Label>,
    pub(super) mark: Option<WriterMark>,
    set: Vec<String>,
    removed: Vec<String>,
    added: Vec<String>,
    conditions: Vec<String>,
    names: HashMap<String, String>,
    values: HashMap<String, AttributeValue>,
    misfit: Option<Misfit>,
}

/// Whatever is there.
impl From<&Key> for ItemChange {
    fn from(key: &Key) -> Self {
        Self::of(key)
    }
}

impl ItemChange {
    pub fn of(key: &Key) -> Self {
        Self {
            key: key.clone(),
            label: None,
            mark: None,
            set: Vec::new(),
            removed: Vec::new(),
            added: Vec::new(),
            conditions: Vec::new(),
            names: HashMap::new(),
            values: HashMap::new(),
            misfit: None,
        }
    }

    /// `path`: an attribute, or `a.b` and `a[0]` for what it holds.
    pub fn set<T: Serialize + ?Sized>(mut self, path: &str, value: &T) -> Self {
        let term = format!("{} = {}", self.path(path), self.drawn(value));
        self.set.push(term);
        self
    }

    /// Sets it where there is a value, and else leaves it.
    pub fn set_if<T: Serialize>(self, path: &str, value: Option<&T>) -> Self {
        match value {
            Some(value) => self.set(path, value),
            None => self,
        }
    }

    pub fn remove(mut self, path: &str) -> Self {
        let path = self.path(path);
        self.removed.push(path);
        self
    }

    /// Counts up, or down.
    pub fn add(mut self, path: &str, number: impl Serialize) -> Self {
        let term = format!("{} {}", self.path(path), self.drawn(&number));
        self.added.push(term);
        self
    }

    /// To a set of texts.
    pub fn add_text(mut self, path: &str, text: &str) -> Self {
        let placeholder = format!(":v{}", self.values.len());
        self.values.insert(placeholder.clone(), AttributeValue::Ss(vec![text.to_owned()]));
        let term = format!("{} {placeholder}", self.path(path));
        self.added.push(term);
        self
    }

    /// Puts a value, where there is one, at the end of a list, which begins with the first.
    pub fn append_if<T: Serialize>(mut self, path: &str, value: Option<&T>) -> Self {
        let Some(value) = value else { return self };
        let (path, none) = (self.path(path), self.drawn::<[T]>(&[]));
        let term = format!("{path} = list_append(if_not_exists({path}, {none}), {})", self.drawn(&[value]));
        self.set.push(term);
        self
    }

    /// Only where this holds too. Names that begin with `#` are attributes'; [`Self::value`] gives those with a colon.
    pub fn when(mut self, condition: &str) -> Self {
        let names = condition.split('#').skip(1);
        for name in names.map(|rest| rest.split(|c: char| !c.is_alphanumeric() && c != '_').next().unwrap_or_default())
        {
            self.path(name);
        }
        self.conditions.push(condition.to_owned());
        self
    }

    pub fn value<T: Serialize>(mut self, placeholder: &str, value: &T) -> Self {
        self.insert(placeholder, value);
        self
    }

    pub fn when_there(self) -> Self {
        self.when("attribute_exists(pk)")
    }

    pub fn when_absent(self) -> Self {
        self.when("attribute_not_exists(pk)")
    }

    pub fn when_is<T: Serialize>(mut self, path: &str, value: &T) -> Self {
        let condition = format!("{} = {}", self.path(path), self.drawn(value));
        self.conditions.push(condition);
        self
    }

    /// What is not there was never counted.
    pub fn when_below(mut self, path: &str, limit: impl Serialize) -> Self {
        let (path, limit) = (self.path(path), self.drawn(&limit));
        self.conditions.push(format!("attribute_not_exists({path}) OR {path} < {limit}"));
        self
    }

    /// By which a transaction that is refused says that it was this.
    pub fn labelled(self, label: Label) -> Self {
        Self { label: Some(label), ..self }
    }

    /// For a change that ends its own condition and is written alone.
    pub fn marked(self) -> Self {
        self.marked_by(WriterMark::draw())
    }

    /// An update sets the mark, and its condition may name it `#by` and `:by`; an item that is put bears it.
    pub fn marked_by(self, mark: WriterMark) -> Self {
        Self { mark: Some(mark), ..self }
    }

    /// The whole item, to be put in the place of what is there.
    pub(super) fn item<T: Serialize>(&self, value: &T) -> Result<Item, StoreError> {
        let item = serde_dynamo::to_item(value);
        let mut item: Item = item.map_err(|error| StoreError::unwritable(&self.key, &error))?;
        item.extend(self.key.attributes());
        if let Some(mark) = self.mark {
            mark.put_on(&mut item);
        }
        Ok(item)
    }

    /// What DynamoDB is told of an update.
    pub(super) fn update(&self) -> Result<Expressions, StoreError> {
        let mut change = self.clone();
        if let Some(mark) = self.mark {
            change.names.insert(marks::NAME.to_owned(), marks::ATTRIBUTE.to_owned());
            change.values.insert(marks::VALUE.to_owned(), mark.value());
            change.set.push(format!("{} = {}", marks::NAME, marks::VALUE));
        }
        let clauses = [("SET", &change.set), ("REMOVE", &change.removed), ("ADD", &change.added)];
        let clauses = clauses.into_iter().filter(|(_, terms)| !terms.is_empty());
        let update =
            clauses.map(|(clause, terms)| format!("{clause} {}", terms.join(", "))).collect::<Vec<_>>().join(" ");
        Ok(Expressions { update, ..change.condition()? })
    }

    /// What DynamoDB is told of a put, a deletion or a check.
    pub(super) fn condition(&self) -> Result<Expressions, StoreError> {
        if let Some(source) = &self.misfit {
            return Err(StoreError::Unwritable { what: self.key.kind().to_owned(), source: source.clone() });
        }
        let condition = match self.conditions.as_slice() {
            [] => None,
            [only] => Some(only.clone()),
            several => Some(several.iter().map(|condition| within(condition)).collect::<Vec<_>>().join(" AND ")),
        };
        Ok(Expressions {
            update: String::new(),
            condition,
            names: Some(self.names.clone()).filter(|names| !names.is_empty()),
            values: Some(self.values.clone()).filter(|values| !values.is_empty()),
        })
    }

    fn path(&mut self, path: &str) -> String {
        let placeholders = path.split('.').map(|step| {
            // `a[0]`: the place in a list is no part of the name.
            let name = step.split('[').next().unwrap_or(step);
            self.names.insert(format!("#{name}"), name.to_owned());
            format!("#{step}")
        });
        placeholders.collect::<Vec<_>>().join(".")
    }

    fn drawn<T: Serialize + ?Sized>(&mut self, value: &T) -> String {
        let placeholder = format!(":v{}", self.values.len());
        self.insert(&placeholder, value);
        placeholder
    }

    fn insert<T: Serialize + ?Sized>(&mut self, placeholder: &str, value: &T) {
        match serde_dynamo::to_attribute_value(value) {
            Ok(value) => {
                self.values.insert(placeholder.to_owned(), value);
            }
            Err(error) => self.misfit = Some(Misfit::of(&error)),
        }
    }
}

/// As DynamoDB wants them: what is empty is absent.
pub(super) struct Expressions {
    pub update: String,
    pub condition: Option<String>,
    pub names: Option<HashMap<String, String>>,
    pub values: Option<HashMap<String, AttributeValue>>,
}

/// A condition among others. DynamoDB refuses parentheses that nothing needs.
fn within(condition: &str) -> String {
    if condition.contains(" OR ") { format!("({condition})") } else { condition.to_owned() }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn change() -> ItemChange {
        ItemChange::of(&Key { pk: "a".into(), sk: "APP".into() })
    }

    #[test]
    fn an_update_says_what_it_sets_and_when() {
        let change = change()
            .set("state", "sent")
            .set_if("matchResult", None::<&u8>)
            .set_if("client.lastSeen", Some(&5))
            .remove("deadline")
            .add("count", -1)
            .add_text("confirmed", "SM1")
            .when_there()
            .when("attribute_not_exists(#cleared) OR #cleared < :until")
            .value(":until", &9)
            .when_below("count", 10)
            .when_is("name", &"Ann");
        let Expressions { update, condition, names, values } = change.update().unwrap();
        assert_eq!(update, "SET #state = :v0, #client.#lastSeen = :v1 REMOVE #deadline ADD #count :v2, #confirmed :v3");
        assert_eq!(
            condition.unwrap(),
            "attribute_exists(pk) AND (attribute_not_exists(#cleared) OR #cleared < :until) \
             AND (attribute_not_exists(#count) OR #count < :v5) AND #name = :v6"
        );
        let mut names: Vec<_> = names.unwrap().into_keys().collect();
        names.sort();
        assert_eq!(names, ["#cleared", "#client", "#confirmed", "#count", "#deadline", "#lastSeen", "#name", "#state"]);
        assert_eq!(values.unwrap().len(), 7);
    }

    #[test]
    fn what_stands_in_a_list_has_its_place_beside_the_name() {
        let update = change().set("retiring[1].sealed", "x").update().unwrap();
        assert_eq!(update.update, "SET #retiring[1].#sealed = :v0");
        let mut names: Vec<_> = update.names.unwrap().into_keys().collect();
        names.sort();
        assert_eq!(names, ["#retiring", "#sealed"]);
    }

    #[test]
    fn a_list_begins_with_what_is_appended_first() {
        let change = change().append_if("exchanges", Some(&"one")).append_if("exchanges", None::<&u8>);
        let update = change.update().unwrap().update;
        assert_eq!(update, "SET #exchanges = list_append(if_not_exists(#exchanges, :v0), :v1)");
    }

    #[test]
    fn a_single_condition_stands_without_parentheses_and_none_is_none() {
        let condition = |change: ItemChange| change.condition().unwrap().condition;
        assert_eq!(condition(change()), None);
        assert_eq!(condition(change().when("a = b OR c = d")).unwrap(), "a = b OR c = d");
    }

    #[test]
    fn an_update_sets_its_mark_and_a_put_bears_it() {
        let change = change().when_there().marked();
        assert_eq!(change.update().unwrap().update, "SET #by = :by");
        assert_eq!(change.condition().unwrap().names, None);
        assert!(change.mark.unwrap().is_on(Some(&change.item(&serde_json::json!({})).unwrap())));
    }

    #[test]
    fn what_cannot_be_written_says_so_and_why() {
        let unwritable = std::collections::HashMap::from([((1, 2), 3)]);
        let error = change().set("map", &unwritable).update().err().unwrap();
        assert!(matches!(&error, StoreError::Unwritable { what, .. } if what == "APP"), "{error}");
    }
}
