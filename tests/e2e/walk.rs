//! A walk over a flow: once undisturbed, then once for each call of AWS that it makes, whose answer is lost.
//!
//! A run tells what was answered, what the webhook and the carriers got, and how things stand at its end, all without what
//! differs from run to run: ids, addresses, moments. Events are counted without repeats, which their ids tell.

use std::cell::{Cell, RefCell};
use std::collections::BTreeMap;
use std::time::Instant;

use reqwest::Method;
use serde_json::{Value, json};

use crate::world::{Answer, World};

/// Of one operation of one function: beyond it the calls of a loop follow, each like the one before.
const OF_A_KIND: u64 = 8;
/// What Lambda asks of queues on behalf of a function.
const LAMBDAS_OWN: [&str; 2] = ["sqs:ReceiveMessage", "sqs:DeleteMessageBatch"];

/// One run of a flow.
pub struct Run<'a> {
    pub world: &'a World,
    /// No other run of this engine has it.
    pub number: usize,
    fault: Option<Value>,
    sent_before: Cell<usize>,
    ended: RefCell<Ended>,
}

/// What is seen when a run's work is done.
#[derive(Default)]
struct Ended {
    events: Vec<String>,
    sent: Vec<String>,
    calls: BTreeMap<(String, String), u64>,
    struck: bool,
}

impl<'a> Run<'a> {
    fn new(world: &'a World, number: usize, fault: Option<Value>) -> Self {
        Self { world, number, fault, sent_before: Cell::new(0), ended: RefCell::default() }
    }

    /// A number that simulated carriers treat as its last digits say.
    pub fn phone(&self, last_digits: &str) -> String {
        format!("+1555{:0width$}{last_digits}", self.number, width = 7 - last_digits.len())
    }

    pub fn name(&self, of: &str) -> String {
        format!("{of}{}", self.number)
    }

    pub async fn person(&self) -> String {
        let made = self.ask(Method::POST, "appusers", Some(json!({ "userId": self.name("bob") }))).await;
        made.body["appUser"]["_id"].as_str().unwrap().to_owned()
    }

    /// A call of the app's API.
    pub async fn ask(&self, method: Method, path: &str, body: Option<Value>) -> Answer {
        self.world.manage(&self.world.app, method, path, body).await
    }

    /// From here on an answer is lost.
    pub async fn begin(&self) {
        self.quiet().await;
        self.world.local(Method::DELETE, "webhooks", None).await;
        self.world.local(Method::DELETE, "calls", None).await;
        self.sent_before.set(self.world.outbox().await.len());
        if let Some(fault) = &self.fault {
            self.world.fault(fault.clone()).await;
        }
    }

    /// Until nothing is left to do.
    pub async fn quiet(&self) {
        self.world.settle().await;
    }

    /// All is done that followed; what comes now is only looked at.
    pub async fn end(&self) {
        self.quiet().await;
        let left = self.world.local(Method::GET, "faults", None).await;
        self.world.heal().await;
        let sent = self.world.outbox().await.split_off(self.sent_before.get());
        *self.ended.borrow_mut() = Ended {
            events: told(self.world.events().await),
            sent: sorted(sent.iter().map(|sent| stable(&json!([sent["channel"], sent["raw"]])))),
            calls: calls(&self.world.calls().await),
            struck: left.body["faults"] == json!([]),
        };
    }

    pub async fn read(&self, path: &str) -> Value {
        let answer = self.ask(Method::GET, path, None).await;
        json!([answer.status, answer.body])
    }
}

/// Loses one answer after the other.
#[expect(clippy::print_stdout, reason = "how much was walked is worth reading")]
pub async fn walk(
    world: &World,
    name: &str,
    numbers: &mut impl Iterator<Item = usize>,
    flow: impl AsyncFn(&Run<'_>) -> Value,
) {
    let (begun, mut number) = (Instant::now(), || numbers.next().unwrap());
    // Functions start and remember settings.
    flow(&Run::new(world, number(), None)).await;
    let plain = Run::new(world, number(), None);
    let expected = stable(&flow(&plain).await);
    let plain = plain.ended.into_inner();
    let again = Run::new(world, number(), None);
    assert_eq!(stable(&flow(&again).await), expected, "{name} is the same each time");
    let again = again.ended.into_inner();
    assert!(!plain.calls.is_empty(), "{name} asks nothing of AWS");
    let (mut walked, mut struck) = (0, 0);
    for ((caller, call), count) in &plain.calls {
        let (service, operation) = call.split_once(':').unwrap();
        // A call that only one of them made looked for what was late.
        let made_each_time = again.calls.get(&(caller.clone(), call.clone())).copied().unwrap_or(0).min(*count);
        for after in 0..made_each_time.min(OF_A_KIND) {
            let fault = json!({ "target": service, "fault": "lost", "operation": operation, "caller": caller, "after": after, "count": 1 });
            let run = Run::new(world, number(), Some(fault));
            let found = stable(&flow(&run).await);
            let ended = run.ended.into_inner();
            let lost = format!("{name}: the answer to {call} number {} of {caller} is lost", after + 1);
            assert_eq!(found, expected, "{lost}");
            assert_eq!(ended.events, plain.events, "{lost}");
            assert_eq!(ended.sent, plain.sent, "{lost}");
            walked += 1;
            struck += usize::from(ended.struck);
        }
    }
    assert!(struck * 10 >= walked * 7, "{name}: of {walked} answers only {struck} were lost");
    println!("{name}: {struck} answers lost of {walked}, in {:.1} s", begun.elapsed().as_secs_f64());
}

/// What functions asked, by who and what.
fn calls(ledger: &Value) -> BTreeMap<(String, String), u64> {
    let functions = ledger["functions"].as_object().into_iter().flatten();
    let functions = functions.filter(|(_, account)| account["invocations"].as_u64().is_some_and(|count| count > 0));
    let of = |(name, account): (&String, &Value)| {
        let calls = account["calls"].as_object().cloned().unwrap_or_default().into_iter();
        let name = name.clone();
        calls.map(move |(call, count)| ((name.clone(), call), count.as_u64().unwrap_or(0)))
    };
    functions.flat_map(of).filter(|((_, call), _)| !LAMBDAS_OWN.contains(&call.as_str())).collect()
}

/// Each event once.
fn told(events: Vec<Value>) -> Vec<String> {
    let once: BTreeMap<String, Value> =
        events.into_iter().rev().map(|event| (event["eventId"].to_string(), event)).collect();
    sorted(once.values().map(stable))
}

fn sorted(texts: impl Iterator<Item = String>) -> Vec<String> {
    let mut texts: Vec<_> = texts.collect();
    texts.sort();
    texts
}

/// Without what no two runs have in common.
fn stable(value: &Value) -> String {
    fn strip(value: &Value) -> Value {
        match value {
            // Whether a link completed before its match was told is a matter of moments.
            Value::Object(fields) => {
                let fields = fields.iter().filter(|(name, _)| *name != "conversationStarted");
                let fields: BTreeMap<_, _> = fields.map(|(name, value)| (name.clone(), strip(value))).collect();
                json!(fields)
            }
            Value::Array(items) => items.iter().map(strip).collect(),
            Value::String(text) if text.chars().any(|c| c.is_ascii_digit()) => json!("#"),
            Value::Number(number) if number.as_f64().is_some_and(|number| number > 1e6) => json!("#"),
            other => other.clone(),
        }
    }
    strip(value).to_string()
}
