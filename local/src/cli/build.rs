//! Builds the functions with Cargo, its progress shown as ever, and learns from it where the binaries lie.

use std::io;
use std::path::{Path, PathBuf};
use std::process::Stdio;

use serde::Deserialize;
use tokio::io::{AsyncBufReadExt, BufReader};
use tokio::process::Command;

#[derive(Debug, thiserror::Error)]
pub enum BuildError {
    #[error("cargo can't be run: {0}")]
    Cargo(#[from] io::Error),
    #[error("the functions don't build; what is wrong stands above")]
    Failed,
    #[error("cargo built no function")]
    Nothing,
}

/// One line of `--message-format=json`.
#[derive(Deserialize)]
struct Message {
    executable: Option<PathBuf>,
}

/// Builds every function of the workspace in `root`; returns the folder of the binaries.
pub async fn functions(root: &Path, release: bool) -> Result<PathBuf, BuildError> {
    let mut cargo = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    // With this package named, too, both builds agree on the features of what they share and none is built twice.
    cargo.args(["build", "-p", "functions", "-p", "local", "--bins", "--message-format=json-render-diagnostics"]);
    if release {
        cargo.arg("--release");
    }
    if !root.as_os_str().is_empty() {
        cargo.current_dir(root);
    }
    let mut child = cargo.stdin(Stdio::null()).stdout(Stdio::piped()).kill_on_drop(true).spawn()?;
    let mut folder = None;
    if let Some(output) = child.stdout.take() {
        let mut lines = BufReader::new(output).lines();
        while let Some(line) = lines.next_line().await? {
            let built = serde_json::from_str::<Message>(&line).ok().and_then(|message| message.executable);
            folder = built.and_then(|binary| binary.parent().map(Path::to_owned)).or(folder);
        }
    }
    if !child.wait().await?.success() {
        return Err(BuildError::Failed);
    }
    folder.ok_or(BuildError::Nothing)
}
