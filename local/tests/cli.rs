//! The command itself: what it says when it can't start, and that nothing outlives it.

mod stack;

use std::net::TcpListener;
use std::path::Path;
use std::process::{Child, Command, Output, Stdio};
use std::time::{Duration, Instant};

use serde_json::{Value, json};

fn command(functions: &Path) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_local"));
    let options = stack::options(functions);
    command.args(["--port", "0"]).arg("--template").arg(&options.template).arg("--functions-dir").arg(functions);
    command
}

fn refusal(command: &mut Command) -> String {
    let Output { status, stderr, .. } = command.output().expect("the command ran");
    assert_eq!(status.code(), Some(1));
    let said = String::from_utf8(stderr).expect("text");
    assert_eq!(said.lines().count(), 1, "one sentence: {said}");
    said
}

#[test]
fn what_stands_in_the_way_is_said_in_one_sentence() {
    let functions = stack::functions();
    let taken = TcpListener::bind("127.0.0.1:0").expect("a port");
    let port = taken.local_addr().expect("its number").port().to_string();
    let said = refusal(command(functions.path()).args(["--port", &port]));
    assert!(said.contains(&format!("port {port} is already in use")), "{said}");

    let file = functions.path().join("a-file");
    std::fs::write(&file, "").expect("written");
    let said = refusal(command(functions.path()).arg("--data-dir").arg(file.join("below")));
    assert!(said.contains("the data directory") && said.contains("can't be used"), "{said}");

    let broken = functions.path().join("broken.yaml");
    std::fs::write(&broken, "Resources: { A: { Type: AWS::SQS::Queue, Properties: { QueueName: !Ref B } } }")
        .expect("written");
    let said = refusal(command(functions.path()).arg("--template").arg(&broken));
    assert!(said.contains("A.QueueName: there is no parameter or resource B"), "{said}");

    std::fs::remove_file(functions.path().join("work")).expect("removed");
    let said = refusal(&mut command(functions.path()));
    assert!(said.contains("the binary of Work is missing"), "{said}");
}

#[test]
fn a_parameter_that_cannot_work_is_refused_with_the_templates_own_sentence() {
    let functions = stack::functions();
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("the workspace");
    let mut command = command(functions.path());
    let said =
        refusal(command.arg("--template").arg(root.join("template.yaml")).args(["--parameter", "PublicUrl=a.test"]));
    assert!(said.contains(r#"Parameters.PublicUrl: "a.test" is not https:// and a host"#), "{said}");
}

/// A running command that has one warm function process.
struct Running {
    child: Child,
    function: u32,
}

async fn running(functions: &Path, folder: &Path) -> Running {
    let ready = folder.join("ready.json");
    let child = command(functions).arg("--ready-file").arg(&ready).stdout(Stdio::null()).spawn().expect("started");
    wait_until("the ready file is there", || ready.exists()).await;
    let ready: Value = serde_json::from_slice(&std::fs::read(&ready).expect("read")).expect("JSON");
    let url = ready["apiUrl"].as_str().expect("a URL").to_owned();
    let invoke = reqwest::Client::new().post(format!("{url}/_local/invoke/front"));
    let answer = invoke.json(&json!({ "do": "sleep", "ms": 0 })).send().await.expect("an answer");
    let answer: Value = serde_json::from_str(&answer.text().await.expect("a body")).expect("JSON");
    let function = answer["pid"].as_u64().and_then(|pid| u32::try_from(pid).ok()).expect("a process");
    assert!(is_alive(function));
    Running { child, function }
}

fn is_alive(pid: u32) -> bool {
    // A process that has ended and waits for its parent to notice is not alive.
    std::fs::read_to_string(format!("/proc/{pid}/stat")).is_ok_and(|stat| !stat.contains(") Z "))
}

async fn wait_until(what: &str, mut holds: impl FnMut() -> bool) {
    let begun = Instant::now();
    while !holds() {
        assert!(begun.elapsed() < Duration::from_secs(20), "{what}: not within 20 s");
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}

fn signal(child: &Child, name: &str) {
    let sent = Command::new("kill").args([name, &child.id().to_string()]).status().expect("kill ran");
    assert!(sent.success());
}

#[cfg(target_os = "linux")]
#[tokio::test]
async fn asked_to_end_it_leaves_no_process_behind() {
    let (functions, folder) = (stack::functions(), tempfile::tempdir().expect("a folder"));
    for name in ["-TERM", "-INT"] {
        let mut running = running(functions.path(), folder.path()).await;
        signal(&running.child, name);
        assert!(running.child.wait().expect("its end").success(), "{name}");
        assert!(!is_alive(running.function), "{name}");
        std::fs::remove_file(folder.path().join("ready.json")).expect("removed");
    }
}

/// Nobody is left to kill the functions then: they end because the Runtime API is gone.
#[cfg(target_os = "linux")]
#[tokio::test]
async fn killed_outright_its_functions_end_by_themselves() {
    let (functions, folder) = (stack::functions(), tempfile::tempdir().expect("a folder"));
    let mut running = running(functions.path(), folder.path()).await;
    running.child.kill().expect("killed");
    running.child.wait().expect("its end");
    wait_until("the function has ended", || !is_alive(running.function)).await;
}

#[cfg(unix)]
#[tokio::test]
async fn what_holds_keys_is_its_owners_alone_even_where_it_was_open_to_all() {
    use std::os::unix::fs::PermissionsExt;
    let (functions, folder) = (stack::functions(), tempfile::tempdir().expect("a folder"));
    let (data, ready) = (folder.path().join("data"), folder.path().join("ready.json"));
    std::fs::create_dir(&data).expect("made");
    for open in [data.join("seed.json"), data.join("queues.sqlite"), ready.with_extension("unfinished")] {
        std::fs::write(&open, "").expect("written");
        std::fs::set_permissions(&open, PermissionsExt::from_mode(0o644)).expect("opened to all");
    }
    let mut child = command(functions.path());
    let child = child.arg("--ready-file").arg(&ready).arg("--data-dir").arg(&data).stdout(Stdio::null());
    let mut child = child.spawn().expect("started");
    wait_until("the ready file is there", || ready.exists()).await;
    let mode = |path: &Path| std::fs::metadata(path).expect("there").permissions().mode() & 0o077;
    let mut seen = vec![ready];
    seen.extend(std::fs::read_dir(&data).expect("listed").map(|entry| entry.expect("an entry").path()));
    assert!(seen.len() > 6, "{seen:?}");
    for path in seen {
        assert_eq!(mode(&path), 0, "{}", path.display());
    }
    signal(&child, "-TERM");
    child.wait().expect("its end");
}
