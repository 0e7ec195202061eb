//! What is measured, one after the other.

mod age;
mod faults;
mod keys;
mod rates;
mod refresh;
mod replicas;
mod restart;
mod scrape;
mod services;
mod steps;
mod wave;

use std::fs;

use crate::{
    Arguments, Result,
    fleet::Fleet,
    machine::Machine,
    report::{Report, Section},
    stage::{NULL, SERVICE_DNS, Signer, Stage},
};

/// A scenario.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub(crate) enum Scenario {
    /// The steps of an issuance, beside OpenSSL
    Steps,
    /// Refreshes of 100,000 pods over three days, spread and not
    Refresh,
    /// Bursts, by one and several replicas
    Replicas,
    /// A steady stream, at several paces
    Rates,
    /// A stream, with and without Prometheus
    Scrape,
    /// Refreshes of running pods at once
    Wave,
    /// Bursts, for each kind of signer and key
    Keys,
    /// Memory, with many Services
    Services,
    /// From the start of the program to the first certificate, in the middle of a burst
    Restart,
    /// A stream while replicas are killed, frozen, cut off and rolled
    Faults,
    /// Bursts while thousands of finished requests lie about, and after tens of thousands
    Age,
}

/// In the order in which they run: those that leave most behind come last.
const ALL: [Scenario; 11] = [
    Scenario::Steps,
    Scenario::Refresh,
    Scenario::Replicas,
    Scenario::Rates,
    Scenario::Scrape,
    Scenario::Wave,
    Scenario::Keys,
    Scenario::Restart,
    Scenario::Services,
    Scenario::Faults,
    Scenario::Age,
];
const QUICK: [Scenario; 6] = [
    Scenario::Steps,
    Scenario::Refresh,
    Scenario::Replicas,
    Scenario::Rates,
    Scenario::Restart,
    Scenario::Services,
];

/// What is measured, and beside what.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Subject {
    /// So many null signers.
    Null(u8),
    /// So many replicas of signer-manager.
    Replicas(u8),
}

impl Subject {
    fn name(self) -> String {
        match self {
            Self::Null(1) => "null signer".to_owned(),
            Self::Null(n) => format!("{n} null signers"),
            Self::Replicas(1) => "1 replica".to_owned(),
            Self::Replicas(n) => format!("{n} replicas"),
        }
    }

    /// Starts it, and says which signer it serves.
    async fn start(self, stage: &Stage) -> Result<(Fleet, Signer)> {
        match self {
            Self::Null(n) => Ok((Fleet::of_null(stage, &NULL, n).await?, NULL)),
            Self::Replicas(n) => Ok((Fleet::of(stage, &[SERVICE_DNS], n.into()).await?, SERVICE_DNS)),
        }
    }
}

/// How much of each is done.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Extent {
    pub(crate) quick: bool,
    pub(crate) rounds: usize,
    /// Requests of a burst.
    pub(crate) burst: usize,
}

pub(crate) async fn run(arguments: Arguments) -> Result<()> {
    let Arguments { signer_manager, quick, only, rounds, kubernetes, out } = arguments;
    let extent = Extent {
        quick,
        rounds: rounds.unwrap_or(if quick { 2 } else { 5 }).max(1),
        burst: if quick { 500 } else { 2000 },
    };
    fs::create_dir_all(&out)?;
    let machine = Machine::look();
    eprintln!("starting the control plane …");
    let stage = Stage::new(kubernetes, &signer_manager).await?;
    let mut report = Report::new(machine, stage.kubernetes(), extent.rounds);
    report.begin();
    let usual = if quick { &QUICK[..] } else { &ALL[..] };
    let chosen = ALL.iter().filter(|scenario| match only.as_slice() {
        [] => usual.contains(scenario),
        only => only.contains(scenario),
    });
    for scenario in chosen {
        eprintln!("measuring: {scenario:?} …");
        for section in measure(*scenario, &stage, extent).await? {
            report.add(section, &out)?;
        }
    }
    println!("\nresults.json and plots are in {}", out.display());
    Ok(())
}

async fn measure(scenario: Scenario, stage: &Stage, extent: Extent) -> Result<Vec<Section>> {
    let section = match scenario {
        Scenario::Steps => steps::measure(extent)?,
        Scenario::Refresh => refresh::measure()?,
        Scenario::Replicas => replicas::measure(stage, extent).await?,
        Scenario::Rates => return rates::measure(stage, extent).await,
        Scenario::Scrape => scrape::measure(stage, extent).await?,
        Scenario::Wave => wave::measure(stage, extent).await?,
        Scenario::Keys => keys::measure(stage, extent).await?,
        Scenario::Services => services::measure(stage, extent).await?,
        Scenario::Restart => restart::measure(stage, extent).await?,
        Scenario::Faults => faults::measure(stage, extent).await?,
        Scenario::Age => age::measure(stage, extent).await?,
    };
    Ok(vec![section])
}
