//! From a [`Message`] to what webhooks, answers and queues show of it.

use super::{ActionWire, CoordinatesWire, DisplaySettingsWire, ItemWire, MessageWire, PlaceWire};
use crate::model::{Action, ActionKind, Content, Item, Media, Message};

impl From<&Message> for MessageWire {
    fn from(message: &Message) -> Self {
        let mut wire = Self {
            kind: Some(message.content.type_name().to_owned()),
            metadata: message.metadata.clone(),
            ..Self::default()
        };
        match &message.content {
            Content::Text { text, actions } => {
                wire.text.clone_from(text);
                wire.actions = actions_wire(actions);
            }
            Content::Image { media, text, actions } => {
                wire.set_media(media, text.as_ref());
                wire.actions = actions_wire(actions);
            }
            Content::File { media, text } => wire.set_media(media, text.as_ref()),
            Content::Carousel { items, aspect_ratio } => {
                wire.items = Some(items.iter().map(ItemWire::from).collect());
                wire.display_settings =
                    aspect_ratio.clone().map(|ratio| DisplaySettingsWire { image_aspect_ratio: Some(ratio) });
            }
            Content::List { items, actions } => {
                wire.items = Some(items.iter().map(ItemWire::from).collect());
                wire.actions = actions_wire(actions);
            }
            Content::Location { coordinates, place } => {
                wire.coordinates = Some(CoordinatesWire { lat: Some(coordinates.lat), long: Some(coordinates.long) });
                wire.location = place.clone().map(|place| PlaceWire { address: place.address, name: place.name });
            }
            Content::Form { fields, block_chat_input } => {
                wire.fields = Some(fields.clone());
                wire.block_chat_input = *block_chat_input;
            }
        }
        wire
    }
}

impl MessageWire {
    fn set_media(&mut self, media: &Media, text: Option<&String>) {
        self.media_url = Some(media.url.clone());
        self.media_type.clone_from(&media.media_type);
        self.alt_text.clone_from(&media.alt_text);
        self.text = text.cloned();
    }
}

impl From<&Item> for ItemWire {
    fn from(item: &Item) -> Self {
        Self {
            id: None,
            title: Some(item.title.clone()),
            description: item.description.clone(),
            media_url: item.media.as_ref().map(|media| media.url.clone()),
            media_type: item.media.as_ref().and_then(|media| media.media_type.clone()),
            alt_text: item.media.as_ref().and_then(|media| media.alt_text.clone()),
            size: item.size.clone(),
            actions: actions_wire(&item.actions),
            metadata: item.metadata.clone(),
        }
    }
}

fn actions_wire(actions: &[Action]) -> Option<Vec<ActionWire>> {
    (!actions.is_empty()).then(|| actions.iter().map(ActionWire::from).collect())
}

impl From<&Action> for ActionWire {
    fn from(action: &Action) -> Self {
        let mut wire = Self {
            kind: Some(action.kind.type_name().to_owned()),
            text: Some(action.text.clone()).filter(|text| !text.is_empty()),
            metadata: action.metadata.clone(),
            extra: action.extra.clone(),
            ..Self::default()
        };
        match &action.kind {
            ActionKind::Link { uri } => wire.uri = Some(uri.clone()),
            ActionKind::Webview { uri, fallback } => {
                wire.uri = Some(uri.clone());
                wire.fallback = Some(fallback.clone());
            }
            ActionKind::Postback { payload } | ActionKind::Reply { payload } => wire.payload = Some(payload.clone()),
            ActionKind::Buy { amount, currency } => {
                wire.amount = Some(*amount);
                wire.currency.clone_from(currency);
            }
            ActionKind::LocationRequest | ActionKind::Share => {}
        }
        wire
    }
}
