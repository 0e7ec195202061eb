//! A wave of refreshes: running pods, which nobody watches, ask all at once.

use futures::{StreamExt, TryStreamExt, stream};

use super::{Extent, Subject};
use crate::{
    Result,
    report::{Rounds, Row, Section},
    stage::Stage,
};

const SUBJECTS: [Subject; 3] = [Subject::Null(1), Subject::Replicas(1), Subject::Replicas(2)];

pub(super) async fn measure(stage: &Stage, extent: Extent) -> Result<Section> {
    let mut rounds = Rounds::of(SUBJECTS.len());
    set_phases(stage, "Running").await?;
    for _ in 0..extent.rounds {
        for (index, subject) in SUBJECTS.iter().enumerate() {
            let (fleet, signer) = subject.start(stage).await?;
            stage.load.burst(stage, stage.asks(&signer), 100).await?.complete()?;
            let answers = stage.load.burst(stage, stage.asks(&signer), extent.burst).await?.complete()?;
            rounds.push(index, [answers.per_second(), answers.slowest().as_secs_f64() * 1000.0]);
            fleet.stop().await?;
            stage.clear().await?;
        }
    }
    set_phases(stage, "Pending").await?;
    let row = |(index, subject): (usize, &Subject)| Row {
        subject: subject.name(),
        figures: vec![rounds.figure(index, 0, "/s"), rounds.ratio(index, 0), rounds.figure(index, 1, "ms")],
    };
    Ok(Section {
        name: "wave".into(),
        title: format!("{} running pods' refreshes at once: each takes a GET of its pod, too", extent.burst),
        columns: vec!["throughput", "ratio", "slowest"],
        rows: SUBJECTS.iter().enumerate().map(row).collect(),
        plots: vec![],
    })
}

async fn set_phases(stage: &Stage, phase: &str) -> Result<()> {
    let set = stage.pods.iter().map(|pod| stage.kubelet.set_phase(pod, phase));
    Ok(stream::iter(set).buffer_unordered(32).try_collect::<()>().await?)
}
