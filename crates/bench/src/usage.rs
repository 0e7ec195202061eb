//! What a process has used, as Linux tells it.

use std::{fs, time::Duration};

use crate::Result;

/// CPU time and memory of a process.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Usage {
    pub(crate) cpu: Duration,
    /// Resident now, in KiB.
    pub(crate) resident: u64,
    /// The most that was resident since the start, or since [`forget_peak`], in KiB.
    pub(crate) peak: u64,
}

/// A clock tick of `/proc/PID/stat`: 100 in a second on all architectures that Rust runs on.
const TICK: Duration = Duration::from_millis(10);

impl Usage {
    pub(crate) fn of(pid: u32) -> Result<Self> {
        let stat = fs::read_to_string(format!("/proc/{pid}/stat"))?;
        // the name may hold anything; it ends with the last bracket
        let fields: Vec<&str> = stat.rsplit(')').next().unwrap_or_default().split_whitespace().collect();
        let ticks = |index: usize| fields.get(index).and_then(|field| field.parse::<u32>().ok());
        let ticks = ticks(11).zip(ticks(12)).ok_or("/proc/PID/stat has no times")?;
        let status = fs::read_to_string(format!("/proc/{pid}/status"))?;
        let size = |name: &str| {
            let line = status.lines().find_map(|line| line.strip_prefix(name));
            line.and_then(|rest| rest.split_whitespace().next()).and_then(|size| size.parse().ok())
        };
        let (resident, peak) = size("VmRSS:").zip(size("VmHWM:")).ok_or("/proc/PID/status has no sizes")?;
        Ok(Self { cpu: TICK * (ticks.0 + ticks.1), resident, peak })
    }
}

/// Begins a new peak.
pub(crate) fn forget_peak(pid: u32) -> Result<()> {
    Ok(fs::write(format!("/proc/{pid}/clear_refs"), "5")?)
}
