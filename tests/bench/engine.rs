//! The development engine, for the benches: `engine TEMPLATE FUNCTIONS-DIR DATA-DIR` prints its URL and runs until its
//! standard input ends.

use std::io::{Read, Write};
use std::path::PathBuf;

use local::{Engine, LogStyle, Options};

#[tokio::main]
async fn main() {
    let mut arguments = std::env::args_os().skip(1).map(PathBuf::from);
    let engine = Engine::start(Options {
        port: 0,
        template: arguments.next().unwrap(),
        functions_dir: arguments.next().unwrap(),
        data_dir: arguments.next(),
        simulate: true,
        log: LogStyle::Silent,
        paths: local::Paths::default(),
        parameters: Default::default(),
        allow_hosts: Vec::new(),
    })
    .await
    .unwrap();
    let mut output = std::io::stdout();
    writeln!(output, "{}", engine.url()).unwrap();
    let told_to_end = tokio::task::spawn_blocking(|| std::io::stdin().read_to_end(&mut Vec::new()));
    let _ = told_to_end.await;
    engine.stop().await;
}
