//! Whether anything grows: bursts while finished requests lie about, and memory after tens of thousands.

use super::Extent;
use crate::{
    Result,
    fleet::Fleet,
    report::{Figure, Plot, Row, Section},
    stage::{SERVICE_DNS, Stage},
};

const MIB: f64 = 1024.0;

/// Finished requests that lie about, as between two runs of the API server's cleaner.
const LIE_ABOUT: usize = 20_000;

/// What one burst has shown.
struct Burst {
    /// Certificates since the start, and finished requests that lie about.
    done: usize,
    lying: usize,
    per_second: f64,
    /// Milliseconds of CPU for each certificate.
    cost: f64,
    /// In MiB.
    memory: f64,
}

pub(super) async fn measure(stage: &Stage, extent: Extent) -> Result<Section> {
    let total = if extent.quick { 5_000 } else { 50_000 };
    let bursts = bursts(stage, extent, total).await?;
    let fifths = bursts.iter().filter(|burst| burst.done % (total / 5) < extent.burst);
    let row = |burst: &Burst| Row {
        subject: format!("after {}, of which {} lie about", burst.done, burst.lying),
        figures: vec![
            Figure::one(burst.per_second, "/s"),
            Figure::one(burst.cost, "ms"),
            Figure::one(burst.memory, "MiB"),
        ],
    };
    let plot = |file: &str, title: &str, y: &'static str, value: fn(&Burst) -> f64| {
        let x = "certificates since the start";
        let points = bursts.iter().map(|burst| (burst.done as f64, value(burst))).collect();
        Plot { file: file.into(), title: title.into(), x, y, lines: vec![] }.line("1 replica", points)
    };
    Ok(Section {
        name: "age".into(),
        title: format!("Bursts of {} one after the other, by one replica", extent.burst),
        columns: vec!["throughput", "CPU each", "memory"],
        rows: fifths.map(row).collect(),
        plots: vec![
            plot("age-memory", "Memory over age", "MiB resident", |burst| burst.memory),
            plot("age-cost", "Cost over age", "ms of CPU for each certificate", |burst| burst.cost),
        ],
    })
}

async fn bursts(stage: &Stage, extent: Extent, total: usize) -> Result<Vec<Burst>> {
    let fleet = Fleet::of(stage, &[SERVICE_DNS], 1).await?;
    let (mut done, mut lying, mut bursts) = (0, 0, Vec::new());
    while done < total {
        let before = fleet.usage()?.cpu;
        let answers = stage.load.burst(stage, stage.asks(&SERVICE_DNS), extent.burst).await?.complete()?;
        let usage = fleet.usage()?;
        (done, lying) = (done + extent.burst, lying + extent.burst);
        bursts.push(Burst {
            done,
            lying,
            per_second: answers.per_second(),
            cost: (usage.cpu - before).as_secs_f64() * 1000.0 / extent.burst as f64,
            memory: usage.resident as f64 / MIB,
        });
        if lying >= LIE_ABOUT {
            stage.clear().await?;
            lying = 0;
        }
    }
    fleet.stop().await?;
    stage.clear().await?;
    Ok(bursts)
}
