//! A wave of refreshes: running pods, which nobody watches, ask all at once.

use futures::{StreamExt, TryStreamExt, stream};

use super::{Extent, Subject};
use crate::{
    Result,
    report::{Figure, Row, Section},
    stage::Stage,
};

const SUBJECTS: [Subject; 3] = [Subject::Null, Subject::Replicas(1), Subject::Replicas(2)];

pub(super) async fn measure(stage: &Stage, extent: Extent) -> Result<Section> {
    let mut per_second = SUBJECTS.map(|_| Vec::new());
    let mut slowest = SUBJECTS.map(|_| Vec::new());
    set_phases(stage, "Running").await?;
    for _ in 0..extent.rounds {
        for (index, subject) in SUBJECTS.iter().enumerate() {
            let (fleet, signer) = subject.start(stage).await?;
            stage.load.burst(stage, stage.asks(&signer), 100).await?.complete()?;
            let answers = stage.load.burst(stage, stage.asks(&signer), extent.burst).await?.complete()?;
            per_second[index].push(answers.per_second());
            slowest[index].push(answers.slowest().as_secs_f64() * 1000.0);
            fleet.stop().await?;
            stage.clear().await?;
        }
    }
    set_phases(stage, "Pending").await?;
    let null = per_second[0].clone();
    let rows = SUBJECTS.iter().enumerate().map(|(index, subject)| {
        let ratios: Vec<_> = per_second[index].iter().zip(&null).map(|(one, null)| one / null).collect();
        Row {
            subject: subject.name(),
            figures: vec![
                Figure::of(&per_second[index], "/s"),
                Figure::of(&ratios, "of null"),
                Figure::of(&slowest[index], "ms"),
            ],
        }
    });
    Ok(Section {
        name: "wave".into(),
        title: format!("{} running pods' refreshes at once: each takes a GET of its pod, too", extent.burst),
        columns: vec!["throughput", "ratio", "slowest"],
        rows: rows.collect(),
        plots: vec![],
    })
}

async fn set_phases(stage: &Stage, phase: &str) -> Result<()> {
    let set = stage.pods.iter().map(|pod| stage.kubelet.set_phase(pod, phase));
    Ok(stream::iter(set).buffer_unordered(32).try_collect::<()>().await?)
}
