//! A message's content: what a person is to see, free of role, wire spelling and channel.
//!
//! Values of these types satisfy v1.1's rules on messages; [`crate::model::MessageWire`] is the door they come in by.

use serde_json::{Map, Value};

/// Flat object of texts, numbers and booleans, at most 4 kB as JSON. Comes back in webhooks.
pub type Metadata = Map<String, Value>;

#[derive(Debug, Clone, PartialEq)]
pub struct Message {
    pub content: Content,
    pub metadata: Option<Metadata>,
}

#[derive(Debug, Clone, PartialEq)]
pub enum Content {
    /// Has a text, or actions, or both.
    Text {
        text: Option<String>,
        actions: Vec<Action>,
    },
    Image {
        media: Media,
        text: Option<String>,
        actions: Vec<Action>,
    },
    File {
        media: Media,
        text: Option<String>,
    },
    Carousel {
        items: Vec<Item>,
        aspect_ratio: Option<String>,
    },
    List {
        items: Vec<Item>,
        actions: Vec<Action>,
    },
    Location {
        coordinates: Coordinates,
        place: Option<Place>,
    },
    /// Kept as it came: no channel served so far can carry a form.
    Form {
        fields: Vec<Value>,
        block_chat_input: Option<bool>,
    },
}

impl Content {
    /// v1.1's `type`.
    pub fn type_name(&self) -> &'static str {
        match self {
            Self::Text { .. } => "text",
            Self::Image { .. } => "image",
            Self::File { .. } => "file",
            Self::Carousel { .. } => "carousel",
            Self::List { .. } => "list",
            Self::Location { .. } => "location",
            Self::Form { .. } => "form",
        }
    }
}

#[derive(Debug, Clone, PartialEq)]
pub struct Media {
    pub url: String,
    pub media_type: Option<String>,
    pub alt_text: Option<String>,
}

/// One entry of a carousel or list.
#[derive(Debug, Clone, PartialEq)]
pub struct Item {
    pub title: String,
    pub description: Option<String>,
    pub media: Option<Media>,
    pub size: Option<String>,
    pub actions: Vec<Action>,
    pub metadata: Option<Metadata>,
}

#[derive(Debug, Clone, PartialEq)]
pub struct Action {
    /// The label; empty only for `share`.
    pub text: String,
    pub kind: ActionKind,
    pub metadata: Option<Metadata>,
    /// Fields that only other channels read (`default`, `iconUrl`, `size`, `extraChannelOptions` …), as they came.
    pub extra: Map<String, Value>,
}

#[derive(Debug, Clone, PartialEq)]
pub enum ActionKind {
    Link {
        uri: String,
    },
    Webview {
        uri: String,
        fallback: String,
    },
    Postback {
        payload: String,
    },
    Reply {
        payload: String,
    },
    LocationRequest,
    /// `amount` in hundredths of the currency.
    Buy {
        amount: i64,
        currency: Option<String>,
    },
    Share,
}

impl ActionKind {
    pub fn type_name(&self) -> &'static str {
        match self {
            Self::Link { .. } => "link",
            Self::Webview { .. } => "webview",
            Self::Postback { .. } => "postback",
            Self::Reply { .. } => "reply",
            Self::LocationRequest => "locationRequest",
            Self::Buy { .. } => "buy",
            Self::Share => "share",
        }
    }
}

#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Coordinates {
    pub lat: f64,
    pub long: f64,
}

#[derive(Debug, Clone, PartialEq, Default)]
pub struct Place {
    pub address: Option<String>,
    pub name: Option<String>,
}
