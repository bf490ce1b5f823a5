//! What a business sets up: its app, the keys to it, the channels it is connected to, and who is told of events.

mod apps;
mod apps_wire;
mod credentials;
mod integration;
mod menu;
mod signing;
mod template;
mod webhook;

pub use apps::{App, AppSettings, Sdks, ServiceAccount};
pub use apps_wire::{AppBody, AppChange, NameBody, SettingsChange};
pub use credentials::{ApiKey, KeyOwner, Secret};
pub use integration::{
    AppleSettings, BusinessProfile, BusinessProfileWire, ChannelType, ExpiredClaim, FirebaseSettings, Integration,
    IntegrationStatus, IntegrationType, MailgunSettings, MessagebirdSettings, NewTwilio, Settings, Switch,
    TwilioCredentials, TwilioSettings, WebSettings, WhatsappSettings,
};
pub use menu::{Menu, MenuItem, MenuItemKind, MenuWire};
pub use signing::{Retiring, Signing, SigningSecret};
pub use template::{Template, TemplateWire};
pub use webhook::{Subscription, Trigger, WEBHOOK_LIMIT, Webhook, WebhookWire};
