//! One process of one function: its start and environment, the invocation it works on, its output, and its end. When
//! a process dies, whatever it was doing has failed.

use std::process::Stdio;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};
use std::time::{Duration, Instant};

use axum::body::Bytes;
use serde_json::{Value, json};
use tokio::io::{AsyncBufReadExt, AsyncRead, BufReader};
use tokio::process::{Child, Command};
use tokio::sync::{Notify, mpsc, oneshot, watch};
use uuid::Uuid;

use super::{Program, Runtime, usage};
use crate::aws::s3;
use crate::clock::now_ms;
use crate::control::faults::KillPoint;
use crate::control::ledger::Ledger;
use crate::control::logs::Logs;
use crate::lambda::template::{REGION, function_arn};

/// Variables of the engine's own environment that its functions may see.
const INHERITED: [&str; 7] =
    ["PATH", "HOME", "TMPDIR", "LLVM_PROFILE_FILE", "RUST_BACKTRACE", "SSL_CERT_FILE", "SSL_CERT_DIR"];

/// Why a function gave no answer.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum FunctionError {
    #[error("there is no function {0}")]
    Unknown(String),
    #[error("its process can't be started: {0}")]
    NotStarted(String),
    #[error("its start failed: {0}")]
    Init(Value),
    /// What the function itself reported: `errorMessage`, `errorType`.
    #[error("the invocation failed: {0}")]
    Handler(Value),
    #[error("timed out after {} s while {while_doing}", after.as_secs())]
    TimedOut { while_doing: &'static str, after: Duration },
    #[error("the process ended {0}")]
    Exited(String),
    #[error("the invocation was throttled")]
    Throttled,
    #[error("the engine is stopping")]
    Stopped,
}

impl FunctionError {
    /// The error as Lambda gives it to who invoked the function.
    pub fn to_json(&self) -> Value {
        match self {
            Self::Handler(error) | Self::Init(error) => error.clone(),
            Self::TimedOut { .. } => json!({ "errorType": "Sandbox.Timedout", "errorMessage": self.to_string() }),
            Self::Exited(_) => json!({ "errorType": "Runtime.ExitError", "errorMessage": self.to_string() }),
            _ => json!({ "errorType": "Local.Engine", "errorMessage": self.to_string() }),
        }
    }
}

type Reply = oneshot::Sender<Result<Bytes, FunctionError>>;

/// An invocation on its way to a process.
pub struct Job {
    pub request_id: String,
    pub event: Bytes,
    pub limit: Duration,
    plan: Option<KillPoint>,
    taken: oneshot::Sender<()>,
    reply: Reply,
}

impl Job {
    pub fn new(
        event: Bytes,
        limit: Duration,
        plan: Option<KillPoint>,
        taken: oneshot::Sender<()>,
        reply: Reply,
    ) -> Self {
        Self { request_id: Uuid::new_v4().to_string(), event, limit, plan, taken, reply }
    }
}

/// The invocation that a process works on.
struct Current {
    request_id: String,
    plan: Option<KillPoint>,
    calls: u32,
    reply: Reply,
}

/// What the Runtime API is to answer a poll for work with.
pub struct Handover {
    pub request_id: String,
    pub event: Bytes,
    pub deadline_ms: i64,
}

pub struct Worker {
    id: String,
    function: String,
    pid: Option<u32>,
    started: Instant,
    polled: AtomicBool,
    inbox_sender: mpsc::Sender<Job>,
    inbox: tokio::sync::Mutex<mpsc::Receiver<Job>>,
    current: Mutex<Option<Current>>,
    init_error: OnceLock<Value>,
    to_kill: Notify,
    alive: watch::Sender<bool>,
    accounted_cpu_ms: AtomicU64,
}

impl Worker {
    pub fn start(id: String, program: &Program, runtime: &Runtime) -> Result<Arc<Self>, FunctionError> {
        let child = command(&id, program, &runtime.inner.base_url)
            .spawn()
            .map_err(|e| FunctionError::NotStarted(format!("{}: {e}", program.binary.display())))?;
        let (inbox_sender, inbox) = mpsc::channel(1);
        let worker = Arc::new(Self {
            id,
            function: program.function.name.clone(),
            pid: child.id(),
            started: Instant::now(),
            polled: AtomicBool::new(false),
            inbox_sender,
            inbox: tokio::sync::Mutex::new(inbox),
            current: Mutex::new(None),
            init_error: OnceLock::new(),
            to_kill: Notify::new(),
            alive: watch::channel(true).0,
            accounted_cpu_ms: AtomicU64::new(0),
        });
        tokio::spawn(supervise(Arc::clone(&worker), child, runtime.clone()));
        Ok(worker)
    }

    pub fn id(&self) -> &str {
        &self.id
    }

    pub fn function(&self) -> &str {
        &self.function
    }

    pub fn is_alive(&self) -> bool {
        *self.alive.borrow()
    }

    /// Ends the process, soon and without asking it.
    pub fn kill(&self) {
        self.alive.send_replace(false);
        self.to_kill.notify_one();
    }

    /// Waits until the process is no more.
    pub async fn gone(&self) {
        self.inbox_sender.closed().await;
    }

    /// Hands over an invocation; false if the process is gone.
    pub fn give(&self, job: Job) -> bool {
        self.inbox_sender.try_send(job).is_ok()
    }

    /// Work for the process, once there is some; `None` if it is to die instead.
    pub async fn next(&self, ledger: &Ledger) -> Option<Handover> {
        if !self.polled.swap(true, Ordering::SeqCst) {
            ledger.cold_start(&self.function, self.started.elapsed());
        }
        let mut alive = self.alive.subscribe();
        let job = {
            let mut inbox = self.inbox.lock().await;
            tokio::select! {
                job = inbox.recv() => job?,
                _ = alive.wait_for(|alive| !alive) => return None,
            }
        };
        let handover = Handover {
            request_id: job.request_id.clone(),
            event: job.event,
            deadline_ms: now_ms() + i64::try_from(job.limit.as_millis()).unwrap_or(i64::MAX / 2),
        };
        let dies_now = job.plan == Some(KillPoint::Start);
        // Nobody may be waiting any more; the process works on the event all the same.
        let _ = job.taken.send(());
        *self.current() = Some(Current { request_id: job.request_id, plan: job.plan, calls: 0, reply: job.reply });
        if dies_now {
            self.kill();
        }
        if !self.is_alive() {
            // If its end was already cleaned up behind, nobody else would tell the caller.
            self.fail_after_end();
            return None;
        }
        Some(handover)
    }

    /// Ends the invocation; false if it isn't the current one, or if the process dies instead of answering.
    pub fn finish(&self, request_id: &str, outcome: Result<Bytes, FunctionError>) -> bool {
        let mut current = self.current();
        let Some(invocation) = current.as_ref().filter(|c| c.request_id == request_id) else { return false };
        if invocation.plan == Some(KillPoint::BeforeResponse) {
            drop(current);
            self.kill();
            return false;
        }
        if let Some(invocation) = current.take() {
            // The caller may have given up.
            let _ = invocation.reply.send(outcome);
        }
        true
    }

    /// Fails the invocation of a process that has ended and been cleaned up behind.
    fn fail_after_end(&self) {
        if self.inbox_sender.is_closed()
            && let Some(invocation) = self.current().take()
        {
            let _ = invocation.reply.send(Err(FunctionError::Exited("before it took the event".to_owned())));
        }
    }

    pub fn init_failed(&self, error: Value) {
        let _ = self.init_error.set(error);
    }

    pub fn waits_for(&self, call: &str) -> bool {
        let current = self.current();
        let plan = current.as_ref().and_then(|c| c.plan.as_ref());
        matches!(plan, Some(KillPoint::AfterCall { after_call, .. }) if after_call == call)
    }

    pub fn killed_after(&self, call: &str) -> bool {
        let mut current = self.current();
        let Some(invocation) = current.as_mut() else { return false };
        let Some(KillPoint::AfterCall { after_call, n }) = &invocation.plan else { return false };
        if after_call != call {
            return false;
        }
        invocation.calls += 1;
        let dies = invocation.calls >= *n;
        drop(current);
        if dies {
            self.kill();
        }
        dies
    }

    pub fn account_usage(&self, ledger: &Ledger) {
        let Some(usage) = self.pid.and_then(usage::of) else { return };
        let before = self.accounted_cpu_ms.swap(usage.cpu_ms, Ordering::SeqCst);
        ledger.usage(&self.function, usage.cpu_ms.saturating_sub(before), usage.resident_kb);
    }

    fn current(&self) -> std::sync::MutexGuard<'_, Option<Current>> {
        self.current.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn command(id: &str, program: &Program, base_url: &str) -> Command {
    let function = &program.function;
    let mut command = Command::new(&program.binary);
    command.env_clear().stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped()).kill_on_drop(true);
    // A group of its own, so that Ctrl-C reaches only the engine, which ends its functions in order.
    #[cfg(unix)]
    command.process_group(0);
    command.envs(INHERITED.iter().filter_map(|name| Some((*name, std::env::var_os(name)?))));
    let (endpoint, s3_endpoint) = (format!("{base_url}/_aws/{id}"), s3::endpoint(base_url, id));
    let memory = function.memory_mb.to_string();
    command.envs([
        ("AWS_LAMBDA_RUNTIME_API", format!("{base_url}/_lambda/{id}").as_str()),
        ("AWS_LAMBDA_FUNCTION_NAME", function.logical_id.as_str()),
        ("AWS_LAMBDA_FUNCTION_VERSION", "$LATEST"),
        ("AWS_LAMBDA_FUNCTION_MEMORY_SIZE", memory.as_str()),
        ("AWS_LAMBDA_LOG_GROUP_NAME", "local"),
        ("AWS_LAMBDA_LOG_STREAM_NAME", id),
        ("AWS_LAMBDA_LOG_FORMAT", "JSON"),
        ("AWS_LAMBDA_LOG_LEVEL", function.log_level.as_str()),
        ("AWS_LAMBDA_INITIALIZATION_TYPE", "on-demand"),
        ("_HANDLER", "bootstrap"),
        ("TZ", ":UTC"),
        ("AWS_REGION", REGION),
        ("AWS_DEFAULT_REGION", REGION),
        ("AWS_ACCESS_KEY_ID", "local"),
        ("AWS_SECRET_ACCESS_KEY", "local"),
        ("AWS_ENDPOINT_URL_DYNAMODB", endpoint.as_str()),
        ("AWS_ENDPOINT_URL_SQS", endpoint.as_str()),
        ("AWS_ENDPOINT_URL_SECRETS_MANAGER", endpoint.as_str()),
        ("AWS_ENDPOINT_URL_S3", s3_endpoint.as_str()),
    ]);
    if let Some(folder) = program.binary.parent() {
        command.env("LAMBDA_TASK_ROOT", folder);
    }
    command.envs(&program.environment);
    command
}

/// What `Lambda-Runtime-Invoked-Function-Arn` says.
pub fn arn(program: &Program) -> String {
    function_arn(&program.function.logical_id)
}

async fn supervise(worker: Arc<Worker>, mut child: Child, runtime: Runtime) {
    let logs = &runtime.inner.logs;
    let output = [
        child.stdout.take().map(|out| tokio::spawn(copy_lines(out, worker.function.clone(), logs.clone()))),
        child.stderr.take().map(|err| tokio::spawn(copy_lines(err, worker.function.clone(), logs.clone()))),
    ];
    let status = tokio::select! {
        status = child.wait() => status,
        () = worker.to_kill.notified() => {
            worker.account_usage(&runtime.inner.ledger);
            // Fails only when it has just ended by itself.
            let _ = child.start_kill();
            child.wait().await
        }
    };
    worker.alive.send_replace(false);
    for copy in output.into_iter().flatten() {
        // What it said last comes before the word of its end.
        let _ = copy.await;
    }
    runtime.workers().remove(&worker.id);
    let how = status.map_or_else(|e| e.to_string(), |status| format!("with {status}"));
    let error = match worker.init_error.get() {
        Some(error) => FunctionError::Init(error.clone()),
        None => FunctionError::Exited(how),
    };
    let mut inbox = worker.inbox.lock().await;
    inbox.close();
    while let Ok(job) = inbox.try_recv() {
        let _ = job.taken.send(());
        let _ = job.reply.send(Err(error.clone()));
    }
    if let Some(invocation) = worker.current().take() {
        let _ = invocation.reply.send(Err(error));
    }
}

async fn copy_lines(output: impl AsyncRead + Unpin, function: String, logs: Logs) {
    let mut lines = BufReader::new(output).lines();
    // A line that isn't UTF-8 ends the copy; a function's log is text.
    while let Ok(Some(line)) = lines.next_line().await {
        logs.line(&function, &line);
    }
}
