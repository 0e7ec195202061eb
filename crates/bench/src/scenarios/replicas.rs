//! Bursts, by the null signer and by one and several replicas, in turn.

use super::{Extent, Subject};
use crate::{
    Result,
    fleet::Counts,
    load::Answers,
    report::{Plot, Rounds, Row, Section},
    stage::{SERVICE_DNS, Stage},
};

const SUBJECTS: [Subject; 5] =
    [Subject::Null, Subject::Replicas(1), Subject::Replicas(2), Subject::Replicas(3), Subject::Replicas(5)];

const COLUMNS: [&str; 6] =
    ["throughput", "ratio", "duplicates", "largest share", "CPU each, all", "peak memory of one"];

pub(super) async fn measure(stage: &Stage, extent: Extent) -> Result<Section> {
    let mut rounds = Rounds::of(SUBJECTS.len());
    for round in 1..=extent.rounds {
        for (index, subject) in SUBJECTS.iter().enumerate() {
            let values = burst(stage, *subject, extent.burst).await?.values();
            eprintln!("  round {round}: {}, {:.0}/s", subject.name(), values[0]);
            rounds.push(index, values);
        }
    }
    let row = |(index, subject): (usize, &Subject)| Row {
        subject: subject.name(),
        figures: vec![
            rounds.figure(index, 0, "/s"),
            rounds.ratio(index, 0),
            rounds.figure(index, 1, "%"),
            rounds.figure(index, 2, "%"),
            rounds.figure(index, 3, "ms"),
            rounds.figure(index, 4, "MiB"),
        ],
    };
    Ok(Section {
        name: "replicas".into(),
        title: format!("Bursts of {} requests at once, by {}", extent.burst, SERVICE_DNS.path),
        columns: COLUMNS.to_vec(),
        rows: SUBJECTS.iter().enumerate().map(row).collect(),
        plots: vec![plot(&rounds, extent)],
    })
}

fn plot(rounds: &Rounds, extent: Extent) -> Plot {
    let median = |index| rounds.figure(index, 0, "/s").median;
    let points = SUBJECTS.iter().enumerate().filter_map(|(index, subject)| match subject {
        Subject::Replicas(n) => Some((*n as f64, median(index))),
        Subject::Null => None,
    });
    let plot = Plot {
        file: "replicas".into(),
        title: format!("Throughput over replicas, bursts of {}", extent.burst),
        x: "replicas",
        y: "certificates a second",
        lines: vec![],
    };
    let null = vec![(1.0, median(0)), (5.0, median(0))];
    plot.line("signer-manager", points.collect()).line("null signer", null)
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
    /// milliseconds of CPU for each; MiB.
    fn values(&self) -> [f64; 5] {
        let count = self.answers.latencies.len() as f64;
        let largest = self.shares.iter().copied().fold(0.0, f64::max);
        [
            self.answers.per_second(),
            100.0 * self.counts.duplicates / count,
            100.0 * largest / count,
            1000.0 * self.cpu / count,
            self.peak,
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
