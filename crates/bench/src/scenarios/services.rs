//! Memory, with many Services: settled, and at the peak of a burst.

use std::time::Duration;

use super::Extent;
use crate::{
    Result,
    fleet::Fleet,
    report::{Figure, Plot, Row, Section},
    stage::{SERVICE_DNS, Stage},
};

const SETTLES: Duration = Duration::from_secs(10);
const MIB: f64 = 1024.0;

pub(super) async fn measure(stage: &Stage, extent: Extent) -> Result<Section> {
    let steps: &[usize] = if extent.quick { &[100, 1000] } else { &[100, 1000, 10_000] };
    let (mut there, mut rows) = (0, Vec::new());
    let (mut settled_points, mut peak_points) = (vec![], vec![]);
    for &services in steps {
        stage.crowd(there, services).await?;
        there = services;
        let (mut settled, mut peak, mut per_second) = (vec![], vec![], vec![]);
        for _ in 0..extent.rounds.min(3) {
            let fleet = Fleet::of(stage, &[SERVICE_DNS], 1).await?;
            tokio::time::sleep(SETTLES).await;
            settled.push(fleet.usage()?.resident as f64 / MIB);
            let answers =
                stage.load.burst(stage, stage.asks(&SERVICE_DNS), extent.burst).await?.complete()?;
            // the start's peak counts too: memory has to be there for it
            peak.push(fleet.usage()?.peak as f64 / MIB);
            per_second.push(answers.per_second());
            fleet.stop().await?;
            stage.clear().await?;
        }
        settled_points.push((services as f64, Figure::of(&settled, "").median));
        peak_points.push((services as f64, Figure::of(&peak, "").median));
        rows.push(Row {
            subject: format!("{services} Services"),
            figures: vec![
                Figure::of(&settled, "MiB"),
                Figure::of(&peak, "MiB"),
                Figure::of(&per_second, "/s"),
            ],
        });
    }
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
        plots: vec![plot.line("peak", peak_points).line("settled", settled_points)],
    })
}
