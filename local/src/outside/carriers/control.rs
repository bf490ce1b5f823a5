//! `/_local`: what people and tests ask of the simulated carriers.

use axum::body::Bytes;
use axum::extract::{Query, State as Shared};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use axum::{Json, Router};
use serde::Deserialize;
use serde_json::{Map, Value, json};
use shared::ids::{AppId, IntegrationId};
use shared::model::ChannelType;

use super::addresses::Row;
use super::callbacks::Written;
use super::message::Step;
use super::{CARRIERS, State};

pub fn router(state: State) -> Router {
    Router::new()
        .route("/outbox", get(outbox))
        .route("/reply", post(reply))
        .route("/receipt", post(receipt))
        .route("/addresses", get(table))
        .route("/sign", post(sign))
        .with_state(state)
}

/// A request that can't be carried out: status and sentence, as `{"error"}`.
struct Refused(StatusCode, String);

impl IntoResponse for Refused {
    fn into_response(self) -> Response {
        (self.0, Json(json!({ "error": self.1 }))).into_response()
    }
}

fn read<'a, T: Deserialize<'a>>(body: &'a [u8]) -> Result<T, Refused> {
    serde_json::from_slice(body).map_err(|error| Refused(StatusCode::BAD_REQUEST, error.to_string()))
}

// ---------------------------------------------------------------- outbox

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Filter {
    /// With or without `+`, as the carrier has it or as people write it.
    to: Option<String>,
    channel: Option<ChannelType>,
    integration_id: Option<IntegrationId>,
}

/// `{"messages":[…]}`, oldest first.
async fn outbox(Shared(state): Shared<State>, Query(filter): Query<Filter>) -> Json<Value> {
    // In a query an unescaped `+` is a blank.
    let digits = |number: &str| number.trim().trim_start_matches('+').to_owned();
    let to = filter.to.as_deref().map(digits);
    let messages = state.0.accepted.select(|message| {
        to.as_ref().is_none_or(|to| digits(&message.to) == *to)
            && filter.channel.is_none_or(|channel| message.channel == channel)
            && filter.integration_id.is_none_or(|id| message.integration_id == id)
    });
    Json(json!({ "messages": messages }))
}

// ---------------------------------------------------------------- replies

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct ReplyRequest {
    integration_id: IntegrationId,
    /// Spares the search for an integration that was made by the API and has sent nothing yet.
    app_id: Option<AppId>,
    from: String,
    text: Option<String>,
    message: Option<ReplyMessage>,
    /// The carrier's id of the message; give the same one again to repeat a callback.
    external_id: Option<String>,
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct ReplyMessage {
    text: Option<String>,
    media_url: Option<String>,
    media_urls: Vec<String>,
    /// Of all media; `image/jpeg` without.
    media_type: Option<String>,
}

/// Answers with the product's own status, and `{"externalId","status","body"}`.
async fn reply(Shared(state): Shared<State>, body: Bytes) -> Result<Response, Refused> {
    let request: ReplyRequest = read(&body)?;
    if let Some(app) = request.app_id {
        state.meet(app, request.integration_id).await;
    }
    let account = state.account(request.integration_id).await;
    let account = account.ok_or_else(|| Refused(StatusCode::NOT_FOUND, "no such integration".into()))?;
    let message = request.message.unwrap_or_default();
    let media_type = message.media_type.unwrap_or_else(|| "image/jpeg".into());
    let media_urls = message.media_url.into_iter().chain(message.media_urls);
    let written = Written {
        from: request.from,
        text: request.text.or(message.text).unwrap_or_default(),
        media: media_urls.map(|url| (url, media_type.clone())).collect(),
    };
    let external_id = request.external_id.unwrap_or_else(|| account.carrier.new_id(&written));
    let way = account.carrier.way(&state, &account).ok_or_else(|| {
        let problem = "the number has no URL for incoming messages, or gives them to an app; an integration that the API \
                       makes sets the URL";
        Refused(StatusCode::CONFLICT, problem.into())
    })?;
    let answer = state.0.callbacks.reply(&account, &way, &external_id, &written).await;
    let answer = answer.ok_or_else(|| Refused(StatusCode::BAD_GATEWAY, "the callbacks cannot be reached".into()))?;
    state.0.feed.publish(
        "reply",
        json!({
            "externalId": external_id, "integrationId": request.integration_id, "appId": account.app_id,
            "channel": account.channel(), "from": written.from, "text": written.text,
            "mediaUrls": written.media.iter().map(|(url, _)| url).collect::<Vec<_>>(), "answered": answer.status,
        }),
    );
    let status = StatusCode::from_u16(answer.status).unwrap_or(StatusCode::BAD_GATEWAY);
    let body = json!({"externalId": external_id, "status": answer.status, "body": answer.body});
    Ok((status, Json(body)).into_response())
}

// ---------------------------------------------------------------- receipts

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct ReceiptRequest {
    external_id: String,
    /// The carrier's word, whatever it is.
    status: String,
    error_code: Option<u32>,
}

/// Answers with the product's own status.
async fn receipt(Shared(state): Shared<State>, body: Bytes) -> Result<Response, Refused> {
    let request: ReceiptRequest = read(&body)?;
    let message = state.0.accepted.find(&request.external_id);
    let message = message.ok_or_else(|| Refused(StatusCode::NOT_FOUND, "no such message in the outbox".into()))?;
    if message.callback_path.is_none() {
        return Err(Refused(StatusCode::CONFLICT, "the message was sent without a callback URL".into()));
    }
    let step = Step { after: 0, status: request.status, error: request.error_code };
    let answered = state.send_receipt(&message, &step).await;
    let answered =
        answered.ok_or_else(|| Refused(StatusCode::BAD_GATEWAY, "the callbacks cannot be reached".into()))?;
    let status = StatusCode::from_u16(answered).unwrap_or(StatusCode::BAD_GATEWAY);
    Ok((status, Json(json!({"externalId": request.external_id, "status": answered}))).into_response())
}

// ---------------------------------------------------------------- signatures

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct SignRequest {
    integration_id: IntegrationId,
    /// The whole URL that the callback will be posted to.
    url: String,
    /// As it will be posted: a form for Twilio.
    #[serde(default)]
    body: String,
}

/// Signs a callback as the integration's carrier would now: `{"signature"}`, for callbacks written by hand.
async fn sign(Shared(state): Shared<State>, body: Bytes) -> Result<Json<Value>, Refused> {
    let request: SignRequest = read(&body)?;
    let account = state.account(request.integration_id).await;
    let account = account.ok_or_else(|| Refused(StatusCode::NOT_FOUND, "no such integration".into()))?;
    let signature = account.carrier.sign(&account, &request.url, &request.body);
    let signature = signature.ok_or_else(|| Refused(StatusCode::CONFLICT, "the account has no signing key".into()))?;
    Ok(Json(json!({ "signature": signature })))
}

/// `{"addresses":[{"endsWith","outcome","what","examples"}],"carriers"}`: each row once, with somebody it is about on
/// every channel that has it.
async fn table() -> Json<Value> {
    let mut rows: Vec<(Row, Map<String, Value>)> = Vec::new();
    for carrier in CARRIERS {
        for row in carrier.addresses() {
            let example = (carrier.channel().to_string(), carrier.somebody(row.ends_with).into());
            match rows.iter_mut().find(|(known, _)| *known == row) {
                Some((_, examples)) => examples.extend([example]),
                None => rows.push((row, Map::from_iter([example]))),
            }
        }
    }
    // What fits all comes last.
    rows.sort_by_key(|(row, _)| (row.ends_with.is_empty(), row.ends_with));
    let addresses = rows.iter().map(|(row, examples)| {
        json!({ "endsWith": row.ends_with, "outcome": row.outcome, "what": row.what, "examples": examples })
    });
    let carriers = CARRIERS.into_iter().map(|carrier| (carrier.channel().to_string(), carrier.name().into()));
    Json(json!({ "addresses": addresses.collect::<Vec<_>>(), "carriers": carriers.collect::<Map<_, Value>>() }))
}
