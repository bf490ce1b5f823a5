//! What only Twilio knows of an account: asked when an integration is made, and when it is given a new token.

use serde_json::Value;
use shared::channels::twilio::lookup::{self, Unknown};
use shared::channels::{CarrierRequest, CarrierResponse};
use shared::gateway::Refusal;
use shared::model::{ApiError, ErrorCode, Integration, IntegrationType, NewTwilio, Settings, TwilioCredentials};

use crate::context::Context;

/// Fields of a Twilio integration that Twilio alone can say. A caller's word on them is let go: whoever sends back an
/// integration as it was read says nothing by them.
const TWILIOS_TO_SAY: [&str; 2] = ["phoneNumber", "name"];

/// Twilio hands such a number's messages to the application, and the URL that is set at the number is never called.
const APPLICATION: &str = "names a number whose messages Twilio gives to a TwiML app; take the app off the number at Twilio, \
                           or make the integration with keepSmsUrl: true";

/// The body of a new integration, with the account's name and the number as Twilio says them.
pub async fn completed(context: &Context, body: Value) -> Result<(Value, Option<NewTwilio>), Refusal> {
    if IntegrationType::of(&body)? != IntegrationType::Twilio {
        return Ok((body, None));
    }
    let mut body = without_claims(body);
    let new = NewTwilio::read(&body)?;
    let number = lookup::number_request(&context.twilio_api_url, &new.credentials, &new.number_sid);
    let (name, number) = tokio::join!(account_name(context, &new.credentials), ask(context, number));
    body["name"] = name?.into();
    let number = lookup::number(&number?).map_err(|unknown| refusal(unknown, "phoneNumberSid"))?;
    if number.is_an_applications && !new.keeps_sms_url {
        return Err(ApiError::field("phoneNumberSid", APPLICATION).into());
    }
    body["phoneNumber"] = number.number.as_str().into();
    Ok((body, Some(new)))
}

/// Has messages to the number posted to us, as v1.1 did. Before the integration is kept: one that hears nothing is not
/// made, and what comes in between is for nobody yet.
pub async fn listen(context: &Context, new: &NewTwilio, integration: &Integration) -> Result<(), Refusal> {
    if new.keeps_sms_url {
        return Ok(());
    }
    let (base, app, id) = (&context.callbacks_url, integration.app_id, integration.id);
    let url = format!("{base}/callbacks/{}/{app}/{id}", IntegrationType::Twilio.as_str());
    let request = lookup::listen_request(&context.twilio_api_url, &new.credentials, &new.number_sid, &url);
    lookup::number(&ask(context, request).await?).map_err(|unknown| refusal(unknown, "phoneNumberSid"))?;
    Ok(())
}

/// The body of a change, with the account's name where Twilio had to be asked about a token.
pub async fn confirmed(context: &Context, old: &Integration, body: Value) -> Result<Value, Refusal> {
    let Settings::Twilio(old) = &old.settings else { return Ok(body) };
    let mut body = without_claims(body);
    if let Some(credentials) = TwilioCredentials::of_change(&body, old)? {
        body["name"] = account_name(context, &credentials).await?.into();
    }
    Ok(body)
}

fn without_claims(mut body: Value) -> Value {
    if let Some(fields) = body.as_object_mut() {
        TWILIOS_TO_SAY.into_iter().for_each(|field| drop(fields.remove(field)));
    }
    body
}

async fn account_name(context: &Context, credentials: &TwilioCredentials) -> Result<String, ApiError> {
    let answer = ask(context, lookup::account_request(&context.twilio_api_url, credentials)).await?;
    lookup::account_name(&answer).map_err(|unknown| refusal(unknown, "accountSid"))
}

async fn ask(context: &Context, request: Option<CarrierRequest>) -> Result<CarrierResponse, ApiError> {
    let request = request.ok_or_else(|| ApiError::field("authToken", "holds what no header can"))?;
    let carrier = context.carrier.as_ref().map_err(|_| refusal(Unknown::Silent, "accountSid"))?;
    carrier.send(request).await.map_err(|_| refusal(Unknown::Silent, "accountSid"))
}

/// `sid`: the field that names what was asked about.
fn refusal(unknown: Unknown, sid: &str) -> ApiError {
    match unknown {
        Unknown::Denied => ApiError::field("authToken", "is not what Twilio knows for accountSid"),
        Unknown::Missing => ApiError::field(sid, "names nothing at Twilio"),
        Unknown::Silent => {
            ApiError::new(ErrorCode::ServiceUnavailable, "Twilio did not answer; nothing was done, try again")
        }
    }
}
