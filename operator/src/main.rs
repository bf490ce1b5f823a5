//! `heliograph`: reads the command line, runs the command and prints what it has made, as JSON. Everything that can go
//! wrong ends in one sentence and exit code 1.

use std::error::Error;
use std::io::{self, Write};
use std::process::ExitCode;

use clap::{Parser, Subcommand};
use operator::{create_account, create_app, drop_sealing_keys, redrive, reseal, rotate_sealing_key};
use serde_json::Value;

/// What a deployed stack's operator does from a terminal. Accounts and apps are made in the stack that
/// TABLE_NAME and SEALING_SECRET_ARN name.
#[derive(Debug, Parser)]
#[command(name = "heliograph", version)]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    CreateAccount(create_account::Arguments),
    CreateApp(create_app::Arguments),
    Redrive(redrive::Arguments),
    RotateSealingKey(rotate_sealing_key::Arguments),
    Reseal(reseal::Arguments),
    DropSealingKeys(drop_sealing_keys::Arguments),
}

impl Command {
    async fn run(self) -> Result<Value, Box<dyn Error>> {
        Ok(match self {
            Self::CreateAccount(arguments) => create_account::run(&arguments).await?,
            Self::CreateApp(arguments) => create_app::run(&arguments).await?,
            Self::Redrive(arguments) => redrive::run(&arguments).await?,
            Self::RotateSealingKey(arguments) => rotate_sealing_key::run(&arguments).await?,
            Self::Reseal(arguments) => reseal::run(&arguments).await?,
            Self::DropSealingKeys(arguments) => drop_sealing_keys::run(&arguments).await?,
        })
    }
}

fn main() -> ExitCode {
    let command = Arguments::parse().command;
    let outcome =
        tokio::runtime::Runtime::new().map_err(Into::into).and_then(|runtime| runtime.block_on(command.run()));
    // With nowhere to say it, the exit code must do.
    match outcome {
        Ok(made) => {
            let _ = writeln!(io::stdout(), "{made:#}");
            ExitCode::SUCCESS
        }
        Err(error) => {
            let _ = writeln!(io::stderr(), "error: {error}");
            ExitCode::FAILURE
        }
    }
}
