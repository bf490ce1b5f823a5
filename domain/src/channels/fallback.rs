//! What a message becomes on a channel that shows text only (docs/REFERENCE.md, 3.3 and 3.4).
//!
//! Order within a text: the text itself, a link to the medium, then the actions, one per line. How the text is cut and
//! sent is the channel's business.

use super::{SendError, SendErrorKind};
use crate::model::{Action, ActionKind, Content, Coordinates, Item, uri};

/// Where an image goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Images {
    /// The channel carries the image itself; the text is its caption.
    Attached,
    /// The text holds the image's URL.
    Linked,
}

/// What is left of a `buy` action. v1.1 showed a link to its own checkout page; Heliograph has none.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Purchases {
    /// Its label, as for a postback.
    Labelled,
    /// Nothing.
    Dropped,
}

/// One channel's way of writing messages as text.
#[derive(Debug, Clone, Copy)]
pub struct Fallback<'a> {
    pub app_name: &'a str,
    pub images: Images,
    pub purchases: Purchases,
}

impl Fallback<'_> {
    /// The whole message as one text. Empty only for an attached image without caption; a form, and a message of which
    /// nothing can be shown, are [`SendErrorKind::Unsupported`].
    pub fn text(&self, content: &Content) -> Result<String, SendError> {
        let text = match content {
            Content::Text { text, actions } => self.joined(text.clone(), actions),
            Content::Image { media, text, actions } => match self.images {
                Images::Attached => return Ok(self.joined(text.clone(), actions)),
                Images::Linked => self.joined(captioned(text.as_deref(), &media.url), actions),
            },
            Content::File { media, text } => self.joined(captioned(text.as_deref(), &media.url), &[]),
            Content::Carousel { items, .. } => self::items(items),
            Content::List { items, actions } if actions.is_empty() => self::items(items),
            Content::List { items, actions } => self.joined(Some(self::items(items).trim_end().to_owned()), actions),
            Content::Location { coordinates, .. } => location(*coordinates),
            Content::Form { .. } => return Err(SendError::unsupported(content.type_name())),
        };
        if text.is_empty() {
            let reason = "The message holds nothing that this channel can show";
            return Err(SendError::new(SendErrorKind::Unsupported, reason));
        }
        Ok(text)
    }

    fn joined(&self, text: Option<String>, actions: &[Action]) -> String {
        text.into_iter().chain(actions.iter().filter_map(|action| self.action(action))).collect::<Vec<_>>().join("\n")
    }

    fn action(&self, action: &Action) -> Option<String> {
        match &action.kind {
            ActionKind::Link { uri } => Some(link(&action.text, uri)),
            ActionKind::Webview { fallback, .. } => Some(link(&action.text, fallback)),
            ActionKind::Postback { .. } | ActionKind::Reply { .. } => Some(action.text.clone()),
            ActionKind::LocationRequest => Some(location_request(self.app_name)),
            ActionKind::Buy { .. } if self.purchases == Purchases::Labelled => Some(action.text.clone()),
            ActionKind::Buy { .. } | ActionKind::Share => None,
        }
    }
}

/// A carousel's or list's text: one block per item, with its links. What only other channels can show is left out.
pub fn items(items: &[Item]) -> String {
    items.iter().enumerate().map(|(index, item)| block(index + 1, item)).collect::<Vec<_>>().join("\n\n")
}

fn block(number: usize, item: &Item) -> String {
    let description = item.description.as_deref().map(|text| format!("{text}\n")).unwrap_or_default();
    let links = item.actions.iter().filter_map(|action| match &action.kind {
        ActionKind::Link { uri } => Some(link(&action.text, uri)),
        _ => None,
    });
    format!("{number}. {}\n{description}{}", item.title, links.collect::<Vec<_>>().join("\n"))
}

/// A place on the map; the address that may come with it is not shown.
pub fn location(coordinates: Coordinates) -> String {
    format!("Location shared:\nhttps://maps.google.com/maps?q={},{}", coordinates.lat, coordinates.long)
}

/// Asks in words where no button can.
pub fn location_request(app_name: &str) -> String {
    format!("{app_name} has requested a location")
}

fn link(label: &str, uri: &str) -> String {
    format!("{label}: {}", uri::legal(uri))
}

fn captioned(caption: Option<&str>, url: &str) -> Option<String> {
    let url = uri::legal(url);
    Some(match caption {
        Some(caption) => format!("{caption}\n{url}"),
        None => url,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{Message, MessageWire};
    use serde_json::json;

    const ON_TWILIO: Fallback<'_> =
        Fallback { app_name: "Tea House", images: Images::Attached, purchases: Purchases::Labelled };
    const ON_MESSAGEBIRD: Fallback<'_> =
        Fallback { app_name: "Tea House", images: Images::Linked, purchases: Purchases::Dropped };

    fn content(wire: serde_json::Value) -> Content {
        let wire: MessageWire = serde_json::from_value(wire).expect("a message");
        Message::try_from(wire).expect("a valid message").content
    }

    fn menu(kind: &str) -> Content {
        content(json!({"type": kind, "items": [
            {"title": "Mint tea", "description": "Hot and fresh", "mediaUrl": "https://shop.example/tea.png", "actions": [
                {"type": "link", "text": "Order", "uri": "https://shop.example/tea?a=1&b=2"},
                {"type": "postback", "text": "More", "payload": "MORE"},
                {"type": "link", "text": "Read", "uri": "https://shop.example/about"},
            ]},
            {"title": "Coffee", "description": "Strong", "actions": [{"type": "postback", "text": "Later", "payload": "L"}]},
        ]}))
    }

    #[test]
    fn a_carousel_becomes_numbered_blocks_with_their_links() {
        let expected = "1. Mint tea\nHot and fresh\nOrder: https://shop.example/tea?a=1&b=2\nRead: https://shop.example/about\
                        \n\n2. Coffee\nStrong\n";
        assert_eq!(ON_TWILIO.text(&menu("carousel")).unwrap(), expected);
        assert_eq!(ON_MESSAGEBIRD.text(&menu("list")).unwrap(), expected);
    }

    #[test]
    fn an_item_without_description_has_no_line_for_it() {
        let list = content(json!({"type": "list", "items": [{"title": "Tea", "actions": [
            {"type": "link", "text": "Order", "uri": "https://shop.example"}]}],
            "actions": [{"type": "postback", "text": "Nothing", "payload": "N"}]}));
        insta::assert_snapshot!(ON_TWILIO.text(&list).unwrap(), @"
        1. Tea
        Order: https://shop.example
        Nothing
        ");
    }

    #[test]
    fn actions_follow_the_text_one_per_line() {
        let message = content(json!({"type": "text", "text": "Choose", "actions": [
            {"type": "link", "text": "Menu", "uri": "https://tea.example/menu"},
            {"type": "webview", "text": "Book", "uri": "https://tea.example/app", "fallback": "https://tea.example/book"},
            {"type": "postback", "text": "Later", "payload": "LATER"},
            {"type": "buy", "text": "Pay", "amount": 350},
        ]}));
        insta::assert_snapshot!(ON_TWILIO.text(&message).unwrap(), @"
        Choose
        Menu: https://tea.example/menu
        Book: https://tea.example/book
        Later
        Pay
        ");
        insta::assert_snapshot!(ON_MESSAGEBIRD.text(&message).unwrap(), @"
        Choose
        Menu: https://tea.example/menu
        Book: https://tea.example/book
        Later
        ");
    }

    #[test]
    fn replies_are_listed_and_a_location_is_asked_for_in_the_apps_name() {
        let message = content(json!({"type": "text", "text": "Where?", "actions": [
            {"type": "reply", "text": "At home", "payload": "HOME"}, {"type": "locationRequest", "text": "Send location"}]}));
        assert_eq!(ON_TWILIO.text(&message).unwrap(), "Where?\nAt home\nTea House has requested a location");
    }

    #[test]
    fn a_location_becomes_a_link_to_a_map() {
        let place = json!({"address": "1 Tea Street", "name": "Tea House"});
        let message =
            content(json!({"type": "location", "coordinates": {"lat": 45.5261, "long": -73.6}, "location": place}));
        let expected = "Location shared:\nhttps://maps.google.com/maps?q=45.5261,-73.6";
        assert_eq!(ON_TWILIO.text(&message).unwrap(), expected);
    }

    #[test]
    fn an_image_is_a_caption_or_a_caption_and_a_link_and_a_file_is_always_a_link() {
        let image = content(json!({"type": "image", "mediaUrl": "https://tea.example/cup.png", "text": "Look"}));
        assert_eq!(ON_TWILIO.text(&image).unwrap(), "Look");
        assert_eq!(ON_MESSAGEBIRD.text(&image).unwrap(), "Look\nhttps://tea.example/cup.png");
        let bare = content(json!({"type": "image", "mediaUrl": "https://tea.example/cup.png"}));
        assert_eq!(ON_TWILIO.text(&bare).unwrap(), "");
        let file = content(json!({"type": "file", "mediaUrl": "https://tea.example/menu.pdf"}));
        assert_eq!(ON_TWILIO.text(&file).unwrap(), "https://tea.example/menu.pdf");
    }

    #[test]
    fn a_url_stands_in_a_text_as_every_telephone_reads_it() {
        let (written, spelled) =
            ("https://tée.example/Tea_(my drink)\n", "https://xn--te-bja.example/Tea_%28my%20drink%29");
        let link = json!({"type": "link", "text": "Read", "uri": written});
        let webview = json!({"type": "webview", "text": "Book", "uri": written, "fallback": written});
        for (message, text) in [
            (json!({"type": "image", "mediaUrl": written}), spelled.to_owned()),
            (json!({"type": "file", "mediaUrl": written, "text": "Look"}), format!("Look\n{spelled}")),
            (json!({"type": "text", "actions": [link, webview]}), format!("Read: {spelled}\nBook: {spelled}")),
            (
                json!({"type": "list", "items": [{"title": "Tea", "actions": [link]}]}),
                format!("1. Tea\nRead: {spelled}"),
            ),
        ] {
            let message = content(message);
            assert_eq!(ON_MESSAGEBIRD.text(&message).unwrap(), text);
        }
    }

    #[test]
    fn what_cannot_be_shown_is_unsupported() {
        let form = content(json!({"type": "form", "fields": [{"type": "text", "name": "n", "label": "Name"}]}));
        let failure = ON_TWILIO.text(&form).unwrap_err();
        assert_eq!(
            (failure.kind, failure.reason.as_str()),
            (SendErrorKind::Unsupported, "Unsupported message type `form`")
        );
        let only_buy = content(json!({"type": "text", "actions": [{"type": "buy", "text": "Pay", "amount": 350}]}));
        assert_eq!(ON_MESSAGEBIRD.text(&only_buy).unwrap_err().kind, SendErrorKind::Unsupported);
        assert_eq!(ON_TWILIO.text(&only_buy).unwrap(), "Pay");
    }
}
