//! Bursts, for each kind of signer and key.

use super::Extent;
use crate::{
    Result,
    fleet::Fleet,
    report::{Figure, Row, Section},
    stage::{ALL, Stage},
};

pub(super) async fn measure(stage: &Stage, extent: Extent) -> Result<Section> {
    let (mut per_second, mut cpu) = (vec![vec![]; ALL.len()], vec![vec![]; ALL.len()]);
    for _ in 0..extent.rounds {
        for (index, signer) in ALL.iter().enumerate() {
            let fleet = match index {
                0 => Fleet::null(stage, signer).await?,
                _ => Fleet::of(stage, &[*signer], 1).await?,
            };
            stage.load.burst(stage, stage.asks(signer), 100).await?.complete()?;
            let before = fleet.usage()?.cpu;
            let answers = stage.load.burst(stage, stage.asks(signer), extent.burst).await?.complete()?;
            let used = fleet.usage()?.cpu - before;
            per_second[index].push(answers.per_second());
            cpu[index].push(used.as_secs_f64() * 1000.0 / extent.burst as f64);
            fleet.stop().await?;
            stage.clear().await?;
        }
    }
    let null = per_second[0].clone();
    let rows = ALL.iter().enumerate().map(|(index, signer)| {
        let ratios: Vec<_> = per_second[index].iter().zip(&null).map(|(one, null)| one / null).collect();
        Row {
            subject: format!("{} (CA {}, pods {})", signer.path, signer.ca, signer.key_type.name()),
            figures: vec![
                Figure::of(&per_second[index], "/s"),
                Figure::of(&ratios, "of null"),
                Figure::of(&cpu[index], "ms"),
            ],
        }
    });
    Ok(Section {
        name: "keys".into(),
        title: format!("Bursts of {} requests at once, one replica", extent.burst),
        columns: vec!["throughput", "ratio", "CPU each"],
        rows: rows.collect(),
        plots: vec![],
    })
}
