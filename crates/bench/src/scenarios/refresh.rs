//! 100,000 pods that start at once, over three days: how many ask at the same time, if refreshes are spread
//! and if they aren't. A simulation, by the rule that certificates are issued by.

use std::time::Duration;

use ca_pool::{RefreshSpread, Terms, names::SignerName};

use crate::{
    Result,
    report::{Figure, Plot, Row, Section},
};

const PODS: u32 = 100_000;
/// As fast as an API server lets them start.
const PER_SECOND: u32 = 500;
const DAYS: usize = 3;
const LIFETIME: Duration = Duration::from_secs(24 * 3600);
const MINUTES_OF_A_DAY: usize = 24 * 60;

pub(super) fn measure() -> Result<Section> {
    let signer: SignerName = "bench.example.com/service-dns".parse()?;
    let together = minutes(|_| RefreshSpread::NONE);
    let spread = minutes(|pod| RefreshSpread::of_pod(&format!("pod-{pod}"), &signer));
    let row = |subject: &str, minutes: &[u32]| Row {
        subject: subject.to_owned(),
        figures: (0..DAYS).map(|day| busiest(minutes, day)).collect(),
    };
    let points = |minutes: &[u32]| {
        // the burst at the start would leave no room for the rest
        let later = minutes.iter().enumerate().skip(60);
        later.map(|(minute, asks)| (minute as f64 / 60.0, f64::from(*asks) / 60.0)).collect()
    };
    let plot = Plot {
        file: "refresh".into(),
        title: format!("Refreshes of {PODS} pods that started at once"),
        x: "hours since their start",
        y: "requests a second",
        lines: vec![],
    };
    Ok(Section {
        name: "refresh".into(),
        title: format!(
            "{PODS} pods start at {PER_SECOND}/s: requests a second in the busiest minute (simulated)"
        ),
        columns: vec!["day 1, after the start", "day 2", "day 3"],
        rows: vec![row("all at refreshAt", &together), row("spread over a tenth", &spread)],
        plots: vec![plot.line("all at refreshAt", points(&together)).line("spread", points(&spread))],
    })
}

fn busiest(minutes: &[u32], day: usize) -> Figure {
    let of_day = minutes.iter().enumerate().filter(|(minute, _)| minute / MINUTES_OF_A_DAY == day);
    let most = of_day.filter(|(minute, _)| *minute >= 60).map(|(_, asks)| *asks).max();
    Figure::one(f64::from(most.unwrap_or_default()) / 60.0, "/s")
}

/// How many pods ask in each minute.
fn minutes(spread: impl Fn(u32) -> RefreshSpread) -> Vec<u32> {
    let mut minutes = vec![0; DAYS * MINUTES_OF_A_DAY];
    for pod in 0..PODS {
        let mut at = Duration::from_secs(1) / PER_SECOND * pod;
        let pause = LIFETIME / 2 - Terms::DEFAULT_CLOCK_SKEW - spread(pod).of_lifetime(LIFETIME);
        while let Some(asks) =
            usize::try_from(at.as_secs() / 60).ok().and_then(|minute| minutes.get_mut(minute))
        {
            *asks += 1;
            at += pause;
        }
    }
    minutes
}
