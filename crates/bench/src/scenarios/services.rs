//! Memory, with many Services: settled, and at the peak of a burst.

use std::time::Duration;

use super::Extent;
use crate::{
    Result,
    fleet::Fleet,
    report::{Plot, Rounds, Row, Section},
    stage::{SERVICE_DNS, Stage},
};

const SETTLES: Duration = Duration::from_secs(10);
const MIB: f64 = 1024.0;

pub(super) async fn measure(stage: &Stage, extent: Extent) -> Result<Section> {
    let steps: &[usize] = if extent.quick { &[100, 1000] } else { &[100, 1000, 10_000] };
    let (mut there, mut rows) = (0, Vec::new());
    let mut rounds = Rounds::of(steps.len());
    for (index, &services) in steps.iter().enumerate() {
        stage.crowd(there, services).await?;
        there = services;
        for _ in 0..extent.rounds.min(3) {
            rounds.push(index, once(stage, extent).await?);
        }
        let figures = [(0, "MiB"), (1, "MiB"), (2, "/s")];
        rows.push(Row {
            subject: format!("{services} Services"),
            figures: figures.map(|(column, unit)| rounds.figure(index, column, unit)).into(),
        });
    }
    let points = |column| {
        let median = |(index, services): (usize, &usize)| {
            (*services as f64, rounds.figure(index, column, "MiB").median)
        };
        steps.iter().enumerate().map(median).collect()
    };
    let plot = Plot {
        file: "services".into(),
        title: "Memory of a replica over Services".into(),
        x: "Services",
        y: "MiB resident",
        lines: vec![],
    };
    Ok(Section {
        name: "services".into(),
        title: format!("Memory of one replica, settled and at the peak of a burst of {}", extent.burst),
        columns: vec!["settled", "peak", "throughput"],
        rows,
        plots: vec![plot.line("peak", points(1)).line("settled", points(0))],
    })
}

/// MiB when settled and at the peak, and certificates a second.
async fn once(stage: &Stage, extent: Extent) -> Result<[f64; 3]> {
    let fleet = Fleet::of(stage, &[SERVICE_DNS], 1).await?;
    tokio::time::sleep(SETTLES).await;
    let settled = fleet.usage()?.resident as f64 / MIB;
    let answers = stage.load.burst(stage, stage.asks(&SERVICE_DNS), extent.burst).await?.complete()?;
    // the start's peak counts too: memory has to be there for it
    let peak = fleet.usage()?.peak as f64 / MIB;
    fleet.stop().await?;
    stage.clear().await?;
    Ok([settled, peak, answers.per_second()])
}
