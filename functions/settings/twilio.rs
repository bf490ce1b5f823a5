//! What only Twilio knows of an account: asked when an integration is made, and when it is given a new token.

use serde_json::Value;
use shared::channels::twilio::lookup::{self, Unknown};
use shared::channels::{CarrierRequest, CarrierResponse};
use shared::gateway::Refusal;
use shared::model::{ApiError, ErrorCode, Integration, IntegrationType, Settings, TwilioCredentials};

use crate::handler::Context;

/// The body of a new integration, with the account's name and the number unless the body has the number itself.
pub async fn completed(context: &Context, mut body: Value) -> Result<Value, Refusal> {
    if IntegrationType::of(&body)? != IntegrationType::Twilio {
        return Ok(body);
    }
    if let Some((credentials, number_sid)) = TwilioCredentials::of_new(&body)? {
        let number = lookup::number_request(&context.twilio_api_url, &credentials, &number_sid);
        let (name, number) = tokio::join!(account_name(context, &credentials), ask(context, number));
        body["name"] = name?.into();
        let number = lookup::number(&number?).map_err(|unknown| said(unknown, "phoneNumberSid"))?;
        body["phoneNumber"] = number.as_str().into();
    }
    Ok(body)
}

/// The body of a change, with the account's name where Twilio had to be asked about a new token.
pub async fn confirmed(context: &Context, old: &Integration, mut body: Value) -> Result<Value, Refusal> {
    if let Settings::Twilio(old) = &old.settings
        && let Some(credentials) = TwilioCredentials::of_change(&body, old)?
    {
        body["name"] = account_name(context, &credentials).await?.into();
    }
    Ok(body)
}

async fn account_name(context: &Context, credentials: &TwilioCredentials) -> Result<String, ApiError> {
    let answer = ask(context, lookup::account_request(&context.twilio_api_url, credentials)).await?;
    lookup::account_name(&answer).map_err(|unknown| said(unknown, "accountSid"))
}

async fn ask(context: &Context, request: Option<CarrierRequest>) -> Result<CarrierResponse, ApiError> {
    let request = request.ok_or_else(|| ApiError::field("authToken", "holds what no header can"))?;
    context.carrier.send(request).await.map_err(|_| said(Unknown::Silent, "accountSid"))
}

/// `sid`: the field that names what was asked about.
fn said(unknown: Unknown, sid: &str) -> ApiError {
    match unknown {
        Unknown::Denied => ApiError::field("authToken", "is not what Twilio knows for accountSid"),
        Unknown::Missing => ApiError::field(sid, "names nothing at Twilio"),
        Unknown::Silent => {
            ApiError::new(ErrorCode::ServiceUnavailable, "Twilio did not answer; nothing was done, try again")
        }
    }
}
