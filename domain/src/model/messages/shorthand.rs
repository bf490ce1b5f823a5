//! Shorthand in the text of a message: `%[Label](https://…)`, `$[Label](25.00)`, `![](https://…)`,
//! `%((template:NAME))%` (docs/REFERENCE.md, 8.3).
//!
//! Pure: what a stored template holds is the caller's to find. WhatsApp's templates stay as they are written.

use crate::model::{Action, ActionKind, Content, Media, Message};
use crate::model::{MessageWire, uri};

/// What a text turned out to be.
#[derive(Debug, Clone, PartialEq)]
pub enum Shorthand {
    /// A message of its own.
    Message(Box<Message>),
    /// A stored template, and the text before it, which goes first as a message of its own.
    Template { name: String, before: Option<Box<Message>> },
}

/// Reads the shorthand of a text message; any other message stays as it is.
pub fn expand(message: Message) -> Shorthand {
    let Content::Text { text: Some(text), actions } = &message.content else {
        return Shorthand::Message(Box::new(message));
    };
    if let Some((before, name)) = template(text) {
        let before = Some(before.trim()).filter(|before| !before.is_empty());
        let before = before.map(|before| {
            let content = Content::Text { text: Some(before.to_owned()), actions: actions.clone() };
            Box::new(Message { content, metadata: message.metadata.clone() })
        });
        return Shorthand::Template { name: name.to_owned(), before };
    }
    let found = elements(text);
    if found.actions.is_empty() && found.image.is_none() {
        return Shorthand::Message(Box::new(message));
    }
    let text = Some(found.text.trim().to_owned()).filter(|text| !text.is_empty());
    let actions: Vec<Action> = actions.iter().cloned().chain(found.actions).collect();
    let content = match found.image {
        Some(url) => Content::Image { media: Media { url, media_type: None, alt_text: None }, text, actions },
        None => Content::Text { text, actions },
    };
    let expanded = Message { content, metadata: message.metadata.clone() };
    // What would not be taken as a message (a reply beside a link, too long a URL) was a text after all.
    match Message::try_from(MessageWire::from(&expanded)) {
        Ok(taken) => Shorthand::Message(Box::new(taken)),
        Err(_) => Shorthand::Message(Box::new(message)),
    }
}

fn template(text: &str) -> Option<(&str, &str)> {
    let spelled = |open: &str, close: &str| {
        let (before, rest) = text.split_once(open)?;
        let (name, _) = rest.split_once(close)?;
        Some((before, name.trim())).filter(|(_, name)| !name.is_empty())
    };
    spelled("%((template:", "))%").or_else(|| spelled("%{{template:", "}}%"))
}

#[derive(Default)]
struct Elements {
    text: String,
    actions: Vec<Action>,
    image: Option<String>,
}

fn elements(text: &str) -> Elements {
    let mut found = Elements::default();
    let mut rest = text;
    while let Some(at) = rest.find(['%', '$', '!']) {
        found.text.push_str(&rest[..at]);
        rest = &rest[at..];
        match element(rest) {
            Some((Element::Action(action), length)) => {
                found.actions.push(*action);
                rest = &rest[length..];
            }
            Some((Element::Image(url), length)) if found.image.is_none() => {
                found.image = Some(url);
                rest = &rest[length..];
            }
            _ => {
                found.text.push_str(&rest[..1]);
                rest = &rest[1..];
            }
        }
    }
    found.text.push_str(rest);
    found
}

enum Element {
    Action(Box<Action>),
    Image(String),
}

/// `X[label](value)` at the beginning of a text, and its length.
fn element(text: &str) -> Option<(Element, usize)> {
    let (kind, rest) = text.split_at(1);
    let (label, rest) = rest.strip_prefix('[')?.split_once("](")?;
    let (value, rest) = enclosed(rest)?;
    let length = text.len() - rest.len();
    let label = label.trim();
    let action = |kind| {
        Element::Action(Box::new(Action { text: label.to_owned(), kind, metadata: None, extra: Default::default() }))
    };
    let named = !label.is_empty() && label.chars().count() <= 128;
    let element = match kind {
        "!" if label.is_empty() && uri::is_web(value) => Element::Image(value.to_owned()),
        "$" if named => action(ActionKind::Buy { amount: hundredths(value)?, currency: None }),
        "%" if named => action(match value.split_once(':') {
            _ if value == "location" => ActionKind::LocationRequest,
            Some(("reply", payload)) if !payload.is_empty() => ActionKind::Reply { payload: payload.to_owned() },
            Some(("postback", payload)) if !payload.is_empty() => ActionKind::Postback { payload: payload.to_owned() },
            _ if uri::is_web(value) => ActionKind::Link { uri: value.to_owned() },
            _ => return None,
        }),
        _ => return None,
    };
    Some((element, length))
}

/// What stands before the parenthesis that closes, which in `https://…/Tea_(drink))` is the last one. Without one that
/// balances, it is the first.
fn enclosed(text: &str) -> Option<(&str, &str)> {
    let mut open = 0_usize;
    for (at, character) in text.char_indices() {
        match character {
            '(' => open += 1,
            ')' if open == 0 => return Some((&text[..at], &text[at + 1..])),
            ')' => open -= 1,
            _ => {}
        }
    }
    text.split_once(')')
}

/// `25`, `25.5` or `25.00`, in hundredths.
fn hundredths(text: &str) -> Option<i64> {
    let (whole, part) = text.trim().split_once('.').unwrap_or((text.trim(), "0"));
    let digits = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    if !digits(whole) || !digits(part) || part.len() > 2 {
        return None;
    }
    let part: i64 = format!("{part:0<2}").parse().ok()?;
    whole.parse::<i64>().ok()?.checked_mul(100)?.checked_add(part).filter(|amount| *amount > 0)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::MessageWire;
    use proptest::prelude::*;
    use serde_json::{Value, json};

    fn expanded(text: &str) -> Value {
        let message = Message { content: Content::Text { text: Some(text.into()), actions: vec![] }, metadata: None };
        match expand(message) {
            Shorthand::Message(message) => serde_json::to_value(MessageWire::from(&*message)).unwrap(),
            Shorthand::Template { name, before } => {
                json!({ "template": name, "before": before.map(|message| MessageWire::from(&*message).text) })
            }
        }
    }

    #[test]
    fn every_element_is_read() {
        let link = json!({ "type": "link", "text": "Shop", "uri": "https://a.example/" });
        assert_eq!(
            expanded("See %[Shop](https://a.example/)"),
            json!({ "type": "text", "text": "See", "actions": [link] })
        );
        assert_eq!(expanded("%[Yes](reply:YES) %[No](reply:NO)")["actions"][1]["payload"], "NO");
        assert_eq!(expanded("%[More](postback:MORE)")["actions"][0]["type"], "postback");
        assert_eq!(expanded("%[Here](location)")["actions"][0]["type"], "locationRequest");
        assert_eq!(expanded("$[Tea](25.50)")["actions"][0]["amount"], 2550);
        let image = expanded("Look ![](https://a.example/x.jpg)");
        assert_eq!((&image["type"], &image["text"]), (&json!("image"), &json!("Look")));
    }

    #[test]
    fn parentheses_within_an_address_or_a_payload_are_its_own() {
        let wiki = expanded("See %[Wiki](https://a.example/Tea_(drink)) (really)");
        assert_eq!(wiki["actions"][0]["uri"], "https://a.example/Tea_(drink)");
        assert_eq!(wiki["text"], "See  (really)");
        assert_eq!(expanded("![](https://a.example/x_(1).jpg)")["mediaUrl"], "https://a.example/x_(1).jpg");
        assert_eq!(expanded("%[Yes](reply:Y(1)) %[No](reply:N)")["actions"][0]["payload"], "Y(1)");
        assert_eq!(expanded("%[Open](https://a.example/(x) there")["actions"][0]["uri"], "https://a.example/(x");
    }

    #[test]
    fn a_template_is_named_with_the_text_before_it() {
        assert_eq!(expanded("Hello! %((template:tea))%"), json!({ "template": "tea", "before": "Hello!" }));
        assert_eq!(expanded("%{{template:tea}}%"), json!({ "template": "tea", "before": null }));
    }

    #[test]
    fn what_is_no_shorthand_stays() {
        for text in ["100% [sure](really)", "%[x](y)", "$[Tea](free)", "!", "a %[b", "%[](https://a.example/)"] {
            assert_eq!(expanded(text), json!({ "type": "text", "text": text }));
        }
        let mixed = "%[Yes](reply:Y) %[Shop](https://a.example/)";
        assert_eq!(expanded(mixed)["text"], mixed, "replies stand with no links");
    }

    proptest! {
        #[test]
        fn no_text_makes_expanding_panic(text in "[%$!\\[\\]()a-z:.{}]{0,60}|\\PC{0,40}") {
            let _ = expanded(&text);
        }
    }
}
