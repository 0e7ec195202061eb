//! `signerctl check`: whether pods get their certificates, and will tomorrow; one line a check.

mod admission;
mod finding;
mod nodes;
mod replicas;
mod requests;
mod rights;
mod signers;

use std::{rc::Rc, time::Duration};

use clap::{ArgGroup, Args};
use jiff::{SignedDuration, Timestamp};
use serde::Serialize;

use self::finding::{Finding, Findings, Severity};
use crate::{
    error::Error,
    observed::{Controller, ControllerArguments},
    store::cluster::{Cluster, ClusterArguments},
    terminal::{Look, Output, Report},
    text::{
        arguments::{self, plural},
        times::{later, span},
    },
};

/// Checks that signers can do their work: the cluster, the controller, its rights, each signer's CA pool and
/// trust bundle, and the requests that wait.
///
/// A line a check: ✓ as it should be, ! somebody should look, ✗ pods don't get their certificates, or won't. The
/// exit code is 1 if there is a ✗.
#[derive(Args)]
#[command(group(ArgGroup::new("in_cluster").args(["context", "kubeconfig"]).multiple(true)))]
pub(crate) struct Check {
    #[command(flatten)]
    controller: ControllerArguments,
    /// Fail if the CA that a signer will have last ends within this time, such as 30d.
    #[arg(long, value_name = "DURATION", value_parser = arguments::days)]
    fail_before: Option<Duration>,
    /// How to show it.
    #[arg(long, value_enum, default_value_t = Output::Text)]
    output: Output,
    #[command(flatten)]
    cluster: ClusterArguments,
}

/// What checks look at.
struct Subject<'a> {
    cluster: &'a Rc<Cluster>,
    controller: Controller<'a>,
    /// A CA that ends sooner than this is a failure.
    fail_before: Option<Timestamp>,
    now: Timestamp,
}

/// By how much clocks may differ before somebody should look: what the controller warns of, too.
const CLOCKS_DIFFER: SignedDuration = SignedDuration::from_secs(30);

impl Check {
    pub(crate) fn run(self, look: Look) -> Result<Report, Error> {
        let cluster = Rc::new(self.cluster.connect()?);
        let now = cluster.now();
        let controller = self.controller.controller(&cluster);
        let fail_before = self.fail_before.map(|within| later(now, within));
        let findings = Subject { cluster: &cluster, controller, fail_before, now }.findings();
        let is_good = findings.is_good();
        let checked = Checked { is_good, checks: &findings.all };
        Report::of(self.output, &checked, is_good, || findings.shown(&cluster, look))
    }
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Checked<'a> {
    is_good: bool,
    checks: &'a [Finding],
}

impl Subject<'_> {
    fn findings(&self) -> Findings {
        let mut findings = Findings::default();
        findings.section("cluster");
        findings.add("api", self.api());
        findings.add("clock", Ok(vec![self.clock()]));
        findings.add("nodes", nodes::check(self.cluster));
        admission::check(self.cluster, &mut findings);
        findings.section("controller");
        let config = self.controller.config();
        let signers = config.as_ref().map(|config| config.signers.len()).unwrap_or_default();
        let config = findings.need("configuration", Severity::Warning, config, || {
            format!("the configuration is valid: {}", plural(signers, "signer"))
        });
        replicas::check(&self.controller, &mut findings);
        if let Some(config) = &config {
            findings.add("rights", rights::check(&self.controller, config));
            for signer in &config.signers {
                findings.section(signer.name().as_str());
                signers::check(self, signer, &mut findings);
            }
        }
        findings.section("requests");
        requests::check(self, config.as_ref(), &mut findings);
        findings
    }

    fn api(&self) -> Result<Vec<Finding>, Error> {
        let version = self.cluster.wait_for(self.cluster.client().apiserver_version());
        let version = version.map_err(|error| self.cluster.refused(error))?.git_version;
        let api = match self.cluster.certificates_api() {
            Ok(api) => api,
            Err(Error::NotServed(problem)) => {
                return Ok(vec![Finding::bad(format!("Kubernetes {version}"), problem)]);
            }
            Err(error) => return Err(error),
        };
        let of_version = |api_version: &str| api_version.rsplit('/').next().unwrap_or_default().to_owned();
        Ok(vec![Finding::good(format!(
            "Kubernetes {version} serves podcertificaterequests ({}) and clustertrustbundles ({})",
            of_version(&api.requests.api_version),
            of_version(&api.bundles.api_version)
        ))])
    }

    fn clock(&self) -> Finding {
        let Some(ahead) = self.cluster.ahead() else {
            return Finding::warning(
                "the API server doesn't tell its time",
                "See what stands between it and this machine: its answers lack the header Date.",
            );
        };
        if ahead.abs() <= CLOCKS_DIFFER {
            return Finding::good("this machine's clock and the API server's agree");
        }
        let differ = if ahead.is_positive() { "behind" } else { "ahead of" };
        Finding::warning(
            format!("this machine's clock is {} {differ} the API server's", span(ahead)),
            "Signers go by the API server's clock. Set whichever is wrong: `timedatectl` shows whether a machine's is synchronised.",
        )
    }
}
