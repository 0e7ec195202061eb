//! A stream of requests while something happens to the replicas, again and again.

use std::time::Duration;

use rustix::process::Signal;
use tokio::time::sleep;

use super::Extent;
use crate::{
    Result,
    fleet::{Fleet, Replica, kubeconfig_through},
    proxy::Proxy,
    report::{Figure, Row, Section},
    stage::{SERVICE_DNS, Stage},
};

#[derive(Clone, Copy, Debug)]
enum Fault {
    None,
    Kill,
    Freeze,
    CutOff,
    Roll,
}

const ALL: [(Fault, &str); 5] = [
    (Fault::None, "nothing happens"),
    (Fault::Kill, "kill -9 one, start another"),
    (Fault::Freeze, "SIGSTOP one for 30 s"),
    (Fault::CutOff, "cut one off for 15 s"),
    (Fault::Roll, "roll all"),
];

const PER_SECOND: u32 = 50;
const REPLICAS: usize = 3;

/// Between two faults: long enough for all to be known to each other again.
const BETWEEN: Duration = Duration::from_secs(10);

pub(super) async fn measure(stage: &Stage, extent: Extent) -> Result<Section> {
    let count = if extent.quick { 2_000 } else { 10_000 };
    let mut rows = Vec::new();
    for (fault, subject) in ALL {
        eprintln!("  {subject} …");
        rows.push(Row { subject: subject.into(), figures: under(stage, fault, count).await? });
    }
    Ok(Section {
        name: "faults".into(),
        title: format!("{REPLICAS} replicas, {PER_SECOND} requests a second, {count} for each fault"),
        columns: vec!["faults", "issued", "lost", "twice", "p50", "p99", "slowest", "duplicates"],
        rows,
        plots: vec![],
    })
}

async fn under(stage: &Stage, fault: Fault, count: usize) -> Result<Vec<Figure>> {
    let proxy = Proxy::to(stage.server()).await?;
    let behind_proxy = kubeconfig_through(stage, proxy.address)?;
    let mut fleet = Fleet::of(stage, &[SERVICE_DNS], REPLICAS - 1).await?;
    let last = Replica::spawn(stage, &[SERVICE_DNS], &behind_proxy)?;
    last.ready().await?;
    fleet.replicas.push(last);
    stage.load.burst(stage, stage.asks(&SERVICE_DNS), 500).await?.complete()?;
    let before = fleet.counts().await?;
    let stream = stage.load.stream(stage, stage.asks(&SERVICE_DNS), PER_SECOND, count);
    let mut faults = 0;
    let happens = async {
        loop {
            sleep(BETWEEN).await;
            faults += 1;
            inflict(fault, &mut fleet, stage, &proxy).await?;
        }
    };
    let answers = tokio::select! {
        answers = stream => answers?,
        never = happens => return never,
    };
    // whoever is stopped just now has counted too
    fleet.replicas.iter().try_for_each(|replica| replica.signal(Signal::CONT))?;
    proxy.mend();
    let counts = fleet.counts().await?.since(before);
    let ms = |duration: Duration| Figure::one(duration.as_secs_f64() * 1000.0, "ms");
    let number = |number: usize| Figure::one(number as f64, "");
    let figures = vec![
        number(if matches!(fault, Fault::None) { 0 } else { faults }),
        number(answers.latencies.len()),
        number(answers.lost),
        number(answers.twice),
        ms(answers.percentile(50.0)),
        ms(answers.percentile(99.0)),
        ms(answers.slowest()),
        Figure::one(100.0 * counts.duplicates / count as f64, "%"),
    ];
    fleet.stop().await?;
    stage.clear().await?;
    Ok(figures)
}

async fn inflict(fault: Fault, fleet: &mut Fleet, stage: &Stage, proxy: &Proxy) -> Result<()> {
    match fault {
        Fault::None => {}
        Fault::Kill => {
            fleet.end_first(Signal::KILL).await?;
            fleet.replicas.push(Replica::spawn(stage, &[SERVICE_DNS], stage.kubeconfig())?);
        }
        Fault::Freeze => {
            fleet.replicas[0].signal(Signal::STOP)?;
            sleep(Duration::from_secs(30)).await;
            fleet.replicas[0].signal(Signal::CONT)?;
        }
        Fault::CutOff => {
            proxy.cut();
            sleep(Duration::from_secs(15)).await;
            proxy.mend();
        }
        Fault::Roll => {
            for _ in 0..REPLICAS {
                let new = Replica::spawn(stage, &[SERVICE_DNS], stage.kubeconfig())?;
                new.ready().await?;
                fleet.replicas.push(new);
                fleet.end_first(Signal::TERM).await?;
            }
        }
    }
    Ok(())
}
