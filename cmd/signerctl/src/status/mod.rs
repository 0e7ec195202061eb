//! `signerctl status`: signers, CAs, replicas and waiting requests, on one screen.

mod screen;
mod snapshot;

use std::{rc::Rc, time::Duration};

use clap::{ArgGroup, Args};

use self::snapshot::Snapshot;
use crate::{
    error::Error,
    observed::ControllerArguments,
    store::cluster::ClusterArguments,
    terminal::{Look, Output, Report, follow},
};

/// Shows each signer with its CA and its requests, the replicas, and the requests that wait.
#[derive(Args)]
#[command(group(ArgGroup::new("in_cluster").args(["context", "kubeconfig"]).multiple(true)))]
pub(crate) struct Status {
    /// Show it anew every two seconds, until Ctrl-C.
    #[arg(long, conflicts_with = "output")]
    watch: bool,
    #[command(flatten)]
    controller: ControllerArguments,
    /// How to show it.
    #[arg(long, value_enum, default_value_t = Output::Text)]
    output: Output,
    #[command(flatten)]
    cluster: ClusterArguments,
}

const EVERY: Duration = Duration::from_secs(2);

impl Status {
    pub(crate) fn run(self, look: Look) -> Result<Report, Error> {
        let cluster = Rc::new(self.cluster.connect()?);
        let snapshot = || {
            let now = cluster.now();
            Snapshot::take(&cluster, &self.controller.controller(&cluster), now)
                .map(|snapshot| (snapshot, now))
        };
        if self.watch {
            return follow(look, EVERY, || {
                let text = snapshot().map_or_else(
                    |error| format!("{error}\n"),
                    |(snapshot, now)| screen::shown(&snapshot, look, now),
                );
                Ok((text, false))
            });
        }
        let (snapshot, now) = snapshot()?;
        Report::of(self.output, &snapshot, true, || screen::shown(&snapshot, look, now))
    }
}
