//! What a process has used, as Linux tells it. Elsewhere nothing is known.

use std::fs;

/// The kernel's clock ticks are a hundredth of a second on every Linux there is.
const MS_PER_TICK: u64 = 10;

#[derive(Debug, Clone, Copy)]
pub struct Usage {
    pub cpu_ms: u64,
    /// The most it ever had resident.
    pub resident_kb: u64,
}

pub fn of(pid: u32) -> Option<Usage> {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    // The name, in parentheses, may hold anything: count from behind it.
    let fields: Vec<&str> = stat.rsplit_once(')')?.1.split_whitespace().collect();
    let ticks = fields.get(11)?.parse::<u64>().ok()? + fields.get(12)?.parse::<u64>().ok()?;
    let status = fs::read_to_string(format!("/proc/{pid}/status")).ok()?;
    let resident = status.lines().find_map(|line| line.strip_prefix("VmHWM:"))?;
    let resident_kb = resident.trim().trim_end_matches(" kB").trim().parse().ok()?;
    Some(Usage { cpu_ms: ticks * MS_PER_TICK, resident_kb })
}
