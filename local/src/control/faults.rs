//! Trouble on demand. A rule says which target fails, how, how often; whoever plays that target asks [`Faults::take`]
//! before it answers. What a fault means for a queue, a table or a function is decided there; [`Fault::answer`] is the
//! meaning for plain HTTP servers (carriers, the webhook receiver).

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use axum::body::Body;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::Response;
use serde::{Deserialize, Serialize};
use shared::model::ChannelType;

/// How long a `timeout` keeps its caller waiting; longer than any timeout that a caller may have.
const SILENCE: Duration = Duration::from_secs(120);

/// One rule, as `POST /_local/faults` takes and `GET /_local/faults` shows it.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Rule {
    /// `carrier:<channel>`, `sink:<name>`, `sqs`, `dynamodb`, `s3`, `secretsmanager` or `function:<name>`.
    pub target: String,
    pub fault: FaultKind,
    /// Share of requests hit, 0 to 1.
    #[serde(default = "always")]
    pub rate: f64,
    /// Requests that are spared first, of those that it would hit.
    #[serde(default, skip_serializing_if = "is_nought")]
    pub after: u64,
    /// Hits left; without it the rule stays until deleted.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub count: Option<u64>,
    /// Seconds, for `status:` and `throttle`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub retry_after: Option<u64>,
    /// Only this AWS operation, such as `SendMessage`; for targets `sqs`, `dynamodb`, `s3` and `secretsmanager`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub operation: Option<String>,
    /// Only what this function asks of AWS; for the same targets.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub caller: Option<String>,
    /// Where in an invocation a `kill` strikes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub when: Option<KillPoint>,
}

impl Rule {
    /// Whether the rule can ever strike: a target that exists and a fault that it can have.
    ///
    /// # Errors
    /// What is wrong with it.
    pub fn check(&self, functions: &[String]) -> Result<(), String> {
        let (kind, name) = self.target.split_once(':').unwrap_or((&self.target, ""));
        let can = match (kind, name.is_empty()) {
            ("carrier", false) if ChannelType::from_name(name).is_some() => !matches!(self.fault, FaultKind::Kill),
            ("sink", false) => !matches!(self.fault, FaultKind::Kill | FaultKind::Duplicate | FaultKind::Cut(_)),
            ("sqs" | "dynamodb" | "s3" | "secretsmanager", true) => {
                !matches!(self.fault, FaultKind::Kill | FaultKind::Cut(_))
            }
            ("function", false) if functions.iter().any(|f| f == name) => {
                matches!(self.fault, FaultKind::Kill | FaultKind::Throttle)
            }
            _ => return Err(format!("there is no target {:?}", self.target)),
        };
        if !can {
            return Err(format!("{} can't have the fault {}", self.target, String::from(self.fault)));
        }
        if !matches!(kind, "sqs" | "dynamodb" | "s3" | "secretsmanager")
            && (self.operation.is_some() || self.caller.is_some())
        {
            return Err("operation and caller are for the targets sqs, dynamodb, s3 and secretsmanager".to_owned());
        }
        if let Some(caller) = self.caller.as_ref().filter(|caller| !functions.contains(caller)) {
            return Err(format!("there is no function {caller:?}"));
        }
        if !(0.0..=1.0).contains(&self.rate) {
            return Err("rate must be between 0 and 1".to_owned());
        }
        Ok(())
    }

    /// Whether it hits a request that it is for.
    fn strikes(&mut self) -> bool {
        if self.after > 0 {
            self.after -= 1;
            return false;
        }
        rand::random::<f64>() < self.rate
    }
}

fn always() -> f64 {
    1.0
}

fn is_nought(number: &u64) -> bool {
    *number == 0
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub enum FaultKind {
    /// Answer with this status instead.
    Status(u16),
    /// Never answer.
    Timeout,
    /// Close the connection without an answer.
    Reset,
    /// Refuse as too many requests, in the target's own way.
    Throttle,
    /// Do it twice.
    Duplicate,
    /// Do it, and close the connection without an answer.
    Lost,
    /// Do it, and close the connection before the last so many bytes of the answer.
    Cut(usize),
    /// SIGKILL the function in mid-invocation.
    Kill,
}

impl TryFrom<String> for FaultKind {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        let unknown = || {
            format!(
                "unknown fault {text:?}: say status:<code>, timeout, reset, throttle, duplicate, lost, cut:<bytes> or kill"
            )
        };
        Ok(match text.as_str() {
            "timeout" => Self::Timeout,
            "reset" => Self::Reset,
            "throttle" => Self::Throttle,
            "duplicate" => Self::Duplicate,
            "lost" => Self::Lost,
            "kill" => Self::Kill,
            other if other.starts_with("cut:") => Self::Cut(other["cut:".len()..].parse().map_err(|_| unknown())?),
            other => {
                let code: u16 = other.strip_prefix("status:").and_then(|c| c.parse().ok()).ok_or_else(unknown)?;
                StatusCode::from_u16(code).map_err(|_| unknown())?;
                Self::Status(code)
            }
        })
    }
}

impl From<FaultKind> for String {
    fn from(kind: FaultKind) -> Self {
        match kind {
            FaultKind::Status(code) => format!("status:{code}"),
            FaultKind::Timeout => "timeout".into(),
            FaultKind::Reset => "reset".into(),
            FaultKind::Throttle => "throttle".into(),
            FaultKind::Duplicate => "duplicate".into(),
            FaultKind::Lost => "lost".into(),
            FaultKind::Cut(bytes) => format!("cut:{bytes}"),
            FaultKind::Kill => "kill".into(),
        }
    }
}

/// The exact moment at which a function is killed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", rename_all_fields = "camelCase", deny_unknown_fields)]
pub enum KillPoint {
    /// It has the event and has done nothing yet.
    #[serde(rename = "start")]
    Start,
    /// It has done everything, and its answer is lost.
    #[serde(rename = "before-response")]
    BeforeResponse,
    /// Its call went through, and it never learns so. `afterCall` is `dynamodb:<Operation>`, `sqs:<Operation>`,
    /// `s3:<Operation>`, `carrier:<channel>` or `sink:<name>`; `n` counts such calls of one invocation from 1.
    #[serde(untagged)]
    AfterCall {
        after_call: String,
        #[serde(default = "first")]
        n: u32,
    },
}

fn first() -> u32 {
    1
}

/// What is to go wrong with one request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fault {
    pub kind: FaultKind,
    /// Seconds.
    pub retry_after: Option<u64>,
    pub when: Option<KillPoint>,
}

/// The rules in force. Cloning gives another handle on the same rules.
#[derive(Clone, Default)]
pub struct Faults {
    rules: Arc<Mutex<Vec<Rule>>>,
}

impl Faults {
    pub fn add(&self, rule: Rule) {
        self.rules().push(rule);
    }

    pub fn list(&self) -> Vec<Rule> {
        self.rules().clone()
    }

    /// Forgets the rules of one target, or all.
    pub fn clear(&self, target: Option<&str>) {
        self.rules().retain(|rule| target.is_some_and(|t| rule.target != t));
    }

    /// The fault that strikes this request, if one does. Uses up one of a rule's `count`.
    pub fn take(&self, target: &str) -> Option<Fault> {
        self.take_where(target, |_| true)
    }

    /// Like [`Faults::take`], for what a caller asks of AWS.
    pub fn take_operation(&self, target: &str, operation: &str, caller: &str) -> Option<Fault> {
        self.take_where(target, |rule| {
            rule.operation.as_deref().is_none_or(|o| o == operation)
                && rule.caller.as_deref().is_none_or(|c| c == caller)
        })
    }

    fn take_where(&self, target: &str, matches: impl Fn(&Rule) -> bool) -> Option<Fault> {
        let mut rules = self.rules();
        let hit = rules.iter_mut().position(|rule| rule.target == target && matches(rule) && rule.strikes())?;
        let rule = &mut rules[hit];
        let fault = Fault { kind: rule.fault, retry_after: rule.retry_after, when: rule.when.clone() };
        if let Some(left) = rule.count.as_mut() {
            *left = left.saturating_sub(1);
            if *left == 0 {
                rules.remove(hit);
            }
        }
        Some(fault)
    }

    fn rules(&self) -> std::sync::MutexGuard<'_, Vec<Rule>> {
        self.rules.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Marks a response that is never to be sent: the server closes the connection instead.
#[derive(Debug, Clone, Copy)]
pub struct Reset;

impl Fault {
    /// The answer of a plain HTTP server that has this fault instead of doing what it was asked; `None` for the faults in
    /// spite of which it is done (`duplicate`, `lost`, `kill`).
    pub async fn answer(&self) -> Option<Response> {
        match self.kind {
            FaultKind::Status(code) => Some(self.refusal(StatusCode::from_u16(code).unwrap_or_default())),
            FaultKind::Throttle => Some(self.refusal(StatusCode::TOO_MANY_REQUESTS)),
            FaultKind::Timeout => {
                tokio::time::sleep(SILENCE).await;
                Some(reset())
            }
            FaultKind::Reset => Some(reset()),
            FaultKind::Duplicate | FaultKind::Lost | FaultKind::Cut(_) | FaultKind::Kill => None,
        }
    }

    fn refusal(&self, status: StatusCode) -> Response {
        let mut response = Response::new(Body::empty());
        *response.status_mut() = status;
        if let Some(seconds) = self.retry_after {
            response.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from(seconds));
        }
        response
    }
}

/// A response that closes the connection without an answer.
pub fn reset() -> Response {
    let mut response = Response::new(Body::empty());
    response.extensions_mut().insert(Reset);
    response
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn rule(value: serde_json::Value) -> Rule {
        serde_json::from_value(value).expect("a rule")
    }

    #[test]
    fn a_counted_fault_strikes_that_often_and_then_is_gone() {
        let faults = Faults::default();
        faults.add(rule(json!({"target": "carrier:twilio", "fault": "status:503", "count": 2, "retryAfter": 7})));
        let struck = faults.take("carrier:twilio").expect("first");
        assert_eq!((struck.kind, struck.retry_after), (FaultKind::Status(503), Some(7)));
        assert!(faults.take("carrier:messagebird").is_none());
        assert!(faults.take("carrier:twilio").is_some());
        assert!(faults.take("carrier:twilio").is_none());
        assert!(faults.list().is_empty());
    }

    #[test]
    fn a_fault_for_one_operation_leaves_the_others_alone() {
        let faults = Faults::default();
        faults.add(rule(json!({"target": "sqs", "fault": "throttle", "operation": "SendMessage"})));
        assert!(faults.take_operation("sqs", "DeleteMessage", "api").is_none());
        assert!(faults.take_operation("sqs", "SendMessage", "api").is_some());
    }

    #[test]
    fn a_fault_for_a_callers_third_request_spares_two_and_everybody_elses() {
        let faults = Faults::default();
        let third = json!({"target": "dynamodb", "fault": "lost", "caller": "users", "after": 2, "count": 1});
        faults.add(rule(third));
        let take = |caller| faults.take_operation("dynamodb", "GetItem", caller).map(|fault| fault.kind);
        assert_eq!([take("users"), take("apps"), take("users")], [None, None, None]);
        assert_eq!([take("apps"), take("users"), take("users")], [None, Some(FaultKind::Lost), None]);
    }

    #[test]
    fn a_rate_of_zero_never_strikes() {
        let faults = Faults::default();
        faults.add(rule(json!({"target": "sqs", "fault": "reset", "rate": 0.0})));
        assert!((0..100).all(|_| faults.take("sqs").is_none()));
    }

    #[test]
    fn kill_points_are_read_as_documented() {
        let when = |value| rule(json!({"target": "function:x", "fault": "kill", "when": value})).when;
        assert_eq!(when(json!("start")), Some(KillPoint::Start));
        assert_eq!(when(json!("before-response")), Some(KillPoint::BeforeResponse));
        assert_eq!(
            when(json!({"afterCall": "dynamodb:UpdateItem", "n": 2})),
            Some(KillPoint::AfterCall { after_call: "dynamodb:UpdateItem".into(), n: 2 })
        );
    }

    #[test]
    fn rules_that_can_never_strike_are_refused() {
        let check = |value| rule(value).check(&["deliver".to_owned()]);
        assert_eq!(check(json!({"target": "function:deliver", "fault": "kill"})), Ok(()));
        assert!(check(json!({"target": "function:gone", "fault": "kill"})).is_err());
        assert!(check(json!({"target": "sink:demo", "fault": "kill"})).is_err());
        assert!(check(json!({"target": "sqs:x", "fault": "reset"})).is_err());
        assert!(check(json!({"target": "function:deliver", "fault": "lost"})).is_err());
        assert_eq!(check(json!({"target": "sink:demo", "fault": "lost", "after": 1})), Ok(()));
        assert_eq!(check(json!({"target": "s3", "fault": "lost", "caller": "deliver"})), Ok(()));
        assert!(check(json!({"target": "s3", "fault": "lost", "caller": "gone"})).is_err());
        assert!(check(json!({"target": "carrier:twilio", "fault": "lost", "caller": "deliver"})).is_err());
        assert!(check(json!({"target": "carrier:pigeon", "fault": "lost"})).is_err());
        assert!(check(json!({"target": "sink:demo", "fault": "reset", "operation": "PutItem"})).is_err());
        assert!(check(json!({"target": "sqs", "fault": "reset", "rate": 2.0})).is_err());
    }

    #[test]
    fn unknown_faults_are_refused() {
        for bad in ["explode", "cut:", "cut:-1", "status:", "status:99", "status:abc"] {
            let value = json!({"target": "sqs", "fault": bad});
            assert!(serde_json::from_value::<Rule>(value).is_err(), "{bad}");
        }
    }
}
