//! What the benches share: an engine in a process of its own, traffic, a webhook receiver, and tables.
//!
//! A bench is started by `cargo bench --bench <name>` and by nothing else: whatever runs all tests passes it by.

pub mod engine;
pub mod process;
pub mod receiver;
pub mod report;
pub mod traffic;

use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use local::lambda::template::{Settings, Stack};

/// Runs a bench, unless this is a run of tests.
pub fn run(bench: impl Future<Output = ()>) {
    if std::env::args().any(|argument| argument == "--bench") {
        let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().unwrap();
        runtime.block_on(bench);
    } else {
        report::say("a bench, not a test: cargo bench --bench <name>");
    }
}

/// The number after `--name`, or what goes without it.
pub fn argument(name: &str, otherwise: usize) -> usize {
    let mut arguments = std::env::args().skip_while(|argument| argument != name).skip(1);
    arguments.next().map_or(otherwise, |number| number.parse().unwrap_or_else(|_| panic!("{name} takes a number")))
}

/// The repository.
pub fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap().to_owned()
}

/// How long nothing may happen while something is under way: a task whose invocation ran out of time, as one does
/// beside a compiler, comes back when the longest visibility time-out of the template is over.
pub fn patience() -> Duration {
    let settings = Settings { base_url: "http://127.0.0.1".to_owned(), ..Settings::default() };
    let template = std::fs::read_to_string(root().join("template.yaml")).unwrap();
    let stack = Stack::read(&template, &settings).unwrap();
    stack.queues.values().map(|queue| queue.visibility_timeout).max().unwrap()
}

/// The folder of the function binaries, built as they are shipped.
pub fn binaries() -> PathBuf {
    Path::new(env!("CARGO_BIN_EXE_notifications")).parent().unwrap().to_owned()
}

/// A program that benches need beside the functions. Cargo doesn't build examples for benches, so it is told to.
pub fn example(name: &str) -> PathBuf {
    let cargo = std::env::var("CARGO").unwrap_or_else(|_| "cargo".to_owned());
    let arguments = ["build", "--release", "--quiet", "--package", "functions", "--example", name];
    let status = Command::new(cargo).args(arguments).current_dir(root()).status().unwrap();
    assert!(status.success(), "{name} cannot be built");
    binaries().join("examples").join(name)
}
