//! A steady stream, at several paces.

use super::{Extent, Subject};
use crate::{
    Result,
    load::Answers,
    report::{Figure, Plot, Row, Section},
    stage::Stage,
};

const RATES: [u32; 3] = [50, 100, 200];

const SUBJECTS: [Subject; 3] = [Subject::Null, Subject::Replicas(1), Subject::Replicas(2)];

pub(super) async fn measure(stage: &Stage, extent: Extent) -> Result<Vec<Section>> {
    let mut sections = Vec::new();
    for rate in RATES {
        sections.push(at(stage, extent, rate).await?);
    }
    Ok(sections)
}

async fn at(stage: &Stage, extent: Extent, rate: u32) -> Result<Section> {
    let count = if extent.quick { rate as usize * 4 } else { rate as usize * 20 };
    let mut shown: [Vec<Answers>; 3] = Default::default();
    for _ in 0..extent.rounds {
        for (shown, subject) in shown.iter_mut().zip(SUBJECTS) {
            shown.push(stream(stage, subject, rate, count).await?);
        }
    }
    let ms = |answers: &Answers, percent: f64| answers.percentile(percent).as_secs_f64() * 1000.0;
    let of = |answers: &[Answers], percent: f64| -> Vec<f64> {
        answers.iter().map(|answers| ms(answers, percent)).collect()
    };
    let ratios = |answers: &[Answers], percent: f64| -> Vec<f64> {
        of(answers, percent).iter().zip(of(&shown[0], percent)).map(|(one, null)| one / null).collect()
    };
    let rows = shown.iter().zip(SUBJECTS).map(|(answers, subject)| Row {
        subject: subject.name(),
        figures: vec![
            Figure::of(&of(answers, 50.0), "ms"),
            Figure::of(&ratios(answers, 50.0), "of null"),
            Figure::of(&of(answers, 99.0), "ms"),
            Figure::of(&ratios(answers, 99.0), "of null"),
            Figure::of(&of(answers, 100.0), "ms"),
        ],
    });
    let plot = Plot {
        file: format!("latency-{rate}"),
        title: format!("Requests answered within a time, at {rate} a second"),
        x: "milliseconds from creation to Issued",
        y: "percent of requests",
        lines: vec![],
    };
    // the slowest hundredth would leave no room for the rest
    let points = |answers: &[Answers]| {
        (1..=99)
            .map(f64::from)
            .map(|percent| (Figure::of(&of(answers, percent), "").median, percent))
            .collect()
    };
    let plot = shown
        .iter()
        .zip(SUBJECTS)
        .fold(plot, |plot, (answers, subject)| plot.line(&subject.name(), points(answers)));
    Ok(Section {
        name: format!("rate-{rate}"),
        title: format!(
            "{rate} requests a second, {count} in each round: from creation to Issued, as a watch shows it"
        ),
        columns: vec!["p50", "ratio", "p99", "ratio", "slowest"],
        rows: rows.collect(),
        plots: vec![plot],
    })
}

async fn stream(stage: &Stage, subject: Subject, rate: u32, count: usize) -> Result<Answers> {
    let (fleet, signer) = subject.start(stage).await?;
    stage.load.stream(stage, stage.asks(&signer), rate, rate as usize).await?.complete()?;
    let answers = stage.load.stream(stage, stage.asks(&signer), rate, count).await?.complete()?;
    fleet.stop().await?;
    stage.clear().await?;
    Ok(answers)
}
