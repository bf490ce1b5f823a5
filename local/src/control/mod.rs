//! The control API under `/_local`: what people, tests and the console see and set of the engine. Everything here is
//! about this machine; nothing of it exists in the cloud.

pub mod activity;
pub mod faults;
pub mod feed;
pub mod ledger;
pub mod logs;
mod watch;

use std::collections::BTreeMap;
use std::time::Duration;

use axum::body::Bytes;
use axum::extract::{DefaultBodyLimit, Path, Query, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use axum::{Json, Router};
use serde::Deserialize;
use serde_json::{Value, json};
use tokio::time::timeout;

use crate::aws::queues::{QueueState, Queues, SqsError};
use crate::aws::streams::Streams;
use crate::control::activity::Activity;
use crate::control::faults::{FaultKind, Faults, Rule, reset};
use crate::control::feed::Feed;
use crate::control::ledger::Ledger;
use crate::control::logs::Logs;
use crate::lambda::runtime::{FunctionError, Program, Runtime};
use crate::outside::sink::{Script, Sinks};

/// Dead letters shown of each queue.
const DEAD_LETTERS: usize = 50;

/// Webhook bodies and events beyond this are refused.
const MAX_BODY: usize = 10 << 20;

/// Something outside that knows whether work is still to come, such as a carrier with a receipt under way.
pub type Pending = std::sync::Arc<dyn Fn() -> usize + Send + Sync>;

#[derive(Clone)]
pub struct Control {
    pub queues: Queues,
    pub runtime: Runtime,
    pub streams: Streams,
    pub faults: Faults,
    pub ledger: Ledger,
    pub logs: Logs,
    pub sinks: Sinks,
    pub feed: Feed,
    pub activity: Activity,
    pub carriers_pending: Pending,
}

/// To be mounted at `/_local`.
pub fn router(control: Control) -> Router {
    Router::new()
        .route("/sink/{name}", post(deliver).put(script))
        .route("/webhooks", get(webhooks).delete(clear_webhooks))
        .route("/faults", get(faults).post(add_fault).delete(clear_faults))
        .route("/calls", get(calls).delete(reset_calls))
        .route("/queues", get(queues))
        .route("/wake", post(wake))
        .route("/redrive/{queue}", post(redrive))
        .route("/pollers", post(pause))
        .route("/fairness", post(play_fair))
        .route("/idle", get(idle))
        .route("/invoke/{function}", post(invoke))
        .route("/environment/{function}", get(environment))
        .route("/logs", get(logs))
        .route("/events", get(watch::events))
        .layer(DefaultBodyLimit::max(MAX_BODY))
        .with_state(control)
}

// ---------------------------------------------------------------- webhooks

async fn deliver(
    State(control): State<Control>,
    Path(name): Path<String>,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    let target = format!("sink:{name}");
    let fault = control.faults.take(&target);
    let lost = fault.as_ref().is_some_and(|fault| fault.kind == FaultKind::Lost);
    if let Some(fault) = fault
        && let Some(response) = fault.answer().await
    {
        return response;
    }
    let response = control.sinks.deliver(&name, &headers, &body).await;
    if control.runtime.someone_killed_after(&target) || lost { reset() } else { response }
}

async fn script(State(control): State<Control>, Path(name): Path<String>, body: Bytes) -> Response {
    let script: Result<Script, String> = serde_json::from_slice(&body).map_err(|e| e.to_string());
    match script.and_then(|script| script.check().map(|()| script)) {
        Ok(script) => {
            control.sinks.script(&name, script.clone());
            Json(script).into_response()
        }
        Err(problem) => bad_request(&problem),
    }
}

#[derive(Deserialize)]
struct Which {
    sink: Option<String>,
    function: Option<String>,
    target: Option<String>,
}

async fn webhooks(State(control): State<Control>, Query(which): Query<Which>) -> Json<Value> {
    Json(control.sinks.show(which.sink.as_deref()))
}

async fn clear_webhooks(State(control): State<Control>) -> StatusCode {
    control.sinks.clear();
    StatusCode::NO_CONTENT
}

// ---------------------------------------------------------------- faults and counts

async fn faults(State(control): State<Control>) -> Json<Value> {
    Json(json!({ "faults": control.faults.list() }))
}

async fn add_fault(State(control): State<Control>, body: Bytes) -> Response {
    let rule: Rule = match serde_json::from_slice(&body) {
        Ok(rule) => rule,
        Err(e) => return bad_request(&e.to_string()),
    };
    let functions: Vec<String> = control.runtime.functions().map(|p| p.function.name.clone()).collect();
    if let Err(problem) = rule.check(&functions) {
        return bad_request(&problem);
    }
    control.faults.add(rule.clone());
    (StatusCode::CREATED, Json(rule)).into_response()
}

async fn clear_faults(State(control): State<Control>, Query(which): Query<Which>) -> StatusCode {
    control.faults.clear(which.target.as_deref());
    StatusCode::NO_CONTENT
}

/// Counts since the last reset; see [`crate::control::ledger::Accounts`].
async fn calls(State(control): State<Control>) -> Json<Value> {
    control.runtime.account_usage();
    let mut accounts = control.ledger.snapshot();
    for program in control.runtime.functions() {
        accounts.functions.entry(program.function.name.clone()).or_default().memory_mb = program.function.memory_mb;
    }
    Json(json!(accounts))
}

async fn reset_calls(State(control): State<Control>) -> StatusCode {
    control.runtime.account_usage();
    control.ledger.reset();
    StatusCode::NO_CONTENT
}

// ---------------------------------------------------------------- queues

async fn queues(State(control): State<Control>) -> Result<Json<Value>, Failed> {
    let mut shown = Vec::new();
    for QueueState { name, counts, is_dead_letter } in control.queues.states().await? {
        let mut queue = json!({
            "name": name,
            "visible": counts.visible,
            "inFlight": counts.in_flight,
            "delayed": counts.delayed,
        });
        if is_dead_letter {
            let letters = control.queues.peek(&name, DEAD_LETTERS).await?;
            let letter = |m: &crate::aws::queues::Received| {
                json!({
                    "messageId": m.message_id,
                    "from": m.source,
                    "receiveCount": m.receive_count,
                    "sentAt": m.sent_at,
                    "body": m.body,
                    "attributes": m.attributes.as_deref().and_then(|a| serde_json::from_str::<Value>(a).ok()),
                })
            };
            queue["deadLetters"] = letters.iter().map(letter).collect();
        }
        shown.push(queue);
    }
    Ok(Json(json!({ "queues": shown })))
}

async fn wake(State(control): State<Control>) -> Result<Json<Value>, Failed> {
    Ok(Json(json!({ "woken": control.queues.wake().await? })))
}

async fn redrive(State(control): State<Control>, Path(queue): Path<String>) -> Result<Json<Value>, Failed> {
    Ok(Json(json!({ "moved": control.queues.redrive(&queue).await? })))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Pause {
    paused: bool,
}

async fn pause(State(control): State<Control>, body: Bytes) -> Response {
    match serde_json::from_slice(&body) {
        Ok(Pause { paused }) => {
            control.queues.pause_pollers(paused);
            Json(json!({ "paused": paused })).into_response()
        }
        Err(e) => bad_request(&e.to_string()),
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Fairness {
    on: bool,
}

async fn play_fair(State(control): State<Control>, body: Bytes) -> Response {
    match serde_json::from_slice(&body) {
        Ok(Fairness { on }) => {
            control.queues.play_fair(on);
            Json(json!({ "on": on })).into_response()
        }
        Err(e) => bad_request(&e.to_string()),
    }
}

#[derive(Deserialize)]
struct Patience {
    timeout: Option<f64>,
    /// Whether what is delayed or hidden is waited for.
    delays: Option<bool>,
}

#[derive(PartialEq, Eq)]
enum Rest {
    None,
    /// Nothing happens until a message's time has come.
    Asleep,
    Idle,
}

/// 200 once nothing is left to do, 408 with what is still pending when that takes too long.
async fn idle(State(control): State<Control>, Query(patience): Query<Patience>) -> Result<Response, Failed> {
    let limit = Duration::try_from_secs_f64(patience.timeout.unwrap_or(30.0).clamp(0.0, 600.0)).unwrap_or_default();
    let waits_for_delays = patience.delays.unwrap_or(true);
    let mut changes = control.activity.listen();
    let settled = timeout(limit, async {
        loop {
            changes.borrow_and_update();
            if control.is_idle().await? {
                return Ok::<_, SqsError>(Rest::Idle);
            }
            if !waits_for_delays && control.is_asleep().await? {
                return Ok(Rest::Asleep);
            }
            // Cannot fail: the sender lives as long as this.
            let _ = changes.changed().await;
        }
    });
    let rest = settled.await.unwrap_or(Ok(Rest::None))?;
    if rest == Rest::Idle {
        return Ok(Json(json!({ "idle": true })).into_response());
    }
    let mut pending = control.pending().await?;
    pending["asleep"] = json!(rest == Rest::Asleep);
    Ok((StatusCode::REQUEST_TIMEOUT, Json(pending)).into_response())
}

impl Control {
    // In this order, both: work moves from carriers to functions to queues, and must not slip past.
    async fn is_idle(&self) -> Result<bool, SqsError> {
        Ok(self.is_quiet() && self.queues.are_empty().await? && self.is_quiet())
    }

    async fn is_asleep(&self) -> Result<bool, SqsError> {
        Ok(self.is_quiet() && self.queues.are_asleep().await? && self.is_quiet())
    }

    fn is_quiet(&self) -> bool {
        (self.carriers_pending)() == 0 && self.runtime.busy().is_empty() && self.streams.pending() == 0
    }

    async fn pending(&self) -> Result<Value, SqsError> {
        let mut queues: BTreeMap<String, Value> = BTreeMap::new();
        for state in self.queues.states().await? {
            let counts = state.counts;
            if !state.is_dead_letter && counts.visible + counts.in_flight + counts.delayed > 0 {
                queues.insert(state.name, json!(counts));
            }
        }
        let carriers = (self.carriers_pending)();
        Ok(json!({ "idle": false, "queues": queues, "functions": self.runtime.busy(), "carriers": carriers }))
    }
}

// ---------------------------------------------------------------- functions

/// Takes `{"event": …}` or the event itself; answers with what the function answered.
async fn invoke(State(control): State<Control>, Path(function): Path<String>, body: Bytes) -> Response {
    let Ok(body) = serde_json::from_slice::<Value>(&body) else { return bad_request("the event must be JSON") };
    let event = match body.as_object() {
        Some(object) if object.len() == 1 => object.get("event").cloned().unwrap_or(body),
        _ => body,
    };
    let name = control.program(&function).map_or(function.as_str(), |program| program.function.name.as_str());
    match control.runtime.invoke(name, Bytes::from(event.to_string())).await {
        Ok(answer) => ([("content-type", "application/json")], answer).into_response(),
        Err(FunctionError::Unknown(_)) => control.unknown_function(&function),
        // As the service does: the function's error is the answer, and a header says that it is one.
        Err(error) => ([("x-amz-function-error", "Unhandled")], Json(error.to_json())).into_response(),
    }
}

/// A function's environment as the template gives it, for whoever runs the function elsewhere.
async fn environment(State(control): State<Control>, Path(function): Path<String>) -> Response {
    match control.program(&function) {
        Some(program) => Json(&program.environment).into_response(),
        None => control.unknown_function(&function),
    }
}

/// `{"logs": [...]}`, each entry on a line of its own, so that line tools find entries and not everything.
async fn logs(State(control): State<Control>, Query(which): Query<Which>) -> Response {
    let function = match &which.function {
        None => None,
        Some(wanted) => match control.program(wanted) {
            Some(program) => Some(program.function.name.as_str()),
            None => return control.unknown_function(wanted),
        },
    };
    let lines: Vec<String> = control.logs.recent(function).iter().map(|line| json!(line).to_string()).collect();
    let body = format!("{{\"logs\": [\n{}\n]}}\n", lines.join(",\n"));
    ([("content-type", "application/json")], body).into_response()
}

impl Control {
    /// By the name that the engine and its paths go by, or by the template's, which a function's own lines show.
    fn program(&self, name: &str) -> Option<&Program> {
        let is_meant = |program: &&Program| program.function.name == name || program.function.logical_id == name;
        self.runtime.functions().find(is_meant)
    }

    fn unknown_function(&self, name: &str) -> Response {
        let known: Vec<_> = self.runtime.functions().map(|program| program.function.name.as_str()).collect();
        let problem = format!("there is no function {name}; there are {}", known.join(", "));
        (StatusCode::NOT_FOUND, Json(json!({ "error": problem }))).into_response()
    }
}

// ---------------------------------------------------------------- refusals

struct Failed(SqsError);

impl From<SqsError> for Failed {
    fn from(error: SqsError) -> Self {
        Self(error)
    }
}

impl IntoResponse for Failed {
    fn into_response(self) -> Response {
        let status = if self.0.is_senders_fault() { StatusCode::NOT_FOUND } else { StatusCode::INTERNAL_SERVER_ERROR };
        (status, Json(json!({ "error": self.0.message }))).into_response()
    }
}

fn bad_request(problem: &str) -> Response {
    (StatusCode::BAD_REQUEST, Json(json!({ "error": problem }))).into_response()
}
