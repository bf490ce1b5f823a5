//! The web messenger: how it looks, and on which sites it may be shown.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::ids::IntegrationId;
use crate::model::{ApiError, Change, check};

const NAME_LIMIT: usize = 128;
const LIST_LIMIT: usize = 100;
const FORM_FIELDS_LIMIT: usize = 20;
const PIXELS_LIMIT: u64 = 1_000;

/// Everything is shown, also what is not set.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct WebSettings {
    pub brand_color: String,
    pub conversation_color: String,
    pub action_color: String,
    pub display_style: DisplayStyle,
    pub button_icon_url: Option<String>,
    /// In pixels, as text.
    pub button_width: String,
    pub button_height: String,
    pub business_name: Option<String>,
    pub business_icon_url: Option<String>,
    pub background_image_url: Option<String>,
    pub fixed_intro_pane: bool,
    /// In which order other channels are offered.
    pub integration_order: Option<Vec<IntegrationId>>,
    /// Only these sites may show it; any may, without.
    pub origin_whitelist: Option<Vec<String>>,
    pub prechat_capture: Option<PrechatCapture>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum DisplayStyle {
    Button,
    Tab,
}

/// What people are asked before they write.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct PrechatCapture {
    pub enabled: bool,
    pub enable_email_linking: bool,
    /// Form fields, as they came.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub fields: Vec<Map<String, Value>>,
}

impl Default for WebSettings {
    /// docs/REFERENCE.md, 9.
    fn default() -> Self {
        Self {
            brand_color: "65758e".into(),
            conversation_color: "0099ff".into(),
            action_color: "0099ff".into(),
            display_style: DisplayStyle::Button,
            button_icon_url: None,
            button_width: "58".into(),
            button_height: "58".into(),
            business_name: None,
            business_icon_url: None,
            background_image_url: None,
            fixed_intro_pane: false,
            integration_order: None,
            origin_whitelist: None,
            prechat_capture: None,
        }
    }
}

impl WebSettings {
    pub(super) fn view(&self) -> Map<String, Value> {
        match serde_json::to_value(self) {
            Ok(Value::Object(fields)) => fields,
            _ => Map::new(),
        }
    }
}

#[derive(Deserialize, Default)]
#[serde(rename_all = "camelCase", default)]
pub(super) struct Wire {
    brand_color: Change<String>,
    conversation_color: Change<String>,
    action_color: Change<String>,
    display_style: Change<DisplayStyle>,
    button_icon_url: Change<String>,
    button_width: Change<Value>,
    button_height: Change<Value>,
    business_name: Change<String>,
    business_icon_url: Change<String>,
    background_image_url: Change<String>,
    fixed_intro_pane: Change<bool>,
    integration_order: Change<Vec<String>>,
    origin_whitelist: Change<Vec<String>>,
    prechat_capture: Change<PrechatCapture>,
}

impl Wire {
    pub(super) fn apply(self, old: Option<WebSettings>) -> Result<WebSettings, ApiError> {
        let old = old.unwrap_or_default();
        // Null gives a field its default back.
        let default = WebSettings::default();
        let url = |field: &'static str| move |url| check::url(field, url);
        let color = |field: &'static str, change: Change<String>, old: String, default: String| {
            Ok::<_, ApiError>(change.check(|text| color(field, text))?.apply(Some(old)).unwrap_or(default))
        };
        let side = |field: &'static str, change: Change<Value>, old: String, default: String| {
            Ok::<_, ApiError>(change.check(|given| pixels(field, given))?.apply(Some(old)).unwrap_or(default))
        };
        let name = self.business_name.check(|name| check::text("businessName", name, NAME_LIMIT))?;
        Ok(WebSettings {
            brand_color: color("brandColor", self.brand_color, old.brand_color, default.brand_color)?,
            conversation_color: color(
                "conversationColor",
                self.conversation_color,
                old.conversation_color,
                default.conversation_color,
            )?,
            action_color: color("actionColor", self.action_color, old.action_color, default.action_color)?,
            display_style: self.display_style.apply(Some(old.display_style)).unwrap_or(default.display_style),
            button_icon_url: self.button_icon_url.check(url("buttonIconUrl"))?.apply(old.button_icon_url),
            button_width: side("buttonWidth", self.button_width, old.button_width, default.button_width)?,
            button_height: side("buttonHeight", self.button_height, old.button_height, default.button_height)?,
            business_name: name.apply(old.business_name),
            business_icon_url: self.business_icon_url.check(url("businessIconUrl"))?.apply(old.business_icon_url),
            background_image_url: self
                .background_image_url
                .check(url("backgroundImageUrl"))?
                .apply(old.background_image_url),
            fixed_intro_pane: self.fixed_intro_pane.apply(Some(old.fixed_intro_pane)).unwrap_or_default(),
            integration_order: self.integration_order.check(order)?.apply(old.integration_order),
            origin_whitelist: self.origin_whitelist.check(origins)?.apply(old.origin_whitelist),
            prechat_capture: self.prechat_capture.check(prechat)?.apply(old.prechat_capture),
        })
    }
}

fn color(field: &str, text: String) -> Result<String, ApiError> {
    if text.len() == 6 && text.bytes().all(|byte| byte.is_ascii_hexdigit()) {
        Ok(text)
    } else {
        Err(ApiError::field(field, "must be 6 hexadecimal digits, without #"))
    }
}

/// v1.1 writes them as text; a number is as clear.
fn pixels(field: &str, given: Value) -> Result<String, ApiError> {
    let number = given.as_u64().or_else(|| given.as_str()?.parse().ok());
    match number.filter(|number| (1..=PIXELS_LIMIT).contains(number)) {
        Some(number) => Ok(number.to_string()),
        None => Err(ApiError::field(field, format!("must be a number of pixels from 1 to {PIXELS_LIMIT}"))),
    }
}

fn short<T>(field: &str, list: Vec<T>, limit: usize) -> Result<Vec<T>, ApiError> {
    if list.len() > limit {
        return Err(ApiError::field(field, format!("must hold at most {limit} entries")));
    }
    Ok(list)
}

fn order(ids: Vec<String>) -> Result<Vec<IntegrationId>, ApiError> {
    let id = |(index, id): (usize, String)| {
        id.parse().map_err(|error| ApiError::field(&format!("integrationOrder[{index}]"), error))
    };
    short("integrationOrder", ids, LIST_LIMIT)?.into_iter().enumerate().map(id).collect()
}

/// `https://shop.example`, perhaps with a port.
fn origins(list: Vec<String>) -> Result<Vec<String>, ApiError> {
    let origin = |(index, text): (usize, String)| {
        let field = format!("originWhitelist[{index}]");
        let problem = || ApiError::field(&field, "must be an origin, such as https://shop.example");
        let url = url::Url::parse(&text).map_err(|_| problem())?;
        let is_web = matches!(url.scheme(), "http" | "https");
        let is_bare = text.trim_end_matches('/').eq_ignore_ascii_case(&url.origin().ascii_serialization());
        if is_web && is_bare { Ok(url.origin().ascii_serialization()) } else { Err(problem()) }
    };
    short("originWhitelist", list, LIST_LIMIT)?.into_iter().enumerate().map(origin).collect()
}

fn prechat(mut capture: PrechatCapture) -> Result<PrechatCapture, ApiError> {
    capture.fields = short("prechatCapture.fields", capture.fields, FORM_FIELDS_LIMIT)?;
    capture.fields.iter().try_for_each(|field| check::storable("prechatCapture.fields", field))?;
    Ok(capture)
}
