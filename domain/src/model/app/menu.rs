//! A persistent menu: what people may click on at any time, of the app or of one integration.

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::entropy::Entropy;
use crate::ids::MenuItemId;
use crate::model::{ApiError, check};

const ITEMS_LIMIT: usize = 5;
const LABEL_LIMIT: usize = 128;
const PAYLOAD_LIMIT: usize = 1000;
/// Submenus within each other.
const DEPTH_LIMIT: usize = 2;

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Menu {
    pub items: Vec<MenuItem>,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct MenuItem {
    #[serde(rename = "_id")]
    pub id: MenuItemId,
    pub text: String,
    #[serde(flatten)]
    pub kind: MenuItemKind,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase", tag = "type")]
pub enum MenuItemKind {
    Link { uri: String },
    Postback { payload: String },
    Submenu { items: Vec<MenuItem> },
}

#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
pub struct MenuWire {
    items: Option<Vec<ItemWire>>,
}

#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
struct ItemWire {
    r#type: Option<String>,
    text: Option<String>,
    uri: Option<String>,
    payload: Option<String>,
    items: Option<Vec<ItemWire>>,
}

impl Menu {
    pub fn view(&self) -> Value {
        json!({ "items": self.items })
    }
}

impl MenuWire {
    /// A menu with new ids.
    pub fn create(self, entropy: &impl Entropy) -> Result<Menu, ApiError> {
        Ok(Menu { items: items(entropy, "items", self.items, 0)? })
    }
}

fn items(
    entropy: &impl Entropy,
    path: &str,
    wires: Option<Vec<ItemWire>>,
    depth: usize,
) -> Result<Vec<MenuItem>, ApiError> {
    let wires = check::required(path, wires)?;
    if depth > DEPTH_LIMIT {
        return Err(ApiError::field(path, format!("lies too deep: at most {DEPTH_LIMIT} submenus within each other")));
    }
    if !(1..=ITEMS_LIMIT).contains(&wires.len()) {
        return Err(ApiError::field(path, format!("must hold 1 to {ITEMS_LIMIT} items")));
    }
    wires.into_iter().enumerate().map(|(index, wire)| item(entropy, &format!("{path}[{index}]"), wire, depth)).collect()
}

fn item(entropy: &impl Entropy, path: &str, wire: ItemWire, depth: usize) -> Result<MenuItem, ApiError> {
    let field = |name: &str| format!("{path}.{name}");
    let needed = |name: &str, value: Option<String>| check::required(&field(name), value);
    let kind = match needed("type", wire.r#type)?.as_str() {
        "link" => MenuItemKind::Link { uri: check::uri(&field("uri"), needed("uri", wire.uri)?)? },
        "postback" => {
            let payload = needed("payload", wire.payload)?;
            MenuItemKind::Postback { payload: check::text(&field("payload"), payload, PAYLOAD_LIMIT)? }
        }
        "submenu" => MenuItemKind::Submenu { items: items(entropy, &field("items"), wire.items, depth + 1)? },
        _ => return Err(ApiError::field(&field("type"), "must be one of link, postback, submenu")),
    };
    let text = check::text(&field("text"), needed("text", wire.text)?, LABEL_LIMIT)?;
    Ok(MenuItem { id: MenuItemId::generate(entropy), text, kind })
}
