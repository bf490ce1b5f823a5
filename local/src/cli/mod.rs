//! The command line. Everything that can go wrong ends in one sentence and exit code 1.

mod banner;
mod build;

use std::collections::BTreeMap;
use std::io::{self, Write};
use std::net::{Ipv4Addr, TcpListener};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use axum::http::uri::Authority;
use clap::{Parser, ValueEnum};
use local::{Engine, LogStyle, Options, private_files};
use serde_json::json;
use tokio::signal;

use build::BuildError;

/// Heliograph on this machine: the real functions, wired by template.yaml.
#[derive(Debug, Parser)]
#[command(name = "local", version, args_override_self = true)]
struct Arguments {
    /// Port on 127.0.0.1; 0 for any that is free.
    #[arg(long, default_value_t = 3000)]
    port: u16,
    /// Folder for queues, table and secrets; without it they end with the engine.
    #[arg(long, value_name = "DIR")]
    data_dir: Option<PathBuf>,
    /// Where to write, as JSON, what the banner says.
    #[arg(long, value_name = "PATH")]
    ready_file: Option<PathBuf>,
    /// Call the real carriers instead of simulated ones.
    #[arg(long)]
    no_sim: bool,
    /// How the functions' logs appear.
    #[arg(long, value_enum, default_value_t = Log::Pretty)]
    log: Log,
    /// Folder of binaries built already; nothing is built then.
    #[arg(long, value_name = "DIR")]
    functions_dir: Option<PathBuf>,
    /// The stack to run; found in this folder or one above.
    #[arg(long, value_name = "PATH")]
    template: Option<PathBuf>,
    /// Value for a parameter of the template; may be repeated.
    #[arg(long = "parameter", value_name = "NAME=VALUE", value_parser = parameter)]
    parameters: Vec<(String, String)>,
    /// A name beside 127.0.0.1 and localhost under which everything is served, with or without a port; may be repeated.
    #[arg(long = "allow-host", value_name = "NAME", value_parser = host)]
    allow_hosts: Vec<Authority>,
    /// Build the functions with optimisations.
    #[arg(long)]
    release: bool,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum Log {
    Pretty,
    Json,
}

/// Why the command ended.
#[derive(Debug, thiserror::Error)]
enum Failure {
    #[error("there is no template.yaml in this folder or one above; say where with --template")]
    NoTemplate,
    #[error("port {0} is already in use: choose another with --port, or 0 for any")]
    PortInUse(u16),
    #[error(transparent)]
    Build(#[from] BuildError),
    #[error(transparent)]
    Start(#[from] local::StartError),
    #[error(transparent)]
    Seed(#[from] local::outside::seed::SeedError),
    #[error("the ready file {} can't be written: {error}", path.display())]
    ReadyFile { path: PathBuf, error: io::Error },
    #[error("the asynchronous runtime can't start: {0}")]
    Runtime(io::Error),
}

fn parameter(text: &str) -> Result<(String, String), String> {
    let (name, value) = text.split_once('=').ok_or("say NAME=VALUE")?;
    Ok((name.to_owned(), value.to_owned()))
}

fn host(text: &str) -> Result<Authority, String> {
    text.parse().map_err(|_| "say a name such as devbox or devbox:3000".to_owned())
}

pub fn main() -> ExitCode {
    let arguments = Arguments::parse();
    let outcome = tokio::runtime::Runtime::new().map_err(Failure::Runtime).and_then(|runtime| {
        runtime.block_on(async {
            tokio::select! {
                outcome = run(arguments) => outcome,
                () = told_to_end() => Ok(()),
            }
        })
    });
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            // With nowhere to say it, the exit code must do.
            let _ = writeln!(io::stderr(), "error: {failure}");
            ExitCode::FAILURE
        }
    }
}

/// Runs until told to end; when this future is dropped before that, its processes are ended with it.
async fn run(arguments: Arguments) -> Result<(), Failure> {
    let template = match arguments.template {
        Some(template) => template,
        None => find_template().ok_or(Failure::NoTemplate)?,
    };
    let functions_dir = match arguments.functions_dir {
        Some(folder) => folder,
        None => {
            // Better said before the build than after it.
            check_port(arguments.port)?;
            build::functions(template.parent().unwrap_or(Path::new(".")), arguments.release).await?
        }
    };
    let engine = Engine::start(Options {
        port: arguments.port,
        data_dir: arguments.data_dir,
        template,
        functions_dir,
        simulate: !arguments.no_sim,
        log: match arguments.log {
            Log::Pretty => LogStyle::Pretty,
            Log::Json => LogStyle::Json,
        },
        paths: local::Paths::default(),
        parameters: BTreeMap::from_iter(arguments.parameters),
        allow_hosts: arguments.allow_hosts,
    })
    .await?;
    let ready = engine.demo().await?;
    engine.showcase().await?;
    if let Some(path) = &arguments.ready_file {
        let json = match &ready {
            Some(ready) => serde_json::to_value(ready),
            None => Ok(json!({ "apiUrl": engine.url() })),
        };
        let written = json.and_then(|json| serde_json::to_vec_pretty(&json)).map_err(io::Error::from);
        let written = written.and_then(|json| private_files::write(path, &json));
        written.map_err(|error| Failure::ReadyFile { path: path.clone(), error })?;
    }
    // A closed terminal must not end the engine.
    let _ = write!(io::stdout(), "{}", banner::text(engine.url(), ready.as_ref()));
    told_to_end().await;
    engine.stop().await;
    Ok(())
}

fn find_template() -> Option<PathBuf> {
    let here = std::env::current_dir().ok()?;
    here.ancestors().map(|folder| folder.join("template.yaml")).find(|path| path.is_file())
}

fn check_port(port: u16) -> Result<(), Failure> {
    match TcpListener::bind((Ipv4Addr::LOCALHOST, port)) {
        Err(error) if error.kind() == io::ErrorKind::AddrInUse => Err(Failure::PortInUse(port)),
        _ => Ok(()),
    }
}

/// Ctrl-C, or what a service manager and a closing terminal send.
async fn told_to_end() {
    #[cfg(unix)]
    {
        use signal::unix::{SignalKind, signal};
        let (Ok(mut terminate), Ok(mut hang_up)) = (signal(SignalKind::terminate()), signal(SignalKind::hangup()))
        else {
            return wait_for_ctrl_c().await;
        };
        tokio::select! {
            () = wait_for_ctrl_c() => {}
            _ = terminate.recv() => {}
            _ = hang_up.recv() => {}
        }
    }
    #[cfg(not(unix))]
    wait_for_ctrl_c().await;
}

async fn wait_for_ctrl_c() {
    if signal::ctrl_c().await.is_err() {
        // Without the signal there is no end but a kill.
        std::future::pending::<()>().await;
    }
}
