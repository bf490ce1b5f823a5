//! What the engine and each function keep in memory: at rest, and while notifications go through it, which must not add
//! to it.

#[allow(dead_code, reason = "every bench uses a part of the stage")]
mod stage;

use std::collections::BTreeMap;
use std::time::Instant;

use serde_json::{Value, json};
use stage::engine::Stage;
use stage::process;
use stage::receiver::Receiver;
use stage::report::{self, Table, say};
use stage::traffic::Sender;

const ENGINE_BUDGET: f64 = 150.0;
const FUNCTION_BUDGET: f64 = 32.0;
const ADDRESSES: usize = 1_000;
const AT_ONCE: usize = 32;
/// Notifications between two looks: also the most that are under way.
const STEP: usize = 500;
/// Lines of the table.
const LOOKS: usize = 10;
/// Enough that every function is started.
const WARM_UP: usize = 20;

/// Megabytes resident.
struct Look {
    notifications: usize,
    engine: f64,
    /// The largest process of each function, and how many there are.
    functions: BTreeMap<String, (f64, usize)>,
}

impl Look {
    fn at(stage: &Stage, notifications: usize) -> Self {
        let mut functions: BTreeMap<String, (f64, usize)> = BTreeMap::new();
        for child in process::children(stage.pid()) {
            let Some(resident) = process::resident_mb(child.pid) else { continue };
            let (most, count) = functions.entry(child.name).or_default();
            *most = most.max(resident);
            *count += 1;
        }
        Self { notifications, engine: process::resident_mb(stage.pid()).unwrap(), functions }
    }

    fn largest_function(&self) -> f64 {
        self.functions.values().map(|(resident, _)| *resident).fold(0.0, f64::max)
    }

    fn processes(&self) -> usize {
        self.functions.values().map(|(_, count)| count).sum()
    }

    fn json(&self) -> Value {
        let functions = self.functions.iter();
        let functions: BTreeMap<_, _> =
            functions.map(|(name, (mb, count))| (name, json!({ "mb": mb, "processes": count }))).collect();
        json!({ "notifications": self.notifications, "engineMb": self.engine, "functions": functions })
    }
}

async fn bench() {
    let notifications = stage::argument("--notifications", 100_000);
    let data_dir = tempfile::tempdir().unwrap();
    let stage = Stage::start(data_dir.path());
    let receiver = Receiver::start().await;
    let app = stage.app(&[receiver.url().to_owned()]).await;
    let sender = Sender::new(&stage, &app);
    let mut looks = vec![Look::at(&stage, 0)];
    sender.burst(WARM_UP, 1, ADDRESSES).await;
    receiver.ended(WARM_UP).await;
    receiver.take();
    stage.idle().await;
    looks.push(Look::at(&stage, WARM_UP));

    let start = Instant::now();
    let mut sent = 0;
    while sent < notifications {
        let step = STEP.min(notifications - sent);
        sender.burst(step, AT_ONCE, ADDRESSES).await;
        receiver.ended(step).await;
        receiver.take();
        sent += step;
        if sent * LOOKS / notifications > (sent - step) * LOOKS / notifications {
            looks.push(Look::at(&stage, sent));
        }
    }
    let took = start.elapsed().as_secs_f64();
    stage.idle().await;
    print(&looks, &stage);
    say(&format!("{sent} notifications in {took:.0} s"));
    let most = process::most_resident_mb(stage.pid());
    let looks: Vec<Value> = looks.iter().map(Look::json).collect();
    report::save("memory", &json!({ "looks": looks, "engineMostMb": most, "seconds": took }));
}

fn print(looks: &[Look], stage: &Stage) {
    let mut table = Table::new(["after notifications", "engine MB", "largest function MB", "function processes"]);
    for look in looks {
        table.row([
            look.notifications.to_string(),
            format!("{:.1}", look.engine),
            format!("{:.1}", look.largest_function()),
            look.processes().to_string(),
        ]);
    }
    table.print();
    let last = looks.last().unwrap();
    let mut table = Table::new(["largest process at the end", "MB", "budget", ""]);
    for (name, (resident, _)) in &last.functions {
        let verdict = report::verdict(*resident, FUNCTION_BUDGET).to_owned();
        table.row([name.clone(), format!("{resident:.1}"), format!("{FUNCTION_BUDGET}"), verdict]);
    }
    let most = process::most_resident_mb(stage.pid()).unwrap();
    let verdict = report::verdict(most, ENGINE_BUDGET).to_owned();
    table.row(["engine, the most it ever had".into(), format!("{most:.1}"), format!("{ENGINE_BUDGET}"), verdict]);
    table.print();
}

fn main() {
    stage::run(bench());
}
