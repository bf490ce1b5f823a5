//! MessageBird's classic SMS API: sends, look-ups and balance in [`messages`]; and what it calls us with, in
//! [`callbacks`].

mod callbacks;
mod errors;
mod messages;
mod signature;

use std::time::Duration;

use axum::Router;
use axum::routing::{any, get, post};
use serde_json::{Value, json};
use shared::ids::IntegrationId;
use shared::model::{ChannelType, MessagebirdSettings, Settings};
use time::OffsetDateTime;
use time::macros::format_description;

use super::State;
use super::accounts::Account;
use super::addresses::{Outcome, PHONE_NUMBERS, Row};
use super::callbacks::{Call, Inbound, Written};
use super::carrier::{Carrier, Words};
use super::message::{Message, Step};
use super::repeats::Repeats;
use crate::clock::now_ms;
use crate::outside::seed::{example, random_hex};

const OPTED_OUT: Row =
    Row { ends_with: "0902", outcome: Outcome::OptedOutLater, what: "opted out: accepted, then reported (103)" };

/// The real one repeats for hours, with growing gaps; here they are short and few.
const PAUSES: [Duration; 7] = [
    Duration::from_millis(50),
    Duration::from_millis(100),
    Duration::from_millis(200),
    Duration::from_millis(400),
    Duration::from_millis(800),
    Duration::from_millis(1_600),
    Duration::from_millis(3_200),
];

pub struct Messagebird;

impl Carrier for Messagebird {
    fn channel(&self) -> ChannelType {
        ChannelType::Messagebird
    }

    fn name(&self) -> &'static str {
        "SMS, MessageBird"
    }

    fn api_parameter(&self) -> &'static str {
        "MessagebirdApiUrl"
    }

    fn api(&self, state: State) -> Router {
        Router::new()
            .route("/messages", post(messages::send))
            .route("/messages/{id}", get(messages::message))
            .route("/balance", get(messages::balance))
            .route("/{*path}", any(async || errors::unknown_path()))
            .with_state(state)
    }

    fn login(&self, settings: &Settings) -> Option<String> {
        match settings {
            Settings::Messagebird(settings) => Some(settings.access_key.expose().to_owned()),
            _ => None,
        }
    }

    fn demo_account(&self) -> Value {
        json!({
            "type": "messagebird",
            "accessKey": &random_hex()[..25],
            "originator": "31970000001",
            "signingKey": random_hex(),
        })
    }

    fn example(&self) -> Option<IntegrationId> {
        example(3)
    }

    fn addresses(&self) -> Vec<Row> {
        [&[OPTED_OUT], PHONE_NUMBERS].concat()
    }

    fn somebody(&self, ending: &str) -> String {
        format!("+3161234{}", if ending.is_empty() { "5678" } else { ending })
    }

    fn words(&self) -> Words {
        Words { sent: "sent", delivered: "delivered", failed: "delivery_failed", unknown_subscriber: 1, opted_out: 103 }
    }

    fn new_id(&self, _written: &Written) -> String {
        uuid::Uuid::new_v4().simple().to_string()
    }

    fn repeats(&self, _path: &str) -> Repeats {
        Repeats::After(&PAUSES)
    }

    fn receipt(&self, account: &Account, message: &Message, step: &Step, url: &str) -> Option<Call> {
        callbacks::report(settings(account)?, message, step, url)
    }

    fn inbound(&self, account: &Account, inbound: &Inbound<'_>) -> Option<Call> {
        callbacks::inbound(settings(account)?, inbound)
    }

    fn sign(&self, account: &Account, url: &str, body: &str) -> Option<String> {
        let key = settings(account)?.signing_key.as_ref()?;
        signature::sign(key.expose(), url, body.as_bytes(), now_ms().div_euclid(1000))
    }
}

fn settings(account: &Account) -> Option<&MessagebirdSettings> {
    match &account.settings {
        Settings::Messagebird(settings) => Some(settings),
        _ => None,
    }
}

/// RFC 3339, with the zone in digits.
fn date(at: i64) -> String {
    let at = OffsetDateTime::from_unix_timestamp(at.div_euclid(1000)).unwrap_or(OffsetDateTime::UNIX_EPOCH);
    let format = format_description!("[year]-[month]-[day]T[hour]:[minute]:[second]+00:00");
    at.format(&format).unwrap_or_default()
}
