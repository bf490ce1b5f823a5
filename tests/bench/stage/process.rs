//! What processes use, as Linux tells it.

use std::fs;
use std::path::PathBuf;

/// The kernel's clock ticks are a hundredth of a second on every Linux there is.
const TICKS_PER_SECOND: f64 = 100.0;

/// A process that another has started.
#[derive(Debug, Clone)]
pub struct Child {
    pub pid: u32,
    /// Its executable's file name.
    pub name: String,
}

/// Memory resident now, in megabytes of a million bytes.
pub fn resident_mb(pid: u32) -> Option<f64> {
    status(pid, "VmRSS:")
}

/// The most memory that was ever resident, in megabytes.
pub fn most_resident_mb(pid: u32) -> Option<f64> {
    status(pid, "VmHWM:")
}

fn status(pid: u32, field: &str) -> Option<f64> {
    let status = fs::read_to_string(format!("/proc/{pid}/status")).ok()?;
    let value = status.lines().find_map(|line| line.strip_prefix(field))?;
    let kib: f64 = value.trim().trim_end_matches(" kB").trim().parse().ok()?;
    Some(kib * 1024.0 / 1e6)
}

/// Processor seconds, to a hundredth.
pub fn cpu_seconds(pid: u32) -> Option<f64> {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    // The name, in parentheses, may hold anything: count from behind it.
    let fields: Vec<&str> = stat.rsplit_once(')')?.1.split_whitespace().collect();
    Some((fields.get(11)?.parse::<f64>().ok()? + fields.get(12)?.parse::<f64>().ok()?) / TICKS_PER_SECOND)
}

/// Processor milliseconds of a process that is some milliseconds old, to the nanosecond.
pub fn cpu_ms_exactly(pid: u32) -> Option<f64> {
    let threads = fs::read_dir(format!("/proc/{pid}/task")).ok()?;
    let nanoseconds = |thread: fs::DirEntry| -> Option<f64> {
        fs::read_to_string(thread.path().join("schedstat")).ok()?.split(' ').next()?.parse().ok()
    };
    Some(threads.filter_map(Result::ok).filter_map(nanoseconds).sum::<f64>() / 1e6)
}

/// The processes that `parent` has started.
pub fn children(parent: u32) -> Vec<Child> {
    let entries = fs::read_dir("/proc").into_iter().flatten().filter_map(Result::ok);
    let pids = entries.filter_map(|entry| entry.file_name().to_str()?.parse::<u32>().ok());
    pids.filter(|pid| parent_of(*pid) == Some(parent))
        .filter_map(|pid| {
            let executable: PathBuf = fs::read_link(format!("/proc/{pid}/exe")).ok()?;
            Some(Child { pid, name: executable.file_name()?.to_str()?.to_owned() })
        })
        .collect()
}

fn parent_of(pid: u32) -> Option<u32> {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    stat.rsplit_once(')')?.1.split_whitespace().nth(1)?.parse().ok()
}
