//! The domain: what v1.1 speaks of, as types that cannot hold what the API would refuse.
//!
//! Wire forms live beside the types they belong to and are joined to them by `TryFrom`. Nothing here knows storage,
//! carriers or time's source.

mod address;
mod api_error;
mod app;
mod app_wire;
pub mod check;
mod credentials;
mod delivery;
mod file;
mod form;
mod integration;
pub mod json;
mod link;
mod menu;
mod message;
mod message_wire;
mod notification;
mod posting;
mod profile;
mod record;
mod sending;
pub mod shorthand;
mod signing;
mod template;
mod timestamp;
pub mod uri;
mod user;
pub mod user_wire;
mod webhook;

pub use address::{Address, InvalidAddress};
pub use api_error::{ApiError, ErrorCode};
pub use app::{App, AppSettings, Sdks, ServiceAccount};
pub use app_wire::{AppBody, AppChange, NameBody, SettingsChange};
pub use credentials::{ApiKey, KeyOwner, Secret};
pub use delivery::{DeliveryEvent, DeliveryOutcome, Destination, ExternalId, Failure, FailureCode, Told};
pub use file::{FILE_LIMIT, FileFacts, FileKey, FileName, FileOwner, InvalidFileKey, MediaType};
pub use integration::{
    AppleSettings, BusinessProfile, BusinessProfileWire, ChannelType, ExpiredClaim, FirebaseSettings, Integration,
    IntegrationStatus, IntegrationType, MailgunSettings, MessagebirdSettings, NewTwilio, Settings, Switch,
    TwilioCredentials, TwilioSettings, WebSettings, WhatsappSettings,
};
pub use json::Change;
pub use link::{Confirmation, Link, LinkRequest, LinkState};
pub use menu::{Menu, MenuItem, MenuItemKind, MenuWire};
pub use message::{Action, ActionKind, Content, Coordinates, Item, Media, Message, Metadata, Place};
pub use message_wire::{ActionWire, ItemWire, MessageWire, SourceWire};
pub use notification::{Author, NotificationRequest};
pub use posting::{Posting, Role, Target};
pub use profile::{NewProfile, ProfileChange};
pub use record::{RETENTION_DAYS, SendRecord, SendState};
pub use sending::{Sending, Subject};
pub use signing::{Retiring, Signing, SigningSecret};
pub use template::{Template, TemplateWire};
pub use timestamp::Timestamp;
pub use user::{AppUser, CLIENT_LIMIT, Client, ClientStatus, MERGED_LIMIT, MatchResult, Person};
pub use webhook::{Trigger, WEBHOOK_LIMIT, Webhook, WebhookWire};
