//! Bursts, by null signers and by as many replicas, in turn.

use super::{Extent, Subject};
use crate::{
    Result,
    fleet::Counts,
    load::Answers,
    report::{Plot, Rounds, Row, Section},
    stage::{SERVICE_DNS, Stage},
};

/// Each number of replicas comes after as many null signers.
const SUBJECTS: [Subject; 8] = [
    Subject::Null(1),
    Subject::Replicas(1),
    Subject::Null(2),
    Subject::Replicas(2),
    Subject::Null(3),
    Subject::Replicas(3),
    Subject::Null(5),
    Subject::Replicas(5),
];

const COLUMNS: [&str; 8] = [
    "throughput",
    "to the null signer",
    "to as many",
    "slowest request",
    "duplicates",
    "largest share",
    "CPU each, all",
    "peak memory of one",
];

pub(super) async fn measure(stage: &Stage, extent: Extent) -> Result<Section> {
    let subjects = if extent.quick { &SUBJECTS[..4] } else { &SUBJECTS };
    let mut rounds = Rounds::of(subjects.len());
    for round in 1..=extent.rounds {
        for (index, subject) in subjects.iter().enumerate() {
            let values = burst(stage, *subject, extent.burst).await?.values();
            eprintln!("  round {round}: {}, {:.0}/s", subject.name(), values[0]);
            rounds.push(index, values);
        }
    }
    Ok(Section {
        name: "replicas".into(),
        title: format!("Bursts of {} requests at once, by {}", extent.burst, SERVICE_DNS.path),
        columns: COLUMNS.to_vec(),
        rows: (0..subjects.len()).map(|index| row(&rounds, index)).collect(),
        plots: vec![plot(&rounds, subjects, extent)],
    })
}

fn row(rounds: &Rounds, index: usize) -> Row {
    let as_many = index - index % 2;
    Row {
        subject: SUBJECTS[index].name(),
        figures: vec![
            rounds.figure(index, 0, "/s"),
            rounds.ratio_to(index, 0, 0, ""),
            rounds.ratio_to(index, as_many, 0, ""),
            rounds.figure(index, 5, "ms"),
            rounds.figure(index, 1, "%"),
            rounds.figure(index, 2, "%"),
            rounds.figure(index, 3, "ms"),
            rounds.figure(index, 4, "MiB"),
        ],
    }
}

fn plot(rounds: &Rounds, subjects: &[Subject], extent: Extent) -> Plot {
    let (mut null, mut replicas) = (vec![], vec![]);
    for (index, subject) in subjects.iter().enumerate() {
        let throughput = rounds.figure(index, 0, "/s").median;
        match subject {
            Subject::Null(n) => null.push((f64::from(*n), throughput)),
            Subject::Replicas(n) => replicas.push((f64::from(*n), throughput)),
        }
    }
    let plot = Plot {
        file: "replicas".into(),
        title: format!("Throughput over replicas, bursts of {}", extent.burst),
        x: "replicas",
        y: "certificates a second",
        lines: vec![],
    };
    plot.line("signer-manager", replicas).line("as many null signers", null)
}

struct Measured {
    answers: Answers,
    counts: Counts,
    shares: Vec<f64>,
    /// In seconds.
    cpu: f64,
    /// In MiB.
    peak: f64,
}

impl Measured {
    /// Certificates a second; the percentage that was signed in vain, and that the busiest replica has issued;
    /// milliseconds of CPU for each; MiB; milliseconds that the slowest request took.
    fn values(&self) -> [f64; 6] {
        let count = self.answers.latencies.len() as f64;
        let largest = self.shares.iter().copied().fold(0.0, f64::max);
        [
            self.answers.per_second(),
            100.0 * self.counts.duplicates / count,
            100.0 * largest / count,
            1000.0 * self.cpu / count,
            self.peak,
            1000.0 * self.answers.slowest().as_secs_f64(),
        ]
    }
}

async fn burst(stage: &Stage, subject: Subject, count: usize) -> Result<Measured> {
    let (fleet, signer) = subject.start(stage).await?;
    // connections are made, and replicas know each other
    stage.load.burst(stage, stage.asks(&signer), 500).await?.complete()?;
    let (counts, shares, usage) = (fleet.counts().await?, fleet.shares().await?, fleet.usage()?);
    fleet.forget_peaks()?;
    let answers = stage.load.burst(stage, stage.asks(&signer), count).await?.complete()?;
    let after = fleet.usage()?;
    let measured = Measured {
        answers,
        counts: fleet.counts().await?.since(counts),
        shares: fleet.shares().await?.iter().zip(shares).map(|(after, before)| after - before).collect(),
        cpu: (after.cpu - usage.cpu).as_secs_f64(),
        peak: after.peak as f64 / 1024.0,
    };
    fleet.stop().await?;
    stage.clear().await?;
    Ok(measured)
}
