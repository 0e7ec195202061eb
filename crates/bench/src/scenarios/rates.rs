//! A steady stream, at several paces.

use super::{Extent, Subject};
use crate::{
    Result,
    load::Answers,
    report::{Figure, Plot, Rounds, Row, Section},
    stage::Stage,
};

const RATES: [u32; 3] = [50, 100, 200];

const SUBJECTS: [Subject; 3] = [Subject::Null(1), Subject::Replicas(1), Subject::Replicas(2)];

pub(super) async fn measure(stage: &Stage, extent: Extent) -> Result<Vec<Section>> {
    let mut sections = Vec::new();
    for rate in RATES {
        sections.push(at(stage, extent, rate).await?);
    }
    Ok(sections)
}

async fn at(stage: &Stage, extent: Extent, rate: u32) -> Result<Section> {
    let count = if extent.quick { 200 } else { 1000 };
    let mut rounds = Rounds::of(SUBJECTS.len());
    let mut answers = SUBJECTS.map(|_| Vec::new());
    for _ in 0..extent.rounds {
        for (index, subject) in SUBJECTS.iter().enumerate() {
            let of_round = stream(stage, *subject, rate, count).await?;
            rounds.push(index, [50.0, 99.0, 100.0].map(|percent| milliseconds(&of_round, percent)));
            answers[index].push(of_round);
        }
    }
    let row = |(index, subject): (usize, &Subject)| Row {
        subject: subject.name(),
        figures: vec![
            rounds.figure(index, 0, "ms"),
            rounds.ratio(index, 0),
            rounds.figure(index, 1, "ms"),
            rounds.ratio(index, 1),
            rounds.figure(index, 2, "ms"),
        ],
    };
    let from = "from creation to Issued, as a watch shows it";
    Ok(Section {
        name: format!("rate-{rate}"),
        title: format!("{rate} requests a second, {count} in each round: {from}"),
        columns: vec!["p50", "ratio", "p99", "ratio", "slowest"],
        rows: SUBJECTS.iter().enumerate().map(row).collect(),
        plots: vec![plot(rate, &answers)],
    })
}

/// The distribution of latencies. The slowest hundredth would leave no room for the rest.
fn plot(rate: u32, answers: &[Vec<Answers>; 3]) -> Plot {
    let plot = Plot {
        file: format!("latency-{rate}"),
        title: format!("Requests answered within a time, at {rate} a second"),
        x: "milliseconds from creation to Issued",
        y: "percent of requests",
        lines: vec![],
    };
    let median = |rounds: &[Answers], percent| {
        let values: Vec<_> = rounds.iter().map(|answers| milliseconds(answers, percent)).collect();
        Figure::of(&values, "ms").median
    };
    SUBJECTS.iter().zip(answers).fold(plot, |plot, (subject, rounds)| {
        let percents = (1..=99).map(f64::from);
        plot.line(&subject.name(), percents.map(|percent| (median(rounds, percent), percent)).collect())
    })
}

fn milliseconds(answers: &Answers, percent: f64) -> f64 {
    answers.percentile(percent).as_secs_f64() * 1000.0
}

async fn stream(stage: &Stage, subject: Subject, rate: u32, count: usize) -> Result<Answers> {
    let (fleet, signer) = subject.start(stage).await?;
    stage.load.stream(stage, stage.asks(&signer), rate, rate as usize).await?.complete()?;
    let answers = stage.load.stream(stage, stage.asks(&signer), rate, count).await?.complete()?;
    fleet.stop().await?;
    stage.clear().await?;
    Ok(answers)
}
