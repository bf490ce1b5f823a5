//! What a simulated carrier is to the rest of the engine. A new one is a folder and its line in [`CARRIERS`].
//!
//! A carrier says how it speaks: its API, its signatures, its words. When and how often it speaks is decided here, the
//! same for all.

use axum::Router;
use serde_json::Value;
use shared::ids::IntegrationId;
use shared::model::{ChannelType, Settings};

use super::State;
use super::accounts::Account;
use super::addresses::Row;
use super::callbacks::{Call, Inbound, Way, Written};
use super::message::{Message, Step};
use super::repeats::Repeats;

/// Every simulated carrier.
pub const CARRIERS: [&dyn Carrier; 2] = [&super::twilio::Twilio, &super::messagebird::Messagebird];

/// The one that plays a channel.
pub fn of_channel(channel: ChannelType) -> Option<&'static dyn Carrier> {
    CARRIERS.into_iter().find(|carrier| carrier.channel() == channel)
}

pub trait Carrier: Send + Sync {
    fn channel(&self) -> ChannelType;

    /// What people call it.
    fn name(&self) -> &'static str;

    /// The template's parameter for the address of its API.
    fn api_parameter(&self) -> &'static str;

    /// Its API, below `/_carriers/{channel}`.
    fn api(&self, state: State) -> Router;

    /// The part of an account's credentials that says who is calling; `None` where the settings are another's.
    fn login(&self, settings: &Settings) -> Option<String>;

    /// An account that nobody else has, for a demo app: the body of an integration.
    fn demo_account(&self) -> Value;

    /// The integration that the examples of the API's description name.
    fn example(&self) -> Option<IntegrationId>;

    /// Destinations that choose outcomes: the first that fits counts.
    fn addresses(&self) -> Vec<Row>;

    /// Somebody with an address that ends so; with any, where it is empty.
    fn somebody(&self, ending: &str) -> String;

    /// Its words for what becomes of a message.
    fn words(&self) -> Words;

    /// The id of a message that a person writes.
    fn new_id(&self, written: &Written) -> String;

    /// Has messages to an account go to its integration, as the owner does once, by hand.
    fn point_home(&self, _state: &State, _account: &Account) {}

    /// Where messages to an account go; nowhere where its owner has not said.
    fn way(&self, _state: &State, account: &Account) -> Option<Way> {
        Some(Way { path: account.callback_path(), fallback: None })
    }

    /// How often a callback to this path is repeated that fails.
    fn repeats(&self, path: &str) -> Repeats;

    /// A receipt, signed; `None` where the account signs nothing.
    fn receipt(&self, account: &Account, message: &Message, step: &Step, url: &str) -> Option<Call>;

    /// A message from a person, signed.
    fn inbound(&self, account: &Account, inbound: &Inbound<'_>) -> Option<Call>;

    /// The signature of a callback that was written by hand.
    fn sign(&self, account: &Account, url: &str, body: &str) -> Option<String>;
}

/// A carrier's status words, and its codes for why a message failed.
#[derive(Debug, Clone, Copy)]
pub struct Words {
    pub sent: &'static str,
    pub delivered: &'static str,
    pub failed: &'static str,
    pub unknown_subscriber: u32,
    pub opted_out: u32,
}
