//! What a cold start costs: from exec to the first poll of the Lambda runtime API, and through a first event, for every
//! function beside a floor, in turns. With it binary sizes and memory.
//!
//! The runtime API and AWS are played in this process: AWS answers at once and knows nothing, so that a first event is
//! what `events/` has, refused or ended for want of its app. No TLS is spoken here.

#[allow(dead_code, reason = "only the tables are used")]
mod stage;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::time::{Duration, Instant};

use axum::Router;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use serde_json::{Value, json};
use stage::process;
use stage::report::{self, Table, median};
use tokio::net::TcpListener;
use tokio::sync::{Mutex, mpsc};

/// Starts of each binary.
const RUNS: usize = 40;
const RATIO_BUDGET: f64 = 1.3;
const SIZE_BUDGET: f64 = 10.0;
/// Of `api`, which holds the API's description and its viewer too.
const API_SIZE_BUDGET: f64 = 12.0;
const MEMORY_BUDGET: f64 = 32.0;
/// Far longer than any start or event takes.
const PATIENCE: Duration = Duration::from_secs(10);

/// A binary with its first event.
struct Candidate {
    name: &'static str,
    event: &'static str,
}

const FLOOR: Candidate = Candidate { name: "floor", event: "notifications/twilio-text.json" };
const FUNCTIONS: [Candidate; 8] = [
    Candidate { name: "notifications", event: "notifications/twilio-text.json" },
    Candidate { name: "send_twilio", event: "send_twilio/text.json" },
    Candidate { name: "send_messagebird", event: "send_messagebird/text.json" },
    Candidate { name: "callbacks", event: "callbacks/twilio-delivered.json" },
    Candidate { name: "receive", event: "receive/twilio-delivered.json" },
    Candidate { name: "deliver", event: "deliver/one.json" },
    Candidate { name: "api", event: "api/apps/list-apps.json" },
    Candidate { name: "upkeep", event: "upkeep/app-still-there.json" },
];

impl Candidate {
    fn binary(&self) -> PathBuf {
        if self.name == FLOOR.name { stage::example(self.name) } else { stage::binaries().join(self.name) }
    }

    /// The event with any value in its placeholders.
    fn event(&self) -> String {
        let text = std::fs::read_to_string(stage::root().join("events").join(self.event)).unwrap();
        let (first, rest) = text.split_once("${").unwrap_or((&text, ""));
        let filled = rest.split("${").map(|part| part.split_once('}').map_or(part.to_owned(), fill));
        std::iter::once(first.to_owned()).chain(filled).collect()
    }
}

/// A placeholder's name and what follows it.
fn fill((name, rest): (&str, &str)) -> String {
    let value = match name {
        "now" => "1790000000.123",
        // `app_0:secret`
        "basicAuth" | "accountBasicAuth" => "YXBwXzA6c2VjcmV0",
        _ => "0123456789abcdef01234567",
    };
    format!("{value}{rest}")
}

/// The runtime API for one process, and an AWS that is empty.
#[derive(Clone)]
struct Host {
    event: Arc<str>,
    news: mpsc::UnboundedSender<(News, Instant)>,
    /// Released once for each event that may be given out.
    go: Arc<Mutex<mpsc::UnboundedReceiver<()>>>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum News {
    Polled,
    Answered,
}

impl Host {
    fn router(self) -> Router {
        Router::new()
            .route("/2018-06-01/runtime/invocation/next", get(next))
            .route("/2018-06-01/runtime/invocation/{request}/response", post(answered))
            .route("/2018-06-01/runtime/invocation/{request}/error", post(failed))
            .route("/", post(aws))
            .with_state(self)
    }
}

async fn next(State(host): State<Host>) -> Response {
    let _ = host.news.send((News::Polled, Instant::now()));
    if host.go.lock().await.recv().await.is_none() {
        return StatusCode::GONE.into_response();
    }
    let headers = [
        ("Lambda-Runtime-Aws-Request-Id", "00000000-0000-4000-8000-000000000000"),
        ("Lambda-Runtime-Deadline-Ms", "4000000000000"),
        ("Lambda-Runtime-Invoked-Function-Arn", "arn:aws:lambda:us-east-1:123456789012:function:bench"),
    ];
    (headers, [(header::CONTENT_TYPE, "application/json")], host.event.to_string()).into_response()
}

async fn answered(State(host): State<Host>, _answer: Bytes) -> StatusCode {
    let _ = host.news.send((News::Answered, Instant::now()));
    StatusCode::ACCEPTED
}

async fn failed(answer: Bytes) -> StatusCode {
    panic!("the function failed: {}", String::from_utf8_lossy(&answer));
}

async fn aws() -> Response {
    ([(header::CONTENT_TYPE, "application/x-amz-json-1.0")], "{}").into_response()
}

/// One start. Milliseconds and megabytes.
#[derive(Debug, Clone, Copy)]
struct Start {
    poll: f64,
    /// Processor time until then.
    poll_cpu: f64,
    resident: f64,
    first_event: f64,
    resident_after_event: f64,
}

async fn start(binary: &Path, event: &str) -> Start {
    let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
    let address = listener.local_addr().unwrap().to_string();
    let (news_sender, mut news) = mpsc::unbounded_channel();
    let (go, gone) = mpsc::unbounded_channel();
    let host = Host { event: event.into(), news: news_sender, go: Arc::new(Mutex::new(gone)) };
    let server = tokio::spawn(async move { axum::serve(listener, host.router()).await });

    let exec = Instant::now();
    let mut child = command(binary, &address).spawn().unwrap();
    let polled = next_news(&mut news, News::Polled).await;
    let (poll_cpu, resident) = (process::cpu_ms_exactly(child.id()), process::resident_mb(child.id()));
    let given = Instant::now();
    go.send(()).unwrap();
    let answered = next_news(&mut news, News::Answered).await;
    let resident_after_event = process::resident_mb(child.id());
    child.kill().unwrap();
    child.wait().unwrap();
    server.abort();
    let milliseconds = |duration: Duration| duration.as_secs_f64() * 1000.0;
    Start {
        poll: milliseconds(polled - exec),
        poll_cpu: poll_cpu.unwrap(),
        resident: resident.unwrap(),
        first_event: milliseconds(answered - given),
        resident_after_event: resident_after_event.unwrap(),
    }
}

async fn next_news(news: &mut mpsc::UnboundedReceiver<(News, Instant)>, wanted: News) -> Instant {
    let (what, at) = tokio::time::timeout(PATIENCE, news.recv()).await.expect("the function is silent").unwrap();
    assert_eq!(what, wanted);
    at
}

fn command(binary: &Path, address: &str) -> Command {
    let mut command = Command::new(binary);
    command.env_clear().stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    let aws = format!("http://{address}/");
    command.envs([
        ("AWS_LAMBDA_RUNTIME_API", address),
        ("AWS_LAMBDA_FUNCTION_NAME", "bench"),
        ("AWS_LAMBDA_FUNCTION_VERSION", "$LATEST"),
        ("AWS_LAMBDA_FUNCTION_MEMORY_SIZE", "256"),
        ("AWS_LAMBDA_LOG_FORMAT", "JSON"),
        ("AWS_LAMBDA_LOG_LEVEL", "INFO"),
        ("AWS_REGION", "us-east-1"),
        ("AWS_ACCESS_KEY_ID", "bench"),
        ("AWS_SECRET_ACCESS_KEY", "bench"),
        ("AWS_ENDPOINT_URL_DYNAMODB", &aws),
        ("AWS_ENDPOINT_URL_SQS", &aws),
        ("AWS_ENDPOINT_URL_S3", &aws),
        ("AWS_ENDPOINT_URL_SECRETS_MANAGER", &aws),
        // What the functions' own settings ask for, taken together.
        ("TABLE_NAME", "bench"),
        ("SEALING_SECRET_ARN", "arn:aws:secretsmanager:us-east-1:123456789012:secret:bench"),
        ("PUBLIC_URL", "http://127.0.0.1"),
        ("CALLBACKS_URL", "http://127.0.0.1"),
        ("CARRIER_API_URL", "http://127.0.0.1"),
        ("MAX_RECEIVES", "10"),
        ("MEDIA_BUCKET", "bench"),
        ("TWILIO_API_URL", "http://127.0.0.1"),
        ("WEBHOOK_PRIVATE_NETWORKS", "allow"),
    ]);
    let queues = ["RECEIVE", "DELIVER", "DELIVER_DEAD_LETTER", "UPKEEP"];
    command.envs(queues.map(|queue| (format!("{queue}_QUEUE_URL"), &aws)));
    command.env("SEND_QUEUE_URL", format!("{aws}/{{channel}}"));
    command
}

async fn bench() {
    let runs = stage::argument("--runs", RUNS);
    let candidates: Vec<&Candidate> = std::iter::once(&FLOOR).chain(&FUNCTIONS).collect();
    let binaries: Vec<PathBuf> = candidates.iter().map(|candidate| candidate.binary()).collect();
    let mut starts: BTreeMap<&str, Vec<Start>> = BTreeMap::new();
    // The first round fills the page cache and doesn't count.
    for round in 0..=runs {
        for (candidate, binary) in candidates.iter().zip(&binaries) {
            let start = start(binary, &candidate.event()).await;
            if round > 0 {
                starts.entry(candidate.name).or_default().push(start);
            }
        }
    }
    let of = |candidate: &Candidate, what: fn(&Start) -> f64| -> Vec<f64> {
        starts[candidate.name].iter().map(what).collect()
    };
    let floor = median(&of(&FLOOR, |start| start.poll));
    let floor_cpu = median(&of(&FLOOR, |start| start.poll_cpu));
    let mut table = Table::new([
        "medians",
        "first poll ms",
        "x floor",
        "budget",
        "",
        "cpu ms",
        "x floor",
        "first event ms",
        "binary MB",
        "MB at poll",
        "MB after event",
    ]);
    let mut results = Vec::new();
    for (candidate, binary) in candidates.into_iter().zip(&binaries) {
        let poll = median(&of(candidate, |start| start.poll));
        let cpu = median(&of(candidate, |start| start.poll_cpu));
        let first_event = median(&of(candidate, |start| start.first_event));
        let resident = median(&of(candidate, |start| start.resident));
        let after_event = median(&of(candidate, |start| start.resident_after_event));
        let size = std::fs::metadata(binary).unwrap().len() as f64 / 1e6;
        let ratio = poll / floor;
        let size_budget = if candidate.name == "api" { API_SIZE_BUDGET } else { SIZE_BUDGET };
        let kept = ratio <= RATIO_BUDGET && size <= size_budget && resident <= MEMORY_BUDGET;
        table.row([
            candidate.name.to_owned(),
            format!("{poll:.2}"),
            format!("{ratio:.2}"),
            format!("{RATIO_BUDGET}"),
            if kept { "kept" } else { "EXCEEDED" }.to_owned(),
            format!("{cpu:.2}"),
            format!("{:.2}", cpu / floor_cpu),
            format!("{first_event:.2}"),
            format!("{size:.1}"),
            format!("{resident:.1}"),
            format!("{after_event:.1}"),
        ]);
        results.push(json!({
            "binary": candidate.name, "firstPollMs": poll, "ratio": ratio, "firstPollCpuMs": cpu,
            "cpuRatio": cpu / floor_cpu, "firstEventMs": first_event, "binaryMb": size, "residentMb": resident,
            "residentAfterEventMb": after_event, "kept": kept,
        }));
    }
    report::say(&format!("{runs} starts of each, in turns"));
    table.print();
    report::say(&format!(
        "budgets: {RATIO_BUDGET} x floor, {SIZE_BUDGET} MB stripped ({API_SIZE_BUDGET} of api), {MEMORY_BUDGET} MB resident"
    ));
    report::save("coldstart", &Value::from(results));
}

fn main() {
    stage::run(bench());
}
