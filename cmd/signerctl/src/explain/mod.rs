//! `signerctl explain`: what pods get, and why not; before a manifest or a configuration is applied, and after.

mod changes;
mod manifest;
mod pod;
mod verdict;

use std::path::PathBuf;

use clap::{ArgGroup, Args, Subcommand};
use jiff::Timestamp;
use serde::Serialize;
use signer_core::preview::{Previewer, Surroundings};
use signer_manager::Config;
use tokio::runtime::Builder;

use self::{
    manifest::{Manifests, Workload},
    verdict::Verdict,
};
use crate::{
    error::Error,
    observed::{ControllerArguments, shown as plain},
    store::cluster::ClusterArguments,
    terminal::{Look, Output, Report, Tone},
    text::{
        arguments::{self, plural},
        wrap::wrap_behind,
    },
};

/// Says which certificates pods get, and why not.
///
/// `explain pod NAMESPACE/NAME` looks at a pod of a cluster. `explain -f FILE --config FILE` says what manifests
/// would get under a configuration; no cluster is asked. `explain --config FILE` compares what today's pods of a
/// cluster would get under a changed configuration with what they get under the one in use.
#[derive(Args)]
#[command(
    args_conflicts_with_subcommands = true,
    subcommand_negates_reqs = true,
    group(ArgGroup::new("in_cluster").args(["context", "kubeconfig"]).multiple(true)),
    override_usage = "signerctl explain pod <NAMESPACE/NAME>\n       signerctl explain -f <FILE>... --config <FILE>\n       signerctl explain --config <FILE> [--against <FILE>]"
)]
pub(crate) struct Explain {
    #[command(subcommand)]
    subject: Option<Subject>,
    /// Manifests of pods, of what makes pods, and of their Services; - is standard input.
    #[arg(short = 'f', long = "filename", value_name = "FILE")]
    files: Vec<PathBuf>,
    /// The signers' configuration.
    #[arg(long, value_name = "FILE", required = true)]
    config: Option<PathBuf>,
    /// The namespace: of manifests that name none (default: default), or of the pods to compare (default: all).
    #[arg(short, long, value_name = "NAMESPACE", value_parser = arguments::namespace)]
    namespace: Option<String>,
    /// The configuration to compare with. Default: the one in use, from ConfigMap signer-manager.
    #[arg(long, value_name = "FILE", conflicts_with = "files")]
    against: Option<PathBuf>,
    #[command(flatten)]
    controller: ControllerArguments,
    /// How to show it.
    #[arg(long, value_enum, default_value_t = Output::Text)]
    output: Output,
    #[command(flatten)]
    cluster: ClusterArguments,
}

#[derive(Subcommand)]
enum Subject {
    /// Which certificates a pod of a cluster asks for, what it got or why not, and what to do next.
    Pod(pod::ExplainPod),
}

impl Explain {
    pub(crate) fn run(self, look: Look, now: Timestamp) -> Result<Report, Error> {
        if let Some(Subject::Pod(pod)) = self.subject {
            return pod.run(look);
        }
        // clap has seen to it that it is there
        let config = Config::load(&self.config.unwrap_or_default())?;
        if self.files.is_empty() {
            let against = self.against.map(|file| Config::load(&file)).transpose()?;
            let cluster = self.cluster.connect()?;
            let comparison = changes::Comparison {
                cluster: &cluster,
                config: &config,
                against,
                controller: self.controller.controller(&cluster),
                namespace: self.namespace.as_deref(),
            };
            return comparison.run(self.output, look, now);
        }
        let mut manifests = Manifests::default();
        let namespace = self.namespace.as_deref().unwrap_or("default");
        self.files.iter().try_for_each(|file| manifests.add(file, namespace))?;
        explain_manifests(&manifests, &config, self.output, look, now)
    }
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Explained<'a> {
    workload: &'a str,
    namespace: &'a str,
    service_account: &'a str,
    pod: &'a str,
    certificates: &'a [Verdict],
}

/// What pods of manifests would get. It isn't good unless each of them gets all that it asks for.
fn explain_manifests(
    manifests: &Manifests,
    config: &Config,
    output: Output,
    look: Look,
    now: Timestamp,
) -> Result<Report, Error> {
    if manifests.workloads.is_empty() {
        return Err(Error::NoWorkload);
    }
    let runtime = Builder::new_current_thread().enable_time().build().map_err(Error::Runtime)?;
    let mut previewer = Previewer::new(now)?;
    let explained: Vec<(&Workload, Vec<Verdict>)> = manifests
        .workloads
        .iter()
        .map(|workload| (workload, runtime.block_on(verdicts(&mut previewer, manifests, workload, config))))
        .collect();
    let is_good = explained.iter().flat_map(|(_, verdicts)| verdicts).all(Verdict::is_issued);
    let all: Vec<Explained<'_>> = explained
        .iter()
        .map(|(workload, certificates)| Explained {
            workload: &workload.name,
            namespace: &workload.pod.namespace,
            service_account: &workload.pod.service_account_name,
            pod: &workload.pod.name,
            certificates,
        })
        .collect();
    Report::of(output, &all, is_good, || {
        explained.iter().map(|(workload, verdicts)| shown(workload, verdicts, look)).collect()
    })
}

async fn verdicts(
    previewer: &mut Previewer,
    manifests: &Manifests,
    workload: &Workload,
    config: &Config,
) -> Vec<Verdict> {
    let (pod, services) = (&workload.pod, manifests.services(&workload.pod.namespace));
    let surroundings =
        Surroundings { services: &services, namespace: manifests.namespace(&workload.pod.namespace) };
    let mut verdicts = Vec::new();
    for source in &pod.certificate_sources {
        verdicts.push(Verdict::of(previewer, config, pod, source, surroundings).await);
    }
    verdicts
}

fn shown(workload: &Workload, verdicts: &[Verdict], look: Look) -> String {
    let Workload { name, file, pod, is_example } = workload;
    // whoever wrote the manifest may have written anything
    let [namespace, account, pod] =
        [&pod.namespace, &pod.service_account_name, &pod.name].map(|text| plain(text));
    let asks = match verdicts.len() {
        0 => "asks for no certificate".to_owned(),
        count => format!("asks for {}", plural(count, "certificate")),
    };
    let mut text = look.paint(Tone::Heading, format!("{name} in namespace {namespace}")) + "\n";
    text += &wrap_behind("  ", &format!("{file}, service account {account}: {asks}"), look.width);
    if *is_example && !verdicts.is_empty() {
        text += &format!("  as pod {pod}, which stands for each of its pods\n");
    }
    text += &verdicts.iter().map(|verdict| verdict.shown(look)).collect::<String>();
    if verdicts.iter().any(|verdict| verdict.reason == "WaitingForService") {
        text += "  Only the Services of these files count here; if there are others, give their files too: -f FILE\n";
    }
    text + "\n"
}
