//! What the service adds to a posted message (docs/REFERENCE.md, 3.2): ids, author, time, source, and the text that stands
//! for what has none.

use serde_json::Value;
use sha2::{Digest, Sha256};

use crate::channels::fallback;
use crate::ids::MessageId;
use crate::model::{
    ActionWire, AppUser, Content, FileFacts, ItemWire, MediaType, Message, MessageWire, Posting, Role, SourceWire,
    Timestamp,
};

/// Who is said to have written, and when.
pub struct Composing<'a> {
    pub posting: &'a Posting,
    pub user: &'a AppUser,
    /// Whether people without a name are given one of an animal.
    pub animal_names: bool,
    pub now: Timestamp,
}

impl Composing<'_> {
    /// One message of the posting, with what is known of the file that it shows; `seed` makes its id, `number` tells
    /// several of one posting apart.
    pub fn message(&self, message: &Message, file: Option<&FileFacts>, seed: &[u8], number: u8) -> MessageWire {
        // Several of one posting are in time order too.
        let received = Timestamp::from_millis(self.now.millis() + i64::from(number));
        let id = MessageId::at(received, &[seed, &[number]]);
        let wire = MessageWire::from(message);
        let part =
            |kind: &str, index: usize| MessageId::at(received, &[id.as_bytes(), kind.as_bytes(), &index.to_be_bytes()]);
        let is_offer = |action: &ActionWire| action.kind.as_deref() == Some("buy");
        let action = |kind: String, index: usize, action: ActionWire| ActionWire {
            id: Some(part(&kind, index)),
            uri: Some(action.uri.clone().unwrap_or_default()),
            state: is_offer(&action).then(|| "offered".to_owned()),
            ..action
        };
        let actions = |kind: &str, actions: Vec<ActionWire>| {
            actions.into_iter().enumerate().map(|(index, one)| action(kind.to_owned(), index, one)).collect::<Vec<_>>()
        };
        let items = wire.items.map(|items| {
            let item = |(index, item): (usize, ItemWire)| ItemWire {
                id: Some(part("item", index)),
                actions: item.actions.map(|list| actions(&format!("item {index}"), list)),
                ..item
            };
            items.into_iter().enumerate().map(item).collect()
        });
        let metadata = wire.metadata.clone();
        MessageWire {
            id: Some(id),
            role: Some(self.posting.role.as_str().into()),
            text: text(&message.content),
            actions: wire.actions.map(|list| actions("action", list)),
            items,
            media_type: wire
                .media_type
                .or_else(|| file.map(|file| file.media_type.to_string()))
                .or_else(|| wire.media_url.as_deref().and_then(|url| told_type(&message.content, url))),
            media_size: file.map(|file| file.size),
            metadata,
            payload: self.posting.payload.clone(),
            author_id: Some(self.author_id()),
            name: self.name(),
            avatar_url: self.avatar_url(),
            received: Some(received),
            source: Some(SourceWire { kind: "api".into(), ..SourceWire::default() }),
            kind: wire.kind,
            media_url: wire.media_url,
            alt_text: wire.alt_text,
            display_settings: wire.display_settings,
            coordinates: wire.coordinates,
            location: wire.location,
            fields: wire
                .fields
                .map(|fields| fields.into_iter().enumerate().map(|(n, one)| field(part("field", n), one)).collect()),
            block_chat_input: wire.block_chat_input,
        }
    }

    fn author_id(&self) -> String {
        match self.posting.role {
            Role::AppMaker => self.posting.author.id(),
            Role::AppUser => self.user.id.to_string(),
        }
    }

    fn name(&self) -> Option<String> {
        let given = self.posting.author.name.clone();
        match self.posting.role {
            Role::AppMaker => given,
            Role::AppUser => {
                let animal = || self.animal_names.then(|| animal_name(self.user));
                given.or_else(|| self.user.full_name()).or_else(animal)
            }
        }
    }

    fn avatar_url(&self) -> Option<String> {
        let author = &self.posting.author;
        match self.posting.role {
            Role::AppMaker => Some(author.picture()),
            Role::AppUser => author.avatar_url.clone(),
        }
    }
}

/// A form's field with its id. What is no object is none of ours to add to.
fn field(id: MessageId, mut field: Value) -> Value {
    if let Some(object) = field.as_object_mut() {
        object.insert("_id".into(), id.to_string().into());
    }
    field
}

fn text(content: &Content) -> Option<String> {
    match content {
        Content::Text { text, .. } => text.clone(),
        Content::Image { text, .. } | Content::File { text, .. } => Some(text.clone().unwrap_or_else(|| " ".into())),
        Content::Carousel { items, .. } | Content::List { items, .. } => Some(fallback::items(items)),
        Content::Location { coordinates, .. } => Some(fallback::location(*coordinates)),
        Content::Form { .. } => None,
    }
}

/// By the end of the URL's path. An image is never said to be something else.
fn told_type(content: &Content, url: &str) -> Option<String> {
    let is_image = matches!(content, Content::Image { .. });
    MediaType::of_url(url).filter(|kind| !is_image || kind.is_picture()).map(|kind| kind.to_string())
}

/// The same animal for the same person, always.
fn animal_name(user: &AppUser) -> String {
    const COLOURS: [&str; 8] = ["Amber", "Blue", "Coral", "Green", "Ivory", "Olive", "Ruby", "Silver"];
    const ANIMALS: [&str; 16] = [
        "Badger", "Crane", "Deer", "Dolphin", "Falcon", "Fox", "Hare", "Heron", "Lynx", "Marten", "Otter", "Owl",
        "Raven", "Seal", "Stork", "Swan",
    ];
    let [colour, animal, ..] = *Sha256::digest(user.id.as_bytes()).as_slice() else { return String::new() };
    format!("{} {}", COLOURS[usize::from(colour) % COLOURS.len()], ANIMALS[usize::from(animal) % ANIMALS.len()])
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::entropy::Counter;
    use serde_json::{Map, json};

    fn answered(body: &Value) -> Value {
        let posting = Posting::parse(body.to_string().as_bytes()).unwrap_or_else(|error| panic!("{error}: {body}"));
        let user = AppUser::new(&Counter, Timestamp::from_millis(1));
        let now = Timestamp::from_millis(1_790_000_000_000);
        let composing = Composing { posting: &posting, user: &user, animal_names: true, now };
        json!(composing.message(&posting.message, None, b"s", 0))
    }

    #[test]
    fn what_is_answered_can_be_posted_again_and_is_the_same() {
        let link = |uri: &str| json!({ "type": "link", "text": "Go", "uri": uri });
        let long = format!("https://a.example/{}", "x".repeat(2_000));
        let items = json!([{ "title": "Tea", "actions": [link(&long), link(&long), link(&long)], "metadata": { "a": 1 } },
            { "title": "Oats", "mediaUrl": "https://a.example/o.png", "actions": [{ "type": "share" }] }]);
        let picture = "https://a.example/tea.png";
        for message in [
            json!({ "type": "text", "text": "Hi", "metadata": { "a": true } }),
            json!({ "type": "text", "actions": [link("tel:+1"), { "type": "buy", "text": "Pay", "amount": 5 }] }),
            json!({ "type": "text", "text": " ", "actions": [{ "type": "reply", "text": "Yes", "payload": "Y" }] }),
            json!({ "type": "image", "mediaUrl": picture, "text": "", "altText": " " }),
            json!({ "type": "image", "mediaUrl": picture, "actions": [link("https://a.example/")] }),
            json!({ "type": "file", "mediaUrl": picture, "text": "\t" }),
            json!({ "type": "carousel", "items": items, "displaySettings": { "imageAspectRatio": "square" } }),
            json!({ "type": "list", "items": items, "actions": [link("https://a.example/")] }),
            json!({ "type": "location", "coordinates": { "lat": 1.5, "long": 2.0 }, "location": { "name": "Tea" } }),
            json!({ "type": "form", "fields": [{ "type": "text", "name": "n", "label": "N" }], "text": "", "actions": [] }),
        ] {
            let mut body = message.clone();
            body.as_object_mut().unwrap_or(&mut Map::new()).insert("role".into(), "appMaker".into());
            let answer = answered(&body);
            assert_eq!(answered(&answer), answer);
        }
    }
}
