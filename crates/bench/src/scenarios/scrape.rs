//! What Prometheus costs: a stream with and without a scrape each 15 seconds.

use std::time::{Duration, Instant};

use super::Extent;
use crate::{
    Result,
    fleet::Fleet,
    report::{Figure, Rounds, Row, Section},
    stage::{SERVICE_DNS, Stage},
};

const RATE: u32 = 50;
const EVERY: Duration = Duration::from_secs(15);
/// Scrapes at once, after the stream: their cost alone, since the clock of `/proc` counts hundredths of a second.
const SCRAPES: u32 = 500;

pub(super) async fn measure(stage: &Stage, extent: Extent) -> Result<Section> {
    let count = if extent.quick { 1_500 } else { 3_000 };
    let (mut rounds, mut scrapes) = (Rounds::of(2), Vec::new());
    for _ in 0..extent.rounds {
        for (index, is_scraped) in [false, true].into_iter().enumerate() {
            let fleet = Fleet::of(stage, &[SERVICE_DNS], 1).await?;
            stage.load.stream(stage, stage.asks(&SERVICE_DNS), RATE, RATE as usize).await?.complete()?;
            let before = fleet.usage()?.cpu;
            let stream = stage.load.stream(stage, stage.asks(&SERVICE_DNS), RATE, count);
            if is_scraped {
                // scrapes never end by themselves
                tokio::select! {
                    answers = stream => answers?.complete()?,
                    error = scrape_for_ever(&fleet) => return Err(error),
                };
            } else {
                stream.await?.complete()?;
            }
            let of_each = (fleet.usage()?.cpu - before).as_secs_f64() * 1000.0 / count as f64;
            rounds.push(index, [of_each]);
            if is_scraped {
                scrapes.push(cost_of_one(&fleet).await?);
            }
            fleet.stop().await?;
            stage.clear().await?;
        }
    }
    let row = |(index, subject): (usize, &str)| Row {
        subject: subject.to_owned(),
        figures: vec![rounds.figure(index, 0, "ms"), rounds.ratio_to(index, 0, 0, "")],
    };
    let mut rows: Vec<Row> = ["not scraped", "scraped"].into_iter().enumerate().map(row).collect();
    let one = Figure::of(&scrapes, "ms");
    let in_between = f64::from(RATE) * EVERY.as_secs_f64() * rounds.figure(0, 0, "ms").median;
    rows.push(Row {
        subject: "one scrape".to_owned(),
        figures: vec![one, Figure::one(100.0 * one.median / in_between, "%")],
    });
    Ok(Section {
        name: "scrape".into(),
        title: format!(
            "CPU for a certificate at {RATE} a second, {count} in each round, with and without a scrape of /metrics each {} s; and for one scrape, as a share of what comes between two",
            EVERY.as_secs()
        ),
        columns: vec!["CPU", "to not scraped"],
        rows,
        plots: vec![],
    })
}

async fn scrape_for_ever(fleet: &Fleet) -> crate::Error {
    loop {
        if let Err(error) = fleet.counts().await {
            return error;
        }
        tokio::time::sleep(EVERY).await;
    }
}

async fn cost_of_one(fleet: &Fleet) -> Result<f64> {
    let (before, began) = (fleet.usage()?.cpu, Instant::now());
    for _ in 0..SCRAPES {
        fleet.counts().await?;
    }
    // nothing else is done meanwhile
    let used = (fleet.usage()?.cpu - before).min(began.elapsed());
    Ok(used.as_secs_f64() * 1000.0 / f64::from(SCRAPES))
}
