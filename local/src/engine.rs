//! The engine: reads the template, binds the one port, and puts every part behind it. Many can run in one process.

use std::collections::BTreeMap;
use std::fs;
use std::io;
use std::net::Ipv4Addr;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::extract::Request;
use axum::http::StatusCode;
use axum::http::uri::Authority;
use axum::middleware;
use tokio::net::TcpListener;
use tokio::task::JoinHandle;

use crate::aws::buckets::{Buckets, BucketsError};
use crate::aws::dynamodb::{DynamoDb, DynamoDbError};
use crate::aws::queues::Queues;
use crate::aws::s3;
use crate::aws::secrets::Secrets;
use crate::aws::streams::Streams;
use crate::aws::{self, Aws};
use crate::console;
use crate::control::activity::Activity;
use crate::control::faults::Faults;
use crate::control::feed::Feed;
use crate::control::ledger::Ledger;
use crate::control::logs::{LogStyle, Logs};
use crate::control::{self, Control};
use crate::data_dir::DataDir;
use crate::guard::{self, Guard};
use crate::lambda::gateway::{self, Door, Gateway, Paths};
use crate::lambda::pollers::Pollers;
use crate::lambda::runtime::{self, Program, Runtime};
use crate::lambda::template::{Function, FunctionUrl, REGION, Settings, Stack, TemplateError, function_url_ids};
use crate::outside::carriers;
use crate::outside::seed::{Ready, SeedError, Wanted};
use crate::outside::simulation::Simulation;
use crate::outside::sink::Sinks;
use crate::server;

/// Processes of one function at most where the template sets no bound, and where it does: this is one machine.
const CONCURRENCY: usize = 10;
const MOST_CONCURRENCY: usize = 64;

/// How long running invocations may go on when the engine stops.
const GRACE: Duration = Duration::from_secs(2);

/// How an engine is to be.
#[derive(Debug, Clone)]
pub struct Options {
    /// 0 for any free port.
    pub port: u16,
    /// Where queues, table, buckets and secrets are kept; without, they end with the engine.
    pub data_dir: Option<PathBuf>,
    pub template: PathBuf,
    /// The folder of the function binaries.
    pub functions_dir: PathBuf,
    /// Whether carriers are simulated; otherwise the template's own addresses stay.
    pub simulate: bool,
    pub log: LogStyle,
    /// How its API Gateway reads paths.
    pub paths: Paths,
    /// Values for the template's parameters.
    pub parameters: BTreeMap<String, String>,
    /// Names beside this machine's own under which everything is served.
    pub allow_hosts: Vec<Authority>,
}

/// Why the engine can't start.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    #[error("port {0} is already in use: choose another with --port, or 0 for any")]
    PortInUse(u16),
    #[error("port {port} can't be opened: {error}")]
    Port { port: u16, error: io::Error },
    #[error("the data directory {} can't be used: {reason}", path.display())]
    DataDir { path: PathBuf, reason: String },
    #[error("the template {} can't be read: {error}", path.display())]
    Unreadable { path: PathBuf, error: io::Error },
    #[error("{}: {error}", path.display())]
    Template { path: PathBuf, error: TemplateError },
    #[error("the binary of {logical_id} is missing: {}", path.display())]
    MissingBinary { logical_id: String, path: PathBuf },
    #[error("the queues can't be used: {0}")]
    Queues(#[from] rusqlite::Error),
    #[error(transparent)]
    Table(#[from] DynamoDbError),
    #[error(transparent)]
    Buckets(#[from] BucketsError),
    #[error("the simulated carriers can't start: {0}")]
    Carriers(#[from] carriers::StartError),
}

/// A running engine. Dropping it ends every process at once; [`Engine::stop`] does so in order.
pub struct Engine {
    url: String,
    handles: EngineHandles,
    runtime: Runtime,
    queues: Queues,
    simulation: Simulation,
    tasks: Vec<JoinHandle<()>>,
    _data_dir: DataDir,
}

/// What the seed and tests need to reach into a running stack. Cloning gives another handle.
#[derive(Clone)]
pub struct EngineHandles {
    /// Where the API answers, without a slash at its end.
    pub url: String,
    pub simulate: bool,
    environments: Arc<BTreeMap<String, BTreeMap<String, String>>>,
    /// The stack's, by name.
    pub outputs: Arc<BTreeMap<String, String>>,
}

impl EngineHandles {
    /// A function's environment as the template says it, such as `TABLE_NAME`.
    pub fn environment(&self, function: &str) -> BTreeMap<String, String> {
        self.environments.get(function).cloned().unwrap_or_default()
    }

    /// The environment of some function that has this variable.
    pub fn any_environment_with(&self, name: &str) -> Option<&BTreeMap<String, String>> {
        self.environments.values().find(|environment| environment.contains_key(name))
    }

    /// What carriers are told to call, without a slash at its end.
    pub fn callbacks_url(&self) -> String {
        let told = self.any_environment_with("CALLBACKS_URL").map(|environment| &environment["CALLBACKS_URL"]);
        told.map_or(self.url.as_str(), String::as_str).trim_end_matches('/').to_owned()
    }

    /// The AWS endpoint for a caller outside the functions; its calls are counted under `caller`. Any credentials do,
    /// in region [`REGION`].
    pub fn aws_endpoint(&self, caller: &str) -> String {
        format!("{}/_aws/{caller}", self.url)
    }

    /// The same for S3, in path style.
    pub fn s3_endpoint(&self, caller: &str) -> String {
        s3::endpoint(&self.url, caller)
    }
}

impl Engine {
    /// Starts everything; when this returns, the API answers.
    ///
    /// # Errors
    /// One sentence on what stands in the way; nothing is left running then.
    pub async fn start(options: Options) -> Result<Self, StartError> {
        let listener = bind(options.port).await?;
        let address = listener.local_addr().map_err(|error| StartError::Port { port: options.port, error })?;
        let url = format!("http://127.0.0.1:{}", address.port());
        let data_dir = DataDir::open(options.data_dir.as_deref())?;
        let text = template(&options.template)?;
        let doors = doors(&options.template, &text, &data_dir).await?;
        let stack = read_template(&options, &text, &url, &doors)?;
        let programs = programs(&stack, &options.functions_dir)?;
        let environments = programs.iter().map(|p| (p.function.name.clone(), p.environment.clone())).collect();
        let handles = EngineHandles {
            url: url.clone(),
            simulate: options.simulate,
            environments: Arc::new(environments),
            outputs: Arc::new(stack.outputs.clone()),
        };
        let parts = Parts::open(&url, &stack, programs, options.log, &data_dir).await?;
        let (feed, faults, activity) = (parts.feed.clone(), parts.faults.clone(), parts.activity.clone());
        let simulation = Simulation::start(&handles, feed, faults, activity, &data_dir)?;
        let public_url = options.parameters.get("PublicUrl").map(String::as_str);
        let guard = Guard::new(&options.allow_hosts, public_url);
        let router = parts.router(&url, &stack, options.paths, &simulation);
        let router = router.layer(middleware::from_fn_with_state(guard, guard::check));
        let mut tasks = parts.spawn(&stack, listener, router);
        tasks.extend(parts.open_doors(&stack, doors, options.paths));
        let Parts { queues, runtime, .. } = parts;
        Ok(Self { url, handles, runtime, queues, simulation, tasks, _data_dir: data_dir })
    }

    /// Where the API answers, without a slash at its end.
    pub fn url(&self) -> &str {
        &self.url
    }

    pub fn handles(&self) -> &EngineHandles {
        &self.handles
    }

    /// Makes the demo app, or finds it again in the data directory; `None` in a stack that isn't this product's.
    pub async fn demo(&self) -> Result<Option<Ready>, SeedError> {
        let Some(seeder) = self.simulation.seeder() else { return Ok(None) };
        let ready = seeder.demo().await?;
        self.simulation.resume();
        Ok(Some(ready))
    }

    /// Gives the demo app what the examples of the API's description name.
    pub async fn showcase(&self) -> Result<(), SeedError> {
        match self.simulation.seeder() {
            Some(seeder) => seeder.showcase().await,
            None => Ok(()),
        }
    }

    /// Makes another app, of an account of its own.
    pub async fn app(&self, wanted: Wanted) -> Result<Option<Ready>, SeedError> {
        let Some(seeder) = self.simulation.seeder() else { return Ok(None) };
        seeder.app(wanted).await.map(Some)
    }

    /// Lets running invocations end for a moment, then ends every process and connection. No child is left, and no port.
    pub async fn stop(mut self) {
        self.queues.pause_pollers(true);
        self.runtime.stop(GRACE).await;
        for task in &mut self.tasks {
            task.abort();
            let _ = task.await;
        }
    }
}

impl Drop for Engine {
    fn drop(&mut self) {
        self.tasks.iter().for_each(JoinHandle::abort);
        self.runtime.kill_all();
    }
}

async fn bind(port: u16) -> Result<TcpListener, StartError> {
    TcpListener::bind((Ipv4Addr::LOCALHOST, port)).await.map_err(|error| match error.kind() {
        io::ErrorKind::AddrInUse => StartError::PortInUse(port),
        _ => StartError::Port { port, error },
    })
}

fn template(path: &Path) -> Result<String, StartError> {
    fs::read_to_string(path).map_err(|error| StartError::Unreadable { path: path.to_owned(), error })
}

/// What listens for each function URL that the template may have.
async fn doors(template: &Path, text: &str, data_dir: &DataDir) -> Result<BTreeMap<String, TcpListener>, StartError> {
    let unreadable = |error| StartError::Template { path: template.to_owned(), error };
    let ids = function_url_ids(text).map_err(unreadable)?;
    let file = data_dir.file("function-urls.json");
    gateway::listen(ids, file.as_deref()).await.map_err(|error| match file {
        Some(path) => StartError::DataDir { path, reason: error.to_string() },
        None => StartError::Port { port: 0, error },
    })
}

fn read_template(
    options: &Options,
    text: &str,
    url: &str,
    doors: &BTreeMap<String, TcpListener>,
) -> Result<Stack, StartError> {
    let address =
        |(id, door): (&String, &TcpListener)| Some((id.clone(), format!("http://{}/", door.local_addr().ok()?)));
    let settings = Settings {
        base_url: url.to_owned(),
        function_urls: doors.iter().filter_map(address).collect(),
        parameters: options.parameters.clone(),
        suggestions: if options.simulate { Simulation::parameters(url) } else { BTreeMap::new() },
    };
    Stack::read(text, &settings).map_err(|error| StartError::Template { path: options.template.clone(), error })
}

fn secrets(stack: &Stack, data_dir: &DataDir) -> Result<Secrets, StartError> {
    let path = data_dir.folder().map(Path::to_owned).unwrap_or_default();
    Secrets::open(&stack.secrets, data_dir.file("secrets.json"))
        .map_err(|error| StartError::DataDir { path, reason: error.to_string() })
}

fn programs(stack: &Stack, folder: &Path) -> Result<Vec<Program>, StartError> {
    let program = |function: &Function| {
        let binary = folder.join(format!("{}{}", function.name, std::env::consts::EXE_SUFFIX));
        if !binary.is_file() {
            return Err(StartError::MissingBinary { logical_id: function.logical_id.clone(), path: binary });
        }
        Ok(Program {
            function: function.clone(),
            binary,
            environment: function.environment.clone(),
            concurrency: concurrency(stack, &function.name),
        })
    };
    stack.functions.values().map(program).collect()
}

fn concurrency(stack: &Stack, function: &str) -> usize {
    let limit =
        stack.event_sources.iter().filter(|s| s.function == function).filter_map(|s| s.maximum_concurrency).max();
    limit.unwrap_or(CONCURRENCY).min(MOST_CONCURRENCY)
}

/// Everything that plays a service, once; what is put together from it only holds handles.
struct Parts {
    activity: Activity,
    feed: Feed,
    faults: Faults,
    ledger: Ledger,
    logs: Logs,
    queues: Queues,
    table: DynamoDb,
    streams: Streams,
    buckets: Buckets,
    secrets: Secrets,
    runtime: Runtime,
}

impl Parts {
    async fn open(
        url: &str,
        stack: &Stack,
        programs: Vec<Program>,
        log: LogStyle,
        data_dir: &DataDir,
    ) -> Result<Self, StartError> {
        let (activity, feed, faults, ledger) = (Activity::new(), Feed::new(), Faults::default(), Ledger::default());
        let logs = Logs::new(log, feed.clone());
        let specs = stack.queues.values().cloned();
        let queues = Queues::open(specs, data_dir.file("queues.sqlite").as_deref(), activity.clone())?;
        let table = DynamoDb::open(data_dir.file("table.sqlite").as_deref(), &stack.tables).await?;
        let streams = Streams::new(&stack.streams);
        for source in &stack.streams {
            table.items_of(&source.table, &source.prefix)?.iter().for_each(|item| streams.wrote(item));
        }
        let buckets = Buckets::open(data_dir.file("buckets").as_deref(), &stack.buckets)?;
        let secrets = secrets(stack, data_dir)?;
        let runtime = Runtime::new(url, programs, faults.clone(), ledger.clone(), logs.clone(), activity.clone());
        Ok(Self { activity, feed, faults, ledger, logs, queues, table, streams, buckets, secrets, runtime })
    }

    fn router(&self, url: &str, stack: &Stack, paths: Paths, simulation: &Simulation) -> Router {
        let not_found = || async { StatusCode::NOT_FOUND };
        let gateway = Gateway::new(stack, paths, self.runtime.clone(), self.ledger.clone());
        Router::new()
            .nest("/_local", control::router(self.control(simulation)).merge(simulation.control()).fallback(not_found))
            .nest("/_aws", aws::router(self.aws(url)).fallback(not_found))
            .nest("/_s3", s3::router(self.aws(url)).fallback(not_found))
            .nest("/_lambda", runtime::router(self.runtime.clone()).fallback(not_found))
            .nest("/_carriers", simulation.carriers(&self.runtime).fallback(not_found))
            .merge(console::router())
            .fallback(move |request: Request<Body>| {
                let gateway = gateway.clone();
                async move { gateway.serve(request).await }
            })
    }

    fn aws(&self, url: &str) -> Aws {
        Aws {
            base_url: url.to_owned(),
            queues: self.queues.clone(),
            table: self.table.clone(),
            streams: self.streams.clone(),
            buckets: self.buckets.clone(),
            secrets: self.secrets.clone(),
            runtime: self.runtime.clone(),
            faults: self.faults.clone(),
            ledger: self.ledger.clone(),
        }
    }

    fn control(&self, simulation: &Simulation) -> Control {
        Control {
            queues: self.queues.clone(),
            runtime: self.runtime.clone(),
            streams: self.streams.clone(),
            faults: self.faults.clone(),
            ledger: self.ledger.clone(),
            logs: self.logs.clone(),
            sinks: Sinks::new(self.feed.clone()),
            feed: self.feed.clone(),
            activity: self.activity.clone(),
            carriers_pending: simulation.pending(),
        }
    }

    /// Serves the function URLs that there are; whatever else listens is closed.
    fn open_doors(&self, stack: &Stack, mut doors: BTreeMap<String, TcpListener>, paths: Paths) -> Vec<JoinHandle<()>> {
        let open = |url: &FunctionUrl| {
            let listener = doors.remove(&url.id)?;
            let address = listener.local_addr().ok()?;
            let door = Door::new(url.clone(), address, paths, self.runtime.clone(), self.ledger.clone());
            let router = Router::new().fallback(move |request: Request<Body>| {
                let door = door.clone();
                async move { door.serve(request).await }
            });
            Some(tokio::spawn(server::serve(listener, router)))
        };
        stack.function_urls.iter().filter_map(open).collect()
    }

    /// Starts what runs by itself until the engine ends.
    fn spawn(&self, stack: &Stack, listener: TcpListener, router: Router) -> Vec<JoinHandle<()>> {
        let (table, runtime) = (self.table.clone(), self.runtime.clone());
        let mut tasks = vec![
            tokio::spawn(server::serve(listener, router)),
            tokio::spawn(async move { table.sweep().await }),
            tokio::spawn(async move { runtime.reap().await }),
        ];
        tasks.extend(self.streams.spawn(&self.runtime, &self.activity));
        for source in &stack.event_sources {
            let pollers = Pollers {
                queues: self.queues.clone(),
                runtime: self.runtime.clone(),
                ledger: self.ledger.clone(),
                logs: self.logs.clone(),
            };
            tasks.push(tokio::spawn(pollers.run(source.clone(), concurrency(stack, &source.function))));
        }
        tasks
    }
}

/// The region of everything here; for clients that [`EngineHandles::aws_endpoint`] serves.
pub const AWS_REGION: &str = REGION;
