//! On what is measured, and whether it has time for it.

use std::{fs, thread, time::Duration};

use serde::Serialize;

/// The machine, as a report names it.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct Machine {
    pub(crate) processor: String,
    pub(crate) cores: usize,
    pub(crate) memory_gib: u64,
    pub(crate) kernel: String,
    /// How much of the processors others used before the measurements began, in percent.
    pub(crate) busy_percent: u64,
}

/// More than that, and figures tell of others' work too.
pub(crate) const BUSY: u64 = 10;

impl Machine {
    /// Looks for a second.
    pub(crate) fn look() -> Self {
        let read = |path: &str| fs::read_to_string(path).unwrap_or_default();
        let value = |text: &str, name: &str| {
            let line = text.lines().find(|line| line.starts_with(name)).unwrap_or_default();
            line.split(':').nth(1).unwrap_or("unknown").trim().to_owned()
        };
        let memory = value(&read("/proc/meminfo"), "MemTotal");
        let kib: u64 = memory.split(' ').next().and_then(|kib| kib.parse().ok()).unwrap_or_default();
        Self {
            processor: value(&read("/proc/cpuinfo"), "model name"),
            cores: thread::available_parallelism().map_or(1, usize::from),
            memory_gib: kib.div_ceil(1024 * 1024),
            kernel: read("/proc/sys/kernel/osrelease").trim().to_owned(),
            busy_percent: busy_percent(),
        }
    }

    /// A warning, if others use the machine.
    pub(crate) fn warning(&self) -> Option<String> {
        let busy = self.busy_percent;
        let text = format!(
            "this machine is busy: others use {busy}% of its processors, so figures are lower and vary more; ratios suffer less"
        );
        (busy > BUSY).then_some(text)
    }
}

fn busy_percent() -> u64 {
    let (before, idle_before) = processor_time();
    thread::sleep(Duration::from_secs(1));
    let (after, idle_after) = processor_time();
    let all = after.saturating_sub(before).max(1);
    100 - (100 * idle_after.saturating_sub(idle_before) / all).min(100)
}

/// All ticks, and those without work.
fn processor_time() -> (u64, u64) {
    let stat = fs::read_to_string("/proc/stat").unwrap_or_default();
    let first = stat.lines().next().unwrap_or_default();
    let ticks: Vec<u64> = first.split_whitespace().skip(1).filter_map(|ticks| ticks.parse().ok()).collect();
    // guests' time is in the users' already
    (ticks.iter().take(8).sum(), ticks.iter().skip(3).take(2).sum())
}
