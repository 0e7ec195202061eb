//! Bursts, for each kind of signer and key.

use super::Extent;
use crate::{
    Result,
    fleet::Fleet,
    report::{Rounds, Row, Section},
    stage::{ALL, Signer, Stage},
};

pub(super) async fn measure(stage: &Stage, extent: Extent) -> Result<Section> {
    let mut rounds = Rounds::of(ALL.len());
    for _ in 0..extent.rounds {
        for (index, signer) in ALL.iter().enumerate() {
            let fleet = match index {
                0 => Fleet::of_null(stage, signer, 1).await?,
                _ => Fleet::of(stage, &[*signer], 1).await?,
            };
            stage.load.burst(stage, stage.asks(signer), 100).await?.complete()?;
            let before = fleet.usage()?.cpu;
            let answers = stage.load.burst(stage, stage.asks(signer), extent.burst).await?.complete()?;
            let used = fleet.usage()?.cpu - before;
            let cpu = used.as_secs_f64() * 1000.0 / extent.burst as f64;
            rounds.push(index, [answers.per_second(), cpu]);
            fleet.stop().await?;
            stage.clear().await?;
        }
    }
    let row = |(index, signer): (usize, &Signer)| Row {
        subject: format!("{} (CA {}, pods {})", signer.path, signer.ca, signer.key_type.name()),
        figures: vec![rounds.figure(index, 0, "/s"), rounds.ratio(index, 0), rounds.figure(index, 1, "ms")],
    };
    Ok(Section {
        name: "keys".into(),
        title: format!("Bursts of {} requests at once, one replica", extent.burst),
        columns: vec!["throughput", "ratio", "CPU each"],
        rows: ALL.iter().enumerate().map(row).collect(),
        plots: vec![],
    })
}
