//! `cargo run`: builds the functions, starts the engine, makes the demo app, and says where everything is.

mod cli;

use std::process::ExitCode;

fn main() -> ExitCode {
    cli::main()
}
