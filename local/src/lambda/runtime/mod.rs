//! Lambda on this machine: real function binaries as child processes, each serving one invocation at a time. Idle
//! processes are kept warm, another is started when all are busy, and one that passes its deadline is killed. This
//! file decides who works; [`worker`] is one process, [`api`] the Runtime API that it polls.

mod api;
mod usage;
mod worker;

use std::collections::{BTreeMap, HashMap};
use std::path::PathBuf;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use axum::body::Bytes;
use tokio::sync::{Semaphore, oneshot};
use tokio::time::timeout;

use crate::control::activity::Activity;
use crate::control::faults::{FaultKind, Faults, KillPoint};
use crate::control::ledger::{Invocation, Ledger};
use crate::control::logs::Logs;
use crate::lambda::template::Function;

pub use api::router;
pub use worker::FunctionError;
use worker::{Job, Worker};

/// Lambda's own limit for a process's start.
const INIT_LIMIT: Duration = Duration::from_secs(10);

/// How long a process may have nothing to do before it is ended, unless it is its function's last.
const IDLE_LIMIT: Duration = Duration::from_secs(60);

/// One function, ready to be run.
#[derive(Debug, Clone)]
pub struct Program {
    pub function: Function,
    pub binary: PathBuf,
    /// What the template says; the rest is added for each process.
    pub environment: BTreeMap<String, String>,
    /// Processes at most.
    pub concurrency: usize,
}

/// All functions of a stack. Cloning gives another handle on the same runtime.
#[derive(Clone)]
pub struct Runtime {
    inner: Arc<Inner>,
}

struct Inner {
    base_url: String,
    pools: BTreeMap<String, Pool>,
    workers: Mutex<HashMap<String, Arc<Worker>>>,
    next_worker: AtomicU64,
    faults: Faults,
    ledger: Ledger,
    logs: Logs,
    activity: Activity,
}

struct Pool {
    program: Program,
    slots: Arc<Semaphore>,
    idle: Mutex<Vec<(Instant, Arc<Worker>)>>,
    /// Invocations running or waiting for a process.
    busy: AtomicUsize,
}

impl Runtime {
    pub fn new(
        base_url: &str,
        programs: Vec<Program>,
        faults: Faults,
        ledger: Ledger,
        logs: Logs,
        activity: Activity,
    ) -> Self {
        let pool = |program: Program| {
            let slots = Arc::new(Semaphore::new(program.concurrency));
            (program.function.name.clone(), Pool { program, slots, idle: Mutex::default(), busy: AtomicUsize::new(0) })
        };
        let inner = Inner {
            base_url: base_url.to_owned(),
            pools: programs.into_iter().map(pool).collect(),
            workers: Mutex::default(),
            next_worker: AtomicU64::new(1),
            faults,
            ledger,
            logs,
            activity,
        };
        Self { inner: Arc::new(inner) }
    }

    pub fn functions(&self) -> impl Iterator<Item = &Program> {
        self.inner.pools.values().map(|pool| &pool.program)
    }

    /// Runs one event through a function, starting a process if none is free. Goes on even if the caller gives up, as
    /// Lambda does.
    ///
    /// # Errors
    /// Whatever keeps the function from answering, its own error included.
    pub async fn invoke(&self, function: &str, event: Bytes) -> Result<Bytes, FunctionError> {
        let Some(pool) = self.inner.pools.get(function) else {
            return Err(FunctionError::Unknown(function.to_owned()));
        };
        pool.busy.fetch_add(1, Ordering::SeqCst);
        let (runtime, function) = (self.clone(), function.to_owned());
        let running = tokio::spawn(async move {
            let outcome = runtime.run(&function, event).await;
            if let Some(pool) = runtime.inner.pools.get(&function) {
                pool.busy.fetch_sub(1, Ordering::SeqCst);
            }
            runtime.inner.activity.bump();
            outcome
        });
        running.await.unwrap_or(Err(FunctionError::Stopped))
    }

    async fn run(&self, function: &str, event: Bytes) -> Result<Bytes, FunctionError> {
        let pool = self.inner.pools.get(function).ok_or(FunctionError::Stopped)?;
        let _slot = pool.slots.acquire().await.map_err(|_| FunctionError::Stopped)?;
        let plan = match self.inner.faults.take(&format!("function:{function}")) {
            Some(fault) if fault.kind == FaultKind::Kill => Some(fault.when.unwrap_or(KillPoint::BeforeResponse)),
            Some(fault) if fault.kind == FaultKind::Throttle => return Err(FunctionError::Throttled),
            _ => None,
        };
        let started = Instant::now();
        let outcome = self.run_on_a_worker(pool, event, plan).await;
        self.inner.ledger.invocation(function, Invocation { failed: outcome.is_err(), duration: started.elapsed() });
        if let Err(error) = &outcome {
            self.inner.logs.note(function, "ERROR", &error.to_string());
        }
        outcome
    }

    async fn run_on_a_worker(
        &self,
        pool: &Pool,
        event: Bytes,
        plan: Option<KillPoint>,
    ) -> Result<Bytes, FunctionError> {
        let worker = match pool.take_idle() {
            Some(worker) => worker,
            None => self.start_worker(&pool.program)?,
        };
        let limit = pool.program.function.timeout;
        let (taken_sender, taken) = oneshot::channel();
        let (reply_sender, reply) = oneshot::channel();
        let job = Job::new(event, limit, plan, taken_sender, reply_sender);
        if !worker.give(job) {
            return Err(FunctionError::Exited("before it took the event".to_owned()));
        }
        if timeout(INIT_LIMIT, taken).await.is_err() {
            worker.kill();
            return Err(FunctionError::TimedOut { while_doing: "starting", after: INIT_LIMIT });
        }
        let outcome = match timeout(limit, reply).await {
            Ok(outcome) => outcome.unwrap_or(Err(FunctionError::Stopped)),
            Err(_) => {
                worker.kill();
                Err(FunctionError::TimedOut { while_doing: "running", after: limit })
            }
        };
        if worker.is_alive() {
            pool.idle.lock().unwrap_or_else(PoisonError::into_inner).push((Instant::now(), worker));
        }
        outcome
    }

    fn start_worker(&self, program: &Program) -> Result<Arc<Worker>, FunctionError> {
        let number = self.inner.next_worker.fetch_add(1, Ordering::Relaxed);
        // Held over the start: the process may ask for work before this thread has its turn again.
        let mut workers = self.workers();
        let worker = Worker::start(format!("{}.{number}", program.function.name), program, self)?;
        workers.insert(worker.id().to_owned(), Arc::clone(&worker));
        Ok(worker)
    }

    /// The function that a process belongs to.
    pub fn function_of(&self, worker: &str) -> Option<Function> {
        let worker = self.worker(worker)?;
        Some(self.inner.pools.get(worker.function())?.program.function.clone())
    }

    /// Notes a call that went through, made by `worker`, and kills it if its invocation was to die after this call.
    /// Then the call must not be answered.
    #[must_use]
    pub fn killed_after(&self, worker: &str, call: &str) -> bool {
        self.worker(worker).is_some_and(|worker| worker.killed_after(call))
    }

    /// The same for calls that don't tell which process made them: the first invocation whose death waits for such a
    /// call is taken to be the caller.
    #[must_use]
    pub fn someone_killed_after(&self, call: &str) -> bool {
        let workers: Vec<Arc<Worker>> = self.workers().values().cloned().collect();
        workers.iter().find(|worker| worker.waits_for(call)).is_some_and(|worker| worker.killed_after(call))
    }

    /// The functions that are running, with the number of invocations.
    pub fn busy(&self) -> BTreeMap<String, usize> {
        let busy = |pool: &Pool| pool.busy.load(Ordering::SeqCst);
        self.inner.pools.iter().map(|(name, pool)| (name.clone(), busy(pool))).filter(|(_, n)| *n > 0).collect()
    }

    /// Ends idle processes that nobody has needed for a while. Runs until dropped.
    pub async fn reap(&self) {
        let mut ticks = tokio::time::interval(IDLE_LIMIT / 4);
        loop {
            ticks.tick().await;
            for pool in self.inner.pools.values() {
                let mut idle = pool.idle.lock().unwrap_or_else(PoisonError::into_inner);
                let last = idle.len().saturating_sub(1);
                let surplus = idle.iter().take(last).filter(|(since, _)| since.elapsed() > IDLE_LIMIT).count();
                idle.drain(..surplus).for_each(|(_, worker)| worker.kill());
            }
        }
    }

    /// Adds what the living processes have used since they were last asked to the ledger.
    pub fn account_usage(&self) {
        for worker in self.workers().values() {
            worker.account_usage(&self.inner.ledger);
        }
    }

    /// Takes no more invocations, lets the running ones end within `grace`, and leaves no process behind.
    pub async fn stop(&self, grace: Duration) {
        let mut changes = self.inner.activity.listen();
        let _ = timeout(grace, async { while !self.busy().is_empty() && changes.changed().await.is_ok() {} }).await;
        self.inner.pools.values().for_each(|pool| pool.slots.close());
        let workers: Vec<Arc<Worker>> = self.workers().values().cloned().collect();
        for worker in workers {
            worker.kill();
            worker.gone().await;
        }
    }

    /// Ends every process without waiting.
    pub fn kill_all(&self) {
        self.workers().values().for_each(|worker| worker.kill());
    }

    fn worker(&self, id: &str) -> Option<Arc<Worker>> {
        self.workers().get(id).cloned()
    }

    fn workers(&self) -> std::sync::MutexGuard<'_, HashMap<String, Arc<Worker>>> {
        self.inner.workers.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Pool {
    /// The process that was busy last: so surplus ones stay idle and can be ended.
    fn take_idle(&self) -> Option<Arc<Worker>> {
        let mut idle = self.idle.lock().unwrap_or_else(PoisonError::into_inner);
        while let Some((_, worker)) = idle.pop() {
            if worker.is_alive() {
                return Some(worker);
            }
        }
        None
    }
}
