//! What the process uses, by the names that Prometheus's own clients give it:
//! <https://prometheus.io/docs/instrumenting/writing_clientlibs/#process-metrics>

use std::fmt;

use procfs::{ProcResult, process::Process};
use prometheus_client::{
    collector::Collector,
    encoding::{DescriptorEncoder, NoLabelSet},
    metrics::MetricType,
};

use super::gauge;

/// Looks when it is scraped.
#[derive(Debug)]
pub(super) struct ProcessCollector;

struct Usage {
    cpu_seconds: f64,
    resident_bytes: f64,
    threads: f64,
    open_files: f64,
    start_seconds: f64,
}

impl Usage {
    fn now() -> ProcResult<Self> {
        let process = Process::myself()?;
        let stat = process.stat()?;
        let ticks = procfs::ticks_per_second() as f64;
        Ok(Self {
            cpu_seconds: (stat.utime + stat.stime) as f64 / ticks,
            resident_bytes: (stat.rss * procfs::page_size()) as f64,
            threads: stat.num_threads as f64,
            open_files: process.fd_count()? as f64,
            start_seconds: procfs::boot_time_secs()? as f64 + stat.starttime as f64 / ticks,
        })
    }
}

impl Collector for ProcessCollector {
    fn encode(&self, mut encoder: DescriptorEncoder<'_>) -> fmt::Result {
        // where there is no /proc, nothing can be told
        let Ok(usage) = Usage::now() else { return Ok(()) };
        let help = "CPU time that was used";
        let mut cpu = encoder.encode_descriptor("process_cpu_seconds", help, None, MetricType::Counter)?;
        cpu.encode_counter::<NoLabelSet, _, u64>(&usage.cpu_seconds, None)?;
        let all = [
            ("process_resident_memory_bytes", "Memory that is resident", usage.resident_bytes),
            ("process_threads", "Threads", usage.threads),
            ("process_open_fds", "Open files", usage.open_files),
            (
                "process_start_time_seconds",
                "When the process began, in seconds since 1970",
                usage.start_seconds,
            ),
        ];
        all.into_iter().try_for_each(|(name, help, value)| gauge(&mut encoder, name, help, value))
    }
}
