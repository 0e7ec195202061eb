//! Bursts, by the null signer and by one and several replicas, in turn.

use super::{Extent, Subject};
use crate::{
    Result,
    fleet::Counts,
    load::Answers,
    report::{Figure, Plot, Row, Section},
    stage::{SERVICE_DNS, Stage},
};

const SUBJECTS: [Subject; 5] =
    [Subject::Null, Subject::Replicas(1), Subject::Replicas(2), Subject::Replicas(3), Subject::Replicas(5)];

/// What the rounds of one subject have shown.
#[derive(Default)]
struct Shown {
    per_second: Vec<f64>,
    of_null: Vec<f64>,
    duplicates: Vec<f64>,
    largest_share: Vec<f64>,
    cpu: Vec<f64>,
    peak: Vec<f64>,
}

pub(super) async fn measure(stage: &Stage, extent: Extent) -> Result<Section> {
    let mut shown: [Shown; 5] = Default::default();
    for round in 0..extent.rounds {
        let mut null = f64::NAN;
        for (shown, subject) in shown.iter_mut().zip(SUBJECTS) {
            let one = burst(stage, subject, extent.burst).await?;
            let per_second = one.answers.per_second();
            if subject == Subject::Null {
                null = per_second;
            }
            eprintln!("  round {}: {}, {per_second:.0}/s", round + 1, subject.name());
            shown.per_second.push(per_second);
            shown.of_null.push(per_second / null);
            let count = one.answers.latencies.len() as f64;
            shown.duplicates.push(100.0 * one.counts.duplicates / count);
            let largest = one.shares.iter().copied().fold(0.0, f64::max);
            shown.largest_share.push(100.0 * largest / count);
            shown.cpu.push(one.cpu * 1000.0 / count);
            shown.peak.push(one.peak);
        }
    }
    let rows = shown.iter().zip(SUBJECTS).map(|(shown, subject)| Row {
        subject: subject.name(),
        figures: vec![
            Figure::of(&shown.per_second, "/s"),
            Figure::of(&shown.of_null, "of null"),
            Figure::of(&shown.duplicates, "%"),
            Figure::of(&shown.largest_share, "%"),
            Figure::of(&shown.cpu, "ms"),
            Figure::of(&shown.peak, "MiB"),
        ],
    });
    let points = shown.iter().zip(SUBJECTS).filter_map(|(shown, subject)| match subject {
        Subject::Replicas(n) => Some((n as f64, Figure::of(&shown.per_second, "").median)),
        Subject::Null => None,
    });
    let points = points.collect();
    let null = Figure::of(&shown[0].per_second, "").median;
    let plot = Plot {
        file: "replicas".into(),
        title: format!("Throughput over replicas, bursts of {}", extent.burst),
        x: "replicas",
        y: "certificates a second",
        lines: vec![],
    };
    Ok(Section {
        name: "replicas".into(),
        title: format!("Bursts of {} requests at once, by {}", extent.burst, SERVICE_DNS.path),
        columns: vec![
            "throughput",
            "ratio",
            "duplicates",
            "largest share",
            "CPU each, all",
            "peak memory of one",
        ],
        rows: rows.collect(),
        plots: vec![plot.line("signer-manager", points).line("null signer", vec![(1.0, null), (5.0, null)])],
    })
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
