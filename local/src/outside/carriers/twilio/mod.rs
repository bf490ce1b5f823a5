//! Twilio, as far as a messaging integration calls it: sends in [`messages`], look-ups and set-up in [`lookups`]; and
//! what it calls us with, in [`callbacks`].

mod callbacks;
mod errors;
mod lookups;
mod messages;
mod signature;

use axum::Router;
use axum::routing::{any, get, post};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use shared::ids::IntegrationId;
use shared::model::{ChannelType, Settings, TwilioSettings};

use super::State;
use super::accounts::Account;
use super::addresses::{Outcome, PHONE_NUMBERS, Row};
use super::callbacks::{Call, Inbound, Way, Written};
use super::carrier::{Carrier, Words};
use super::message::{Message, Step};
use super::repeats::{Repeats, Wishes};
use crate::outside::seed::{example, random_hex};

/// What a careful owner writes behind a number's URL.
const ASKED: &str = "#rc=5&rp=all";
const OPTED_OUT: Row =
    Row { ends_with: "0902", outcome: Outcome::OptedOut, what: "opted out: refused at once (21610)" };

pub struct Twilio;

impl Carrier for Twilio {
    fn channel(&self) -> ChannelType {
        ChannelType::Twilio
    }

    fn name(&self) -> &'static str {
        "SMS, Twilio"
    }

    fn api_parameter(&self) -> &'static str {
        "TwilioApiUrl"
    }

    fn api(&self, state: State) -> Router {
        Router::new()
            .route("/2010-04-01/Accounts/{account}/Messages.json", post(messages::send))
            .route("/2010-04-01/Accounts/{account}/Messages/{file}", get(lookups::message))
            .route("/2010-04-01/Accounts/{account}", get(lookups::account))
            .route(
                "/2010-04-01/Accounts/{account}/IncomingPhoneNumbers/{file}",
                get(lookups::phone_number).post(lookups::phone_number),
            )
            .route("/{*path}", any(lookups::unknown))
            .with_state(state)
    }

    fn login(&self, settings: &Settings) -> Option<String> {
        match settings {
            Settings::Twilio(settings) => Some(settings.account_sid.clone()),
            _ => None,
        }
    }

    fn demo_account(&self) -> Value {
        json!({
            "type": "twilio",
            "accountSid": format!("AC{}", random_hex()),
            "authToken": random_hex(),
            "phoneNumberSid": format!("PN{}", random_hex()),
            "phoneNumber": "+15550100001",
        })
    }

    fn example(&self) -> Option<IntegrationId> {
        example(2)
    }

    fn addresses(&self) -> Vec<Row> {
        [&[OPTED_OUT], PHONE_NUMBERS].concat()
    }

    fn somebody(&self, ending: &str) -> String {
        format!("+1555010{}", if ending.is_empty() { "0002" } else { ending })
    }

    fn words(&self) -> Words {
        Words {
            sent: "sent",
            delivered: "delivered",
            failed: "undelivered",
            unknown_subscriber: 30005,
            opted_out: 21610,
        }
    }

    fn new_id(&self, written: &Written) -> String {
        message_sid(!written.media.is_empty())
    }

    fn point_home(&self, state: &State, account: &Account) {
        if let Some(settings) = settings(account) {
            let home = Target { url: format!("{}{ASKED}", account.callback_path()), ..Target::default() };
            state.set_up_if_new(self.channel(), number(&settings.account_sid, &settings.phone_number_sid), &home);
        }
    }

    fn way(&self, state: &State, account: &Account) -> Option<Way> {
        let settings = settings(account)?;
        let target: Target = state.set_up(self.channel(), &number(&settings.account_sid, &settings.phone_number_sid));
        let ours = |url: String| url.starts_with('/').then_some(url);
        let path = ours(target.url).filter(|_| target.application_sid.is_empty())?;
        Some(Way { path, fallback: ours(target.fallback) })
    }

    fn repeats(&self, path: &str) -> Repeats {
        Repeats::AsWished(Wishes::of(path))
    }

    fn receipt(&self, account: &Account, message: &Message, step: &Step, url: &str) -> Option<Call> {
        callbacks::receipt(settings(account)?, message, step, url)
    }

    fn inbound(&self, account: &Account, inbound: &Inbound<'_>) -> Option<Call> {
        callbacks::inbound(settings(account)?, inbound)
    }

    fn sign(&self, account: &Account, url: &str, body: &str) -> Option<String> {
        let fields: Vec<_> = form_urlencoded::parse(body.as_bytes()).into_owned().collect();
        signature::sign(settings(account)?.auth_token.expose(), url, &fields)
    }
}

fn settings(account: &Account) -> Option<&TwilioSettings> {
    match &account.settings {
        Settings::Twilio(settings) => Some(settings),
        _ => None,
    }
}

/// Where messages to a number go. Paths below our public URL, which may be another after a restart; or URLs elsewhere,
/// which are never called. Empty where there is none.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Target {
    url: String,
    fallback: String,
    /// Has the messages instead of the URL.
    application_sid: String,
}

/// What a number's [`Target`] is kept under.
fn number(account_sid: &str, number_sid: &str) -> String {
    format!("{account_sid}/{number_sid}")
}

/// A new one, of a message with media or without.
fn message_sid(has_media: bool) -> String {
    format!("{}{}", if has_media { "MM" } else { "SM" }, uuid::Uuid::new_v4().simple())
}
