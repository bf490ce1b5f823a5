//! How many notifications this machine takes and delivers at full speed, and whose processor time that is.

#[allow(dead_code, reason = "every bench uses a part of the stage")]
mod stage;

use std::time::Instant;

use serde_json::json;
use stage::engine::Stage;
use stage::process;
use stage::receiver::Receiver;
use stage::report::{self, Table};
use stage::traffic::Sender;

/// Requests under way at once.
const AT_ONCE: usize = 32;
const WARM_UP: usize = 200;
/// Different people.
const ADDRESSES: usize = 1_000;

async fn bench() {
    let notifications = stage::argument("--notifications", 5_000);
    let data_dir = tempfile::tempdir().unwrap();
    let stage = Stage::start(data_dir.path());
    let receiver = Receiver::start().await;
    let sender = Sender::new(&stage, &stage.app(&[receiver.url().to_owned()]).await);
    sender.burst(WARM_UP, AT_ONCE, ADDRESSES).await;
    receiver.ended(WARM_UP).await;
    stage.idle().await;
    receiver.take();

    stage.reset_calls().await;
    let cpu = [process::cpu_seconds(stage.pid()).unwrap(), process::cpu_seconds(std::process::id()).unwrap()];
    let start = Instant::now();
    sender.burst(notifications, AT_ONCE, ADDRESSES).await;
    let accepted = start.elapsed().as_secs_f64();
    receiver.ended(notifications).await;
    let delivered = start.elapsed().as_secs_f64();
    stage.idle().await;
    let calls = stage.calls().await;
    let thousands = notifications as f64 / 1000.0;
    let engine = (process::cpu_seconds(stage.pid()).unwrap() - cpu[0]) / thousands;
    let bench = (process::cpu_seconds(std::process::id()).unwrap() - cpu[1]) / thousands;

    let per_second = |seconds: f64| notifications as f64 / seconds;
    let mut table = Table::new([format!("{notifications} notifications, {AT_ONCE} at once").as_str(), ""]);
    table.row(["accepted per second".into(), format!("{:.0}", per_second(accepted))]);
    table.row(["delivered per second".into(), format!("{:.0}", per_second(delivered))]);
    table.print();
    let mut table = Table::new(["processor seconds per 1,000 notifications", "", "records per batch"]);
    let mut functions = 0.0;
    for (name, account) in calls["functions"].as_object().unwrap() {
        let number = |key: &str| account[key].as_f64().unwrap_or(0.0);
        let seconds = number("cpuMs") / 1000.0 / thousands;
        functions += seconds;
        if number("invocations") > 0.0 {
            let batches = number("batches");
            let fill = if batches > 0.0 { format!("{:.1}", number("records") / batches) } else { "-".into() };
            table.row([name.clone(), format!("{seconds:.2}"), fill]);
        }
    }
    table.row(["all functions".into(), format!("{functions:.2}"), String::new()]);
    table.row(["engine".into(), format!("{engine:.2}"), String::new()]);
    table.row(["traffic and webhook receiver".into(), format!("{bench:.2}"), String::new()]);
    table.print();
    report::save(
        "saturation",
        &json!({
            "notifications": notifications,
            "acceptedPerSecond": per_second(accepted),
            "deliveredPerSecond": per_second(delivered),
            "cpuSecondsPer1000": { "functions": functions, "engine": engine, "bench": bench },
            "calls": calls,
        }),
    );
}

fn main() {
    stage::run(bench());
}
