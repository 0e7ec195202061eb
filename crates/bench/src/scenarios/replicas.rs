//! Bursts, by the null signer and by one and several replicas, in turn.

use super::Extent;
use crate::{
    Result,
    fleet::{Counts, Fleet},
    load::Answers,
    report::{Figure, Plot, Row, Section},
    stage::{NULL, SERVICE_DNS, Stage},
};

/// So many replicas; none stands for the null signer.
const SUBJECTS: [usize; 5] = [0, 1, 2, 3, 5];

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
        for (shown, replicas) in shown.iter_mut().zip(SUBJECTS) {
            let one = burst(stage, replicas, extent.burst).await?;
            let per_second = one.answers.per_second();
            if replicas == 0 {
                null = per_second;
            }
            eprintln!("  round {}: {replicas} replicas, {per_second:.0}/s", round + 1);
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
    let rows = shown.iter().zip(SUBJECTS).map(|(shown, replicas)| Row {
        subject: name(replicas),
        figures: vec![
            Figure::of(&shown.per_second, "/s"),
            Figure::of(&shown.of_null, "of null"),
            Figure::of(&shown.duplicates, "%"),
            Figure::of(&shown.largest_share, "%"),
            Figure::of(&shown.cpu, "ms"),
            Figure::of(&shown.peak, "MiB"),
        ],
    });
    let points = shown.iter().zip(SUBJECTS).filter(|(_, replicas)| *replicas > 0);
    let points = points.map(|(shown, n)| (n as f64, Figure::of(&shown.per_second, "").median)).collect();
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
        title: format!("Bursts of {} requests at once, by {SERVICE_DNS_NAME}", extent.burst),
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

const SERVICE_DNS_NAME: &str = "service-dns";

struct Measured {
    answers: Answers,
    counts: Counts,
    shares: Vec<f64>,
    /// In seconds.
    cpu: f64,
    /// In MiB.
    peak: f64,
}

async fn burst(stage: &Stage, replicas: usize, count: usize) -> Result<Measured> {
    let signer = if replicas == 0 { NULL } else { SERVICE_DNS };
    let fleet = match replicas {
        0 => Fleet::null(stage, &signer).await?,
        replicas => Fleet::of(stage, &[signer], replicas).await?,
    };
    // connections are made, and replicas know each other
    stage.load.burst(stage, stage.asks(&signer), 200).await?.complete()?;
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

fn name(replicas: usize) -> String {
    match replicas {
        0 => "null signer".to_owned(),
        1 => "1 replica".to_owned(),
        n => format!("{n} replicas"),
    }
}
