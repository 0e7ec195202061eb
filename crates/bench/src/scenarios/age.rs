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

pub(super) async fn measure(stage: &Stage, extent: Extent) -> Result<Section> {
    let total = if extent.quick { 5_000 } else { 50_000 };
    let fleet = Fleet::of(stage, &[SERVICE_DNS], 1).await?;
    let (mut done, mut lying, mut rows) = (0, 0, Vec::new());
    let (mut memory, mut cost) = (vec![], vec![]);
    while done < total {
        let before = fleet.usage()?.cpu;
        let answers = stage.load.burst(stage, stage.asks(&SERVICE_DNS), extent.burst).await?.complete()?;
        let usage = fleet.usage()?;
        (done, lying) = (done + extent.burst, lying + extent.burst);
        let each = (usage.cpu - before).as_secs_f64() * 1000.0 / extent.burst as f64;
        let resident = usage.resident as f64 / MIB;
        memory.push((done as f64, resident));
        cost.push((done as f64, each));
        if done % (total / 5) < extent.burst {
            rows.push(Row {
                subject: format!("after {done}, of which {lying} lie about"),
                figures: vec![
                    Figure::one(answers.per_second(), "/s"),
                    Figure::one(each, "ms"),
                    Figure::one(resident, "MiB"),
                ],
            });
        }
        if lying >= LIE_ABOUT {
            stage.clear().await?;
            lying = 0;
        }
    }
    fleet.stop().await?;
    stage.clear().await?;
    let plot = |file: &str, title: &str, y: &'static str, points| {
        let x = "certificates since the start";
        Plot { file: file.into(), title: title.into(), x, y, lines: vec![] }.line("1 replica", points)
    };
    Ok(Section {
        name: "age".into(),
        title: format!("Bursts of {} one after the other, by one replica", extent.burst),
        columns: vec!["throughput", "CPU each", "memory"],
        rows,
        plots: vec![
            plot("age-memory", "Memory over age", "MiB resident", memory),
            plot("age-cost", "Cost over age", "ms of CPU for each certificate", cost),
        ],
    })
}
