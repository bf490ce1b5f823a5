//! From what callers post to a [`Message`]: the one place where v1.1's rules on messages are checked.
//!
//! Limits: docs/REFERENCE.md, 3 (text 4096 characters, title and description 128, 1–10 items, 1–3 actions an item).

use serde_json::{Map, Value};

use super::{ActionWire, CoordinatesWire, DisplaySettingsWire, ItemWire, MessageWire, PlaceWire};
use crate::model::{Action, ActionKind, Content, Coordinates, Item, Media, Message, Place};
use crate::model::{ApiError, MediaType, check, form};

const TEXT_LIMIT: usize = 4096;
const LABEL_LIMIT: usize = 128;
/// In hundredths; above, JSON's numbers are not whole everywhere.
const AMOUNTS: std::ops::RangeInclusive<i64> = 1..=9_007_199_254_740_991;

impl TryFrom<MessageWire> for Message {
    type Error = ApiError;

    /// Errors name the field from the body's root, as in `message.items[2].title`.
    fn try_from(wire: MessageWire) -> Result<Self, ApiError> {
        let metadata =
            wire.metadata.clone().map(|metadata| check::metadata("message.metadata", metadata)).transpose()?;
        Ok(Self { content: content(wire)?, metadata })
    }
}

/// A blank text is none, as in our own answers, where one stands beside media; of what shows itself no text is kept.
fn content(wire: MessageWire) -> Result<Content, ApiError> {
    let kind = wire.kind.clone().ok_or_else(|| ApiError::field("message.type", "is required"))?;
    let text = || check::optional_text("message.text", wire.text.clone(), TEXT_LIMIT);
    let actions = wire.actions.clone().unwrap_or_default();
    match kind.as_str() {
        "text" => {
            let (text, actions) = (text()?, checked_actions("message.actions", actions)?);
            if text.is_none() && actions.is_empty() {
                return Err(ApiError::field("message.text", "is required for a message of type text"));
            }
            Ok(Content::Text { text, actions })
        }
        "image" => Ok(Content::Image {
            media: picture(&wire)?,
            text: text()?,
            actions: checked_actions("message.actions", actions)?,
        }),
        "file" => Ok(Content::File { media: media(&wire)?, text: text()? }),
        "carousel" => {
            Ok(Content::Carousel { items: items(wire.items)?, aspect_ratio: aspect_ratio(wire.display_settings)? })
        }
        "list" => {
            Ok(Content::List { items: items(wire.items)?, actions: checked_actions("message.actions", actions)? })
        }
        "location" => location(wire.coordinates, wire.location),
        "form" => form_content(wire),
        _ => Err(ApiError::field("message.type", "must be one of text, image, file, carousel, list, location, form")),
    }
}

fn media(wire: &MessageWire) -> Result<Media, ApiError> {
    let url = wire.media_url.clone().ok_or_else(|| {
        ApiError::field(
            "message.mediaUrl",
            format!("is required for a message of type {}", wire.kind.as_deref().unwrap_or("")),
        )
    })?;
    Ok(Media {
        url: check::url("message.mediaUrl", url)?,
        media_type: wire.media_type.clone(),
        alt_text: check::optional_text("message.altText", wire.alt_text.clone(), LABEL_LIMIT)?,
    })
}

/// What says of itself that it is none would be shown as a broken one.
fn picture(wire: &MessageWire) -> Result<Media, ApiError> {
    let media = media(wire)?;
    if media.media_type.as_deref().is_none_or(|kind| MediaType::parse(kind).may_be_picture()) {
        return Ok(media);
    }
    let problem = "must be a picture's, such as image/png, for a message of type image; post others with type file";
    Err(ApiError::field("message.mediaType", problem))
}

fn items(items: Option<Vec<ItemWire>>) -> Result<Vec<Item>, ApiError> {
    let items = items.ok_or_else(|| ApiError::field("message.items", "is required"))?;
    if !(1..=10).contains(&items.len()) {
        return Err(ApiError::field("message.items", "must hold 1 to 10 items"));
    }
    items.into_iter().enumerate().map(|(index, wire)| item(&format!("message.items[{index}]"), wire)).collect()
}

fn item(path: &str, wire: ItemWire) -> Result<Item, ApiError> {
    let title = wire.title.ok_or_else(|| ApiError::field(&format!("{path}.title"), "is required"))?;
    let actions = wire.actions.unwrap_or_default();
    let actions_path = format!("{path}.actions");
    if !(1..=3).contains(&actions.len()) {
        return Err(ApiError::field(&actions_path, "must hold 1 to 3 actions"));
    }
    let actions = actions
        .into_iter()
        .enumerate()
        .map(|(index, wire)| action(&format!("{actions_path}[{index}]"), wire))
        .collect::<Result<Vec<_>, _>>()?;
    let fits_an_item = |action: &Action| !matches!(action.kind, ActionKind::Reply { .. } | ActionKind::LocationRequest);
    if !actions.iter().all(fits_an_item) {
        return Err(ApiError::field(&actions_path, "must be of types link, postback, webview, buy or share"));
    }
    let media = check::given(wire.media_url)
        .map(|url| {
            Ok::<_, ApiError>(Media {
                url: check::url(&format!("{path}.mediaUrl"), url)?,
                media_type: wire.media_type,
                alt_text: check::optional_text(&format!("{path}.altText"), wire.alt_text, LABEL_LIMIT)?,
            })
        })
        .transpose()?;
    let size = check::given(wire.size);
    if size.as_deref().is_some_and(|size| !matches!(size, "compact" | "large")) {
        return Err(ApiError::field(&format!("{path}.size"), "must be compact or large"));
    }
    Ok(Item {
        title: check::text(&format!("{path}.title"), title, LABEL_LIMIT)?,
        description: check::optional_text(&format!("{path}.description"), wire.description, LABEL_LIMIT)?,
        media,
        size,
        actions,
        metadata: wire.metadata.map(|metadata| check::metadata(&format!("{path}.metadata"), metadata)).transpose()?,
    })
}

/// Replies stand with replies and location requests only (docs/REFERENCE.md, 3.1).
fn fit_together(actions: &[Action]) -> bool {
    let answers = |action: &&Action| matches!(action.kind, ActionKind::Reply { .. } | ActionKind::LocationRequest);
    let answering = actions.iter().filter(answers).count();
    answering == 0 || answering == actions.len()
}

/// Actions of a message.
fn checked_actions(path: &str, wires: Vec<ActionWire>) -> Result<Vec<Action>, ApiError> {
    let actions = wires
        .into_iter()
        .enumerate()
        .map(|(index, wire)| action(&format!("{path}[{index}]"), wire))
        .collect::<Result<Vec<_>, _>>()?;
    if actions.iter().any(|action| action.kind == ActionKind::Share) {
        return Err(ApiError::field(path, "may hold share only inside carousel items"));
    }
    if !fit_together(&actions) {
        return Err(ApiError::field(path, "may combine reply and locationRequest with each other only"));
    }
    Ok(actions)
}

fn action(path: &str, wire: ActionWire) -> Result<Action, ApiError> {
    let field = |name: &str| format!("{path}.{name}");
    let required = |name: &str, value: Option<String>| {
        value.filter(|value| !value.is_empty()).ok_or_else(|| ApiError::field(&field(name), "is required"))
    };
    let kind = match wire.kind.as_deref() {
        None => return Err(ApiError::field(&field("type"), "is required")),
        Some("link") => ActionKind::Link { uri: check::uri(&field("uri"), required("uri", wire.uri)?)? },
        Some("webview") => ActionKind::Webview {
            uri: check::uri(&field("uri"), required("uri", wire.uri)?)?,
            fallback: check::uri(&field("fallback"), required("fallback", wire.fallback)?)?,
        },
        Some("postback") => ActionKind::Postback { payload: required("payload", wire.payload)? },
        Some("reply") => ActionKind::Reply { payload: required("payload", wire.payload)? },
        Some("locationRequest") => ActionKind::LocationRequest,
        Some("buy") => ActionKind::Buy {
            amount: wire.amount.filter(|amount| AMOUNTS.contains(amount)).ok_or_else(|| {
                ApiError::field(&field("amount"), "is required, as a positive whole number of hundredths below 2^53")
            })?,
            currency: wire.currency,
        },
        Some("share") => ActionKind::Share,
        Some(_) => {
            let types = "must be one of link, webview, postback, reply, locationRequest, buy, share";
            return Err(ApiError::field(&field("type"), types));
        }
    };
    let text = match (&kind, wire.text) {
        (ActionKind::Share, text) => text.unwrap_or_default(),
        (_, Some(text)) => check::text(&field("text"), text, LABEL_LIMIT)?,
        (_, None) => return Err(ApiError::field(&field("text"), "is required")),
    };
    let metadata = wire.metadata.map(|metadata| check::metadata(&field("metadata"), metadata)).transpose()?;
    Ok(Action { text, kind, metadata, extra: extra(path, wire.extra)? })
}

/// What only some clients show, and no channel served so far: kept as it came where it has v1.1's form.
fn extra(path: &str, mut extra: Map<String, Value>) -> Result<Map<String, Value>, ApiError> {
    check::storable(path, &extra)?;
    extra.retain(|_, value| !value.is_null() && value.as_str().is_none_or(|text| !text.trim().is_empty()));
    type Rule = (&'static str, fn(&Value) -> bool, &'static str);
    let rules: [Rule; 4] = [
        ("default", Value::is_boolean, "must be true or false"),
        ("openOnReceive", Value::is_boolean, "must be true or false"),
        ("iconUrl", Value::is_string, "must be a string"),
        ("size", |size| matches!(size.as_str(), Some("compact" | "tall" | "full")), "must be compact, tall or full"),
    ];
    for (name, holds, rule) in rules {
        if extra.get(name).is_some_and(|value| !holds(value)) {
            return Err(ApiError::field(&format!("{path}.{name}"), rule));
        }
    }
    Ok(extra)
}

fn aspect_ratio(settings: Option<DisplaySettingsWire>) -> Result<Option<String>, ApiError> {
    let ratio = check::given(settings.and_then(|settings| settings.image_aspect_ratio));
    match ratio.as_deref() {
        None | Some("horizontal" | "square") => Ok(ratio),
        Some(_) => Err(ApiError::field("message.displaySettings.imageAspectRatio", "must be horizontal or square")),
    }
}

fn location(coordinates: Option<CoordinatesWire>, place: Option<PlaceWire>) -> Result<Content, ApiError> {
    let wire = coordinates
        .ok_or_else(|| ApiError::field("message.coordinates", "is required for a message of type location"))?;
    let degrees = |name: &str, value: Option<f64>, limit: f64| {
        let path = format!("message.coordinates.{name}");
        match value {
            None => Err(ApiError::field(&path, "is required")),
            // The table takes no smaller numbers, and nobody knows a place so exactly.
            Some(value) if value.abs() < 1e-16 => Ok(0.0),
            Some(value) if value.abs() <= limit => Ok(value),
            Some(_) => Err(ApiError::field(&path, format!("must lie between -{limit} and {limit}"))),
        }
    };
    let coordinates = Coordinates { lat: degrees("lat", wire.lat, 90.0)?, long: degrees("long", wire.long, 180.0)? };
    let place = place.map(|place| Place { address: place.address, name: place.name });
    Ok(Content::Location { coordinates, place })
}

fn form_content(wire: MessageWire) -> Result<Content, ApiError> {
    if check::given(wire.text).is_some() || wire.actions.is_some_and(|actions| !actions.is_empty()) {
        return Err(ApiError::field("message", "of type form takes neither text nor actions"));
    }
    let fields =
        wire.fields.ok_or_else(|| ApiError::field("message.fields", "is required for a message of type form"))?;
    let fields = form::fields("message.fields", fields)?;
    Ok(Content::Form { fields, block_chat_input: wire.block_chat_input })
}
