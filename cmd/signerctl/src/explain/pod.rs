//! `signerctl explain pod`.

mod certificate;

use clap::{ArgGroup, Args};
use jiff::Timestamp;
use serde::Serialize;
use signer_core::cluster::PodPhase;

use self::certificate::{CertificateState, Evidence, RequestOutcome};
use crate::{
    error::Error,
    observed::{Event, ObservedPod, of_pod, of_requests, requests},
    store::cluster::{Cluster, ClusterArguments},
    terminal::{Look, Output, Report, Tone},
    text::{
        arguments::{self, plural},
        times::from_now,
        wrap::wrap_behind,
    },
};

/// Says which certificates a pod of a cluster asks for, what it got or why not, and what to do next.
#[derive(Args)]
#[command(group(ArgGroup::new("in_cluster").args(["context", "kubeconfig"]).multiple(true)))]
pub(crate) struct ExplainPod {
    /// The pod.
    #[arg(value_name = "NAMESPACE/NAME", value_parser = arguments::pod)]
    pod: (String, String),
    /// How to show it.
    #[arg(long, value_enum, default_value_t = Output::Text)]
    output: Output,
    #[command(flatten)]
    cluster: ClusterArguments,
}

/// All that is known of a pod's certificates.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct Explanation {
    namespace: String,
    pod: String,
    certificates: Vec<CertificateState>,
    /// What kubelet has said of them since.
    warnings: Vec<Warning>,
    /// Requests that can't be read, and why: they may be the pod's.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    unreadable: Vec<String>,
}

/// What kubelet says of a pod; events last for an hour, requests for 15 minutes.
#[derive(Debug, Serialize)]
struct Warning {
    at: Timestamp,
    reason: String,
    message: String,
}

impl ExplainPod {
    /// It isn't good if the pod lacks a certificate, or kubelet doesn't ask for the next one.
    pub(crate) fn run(self, look: Look) -> Result<Report, Error> {
        let (namespace, name) = self.pod;
        let cluster = self.cluster.connect()?;
        let now = cluster.now();
        let kubectl = format!("kubectl{} -n {namespace}", cluster.arguments());
        let pod = cluster.get::<ObservedPod>(&format!("/api/v1/namespaces/{namespace}/pods"), &name)?;
        let pod = pod.ok_or_else(|| Error::NotThere {
            what: format!("pod {namespace}/{name}"),
            cluster: cluster.to_string(),
            remedy: format!("See `{kubectl} get pods`, or choose another cluster with --context"),
        })?;
        let explanation = Explanation::of(&pod, &cluster, &kubectl, now)?;
        Report::of(self.output, &explanation, explanation.is_good(&pod), || {
            explanation.shown(&pod, look, now)
        })
    }
}

impl Explanation {
    fn of(pod: &ObservedPod, cluster: &Cluster, kubectl: &str, now: Timestamp) -> Result<Self, Error> {
        let namespace = &pod.pod.namespace;
        let listed = requests(cluster, Some(namespace))?;
        let mut requests = listed.objects;
        requests.retain(|request| request.pod_uid == pod.pod.uid);
        requests.sort_by_key(|request| request.created);
        let events = of_requests(cluster, Some(namespace))?;
        let evidence = Evidence { pod, requests: &requests, events: &events, kubectl, now };
        let certificates: Vec<_> = signers(pod).into_iter().map(|signer| evidence.state(signer)).collect();
        let events = of_pod(cluster, namespace, &pod.pod.uid)?;
        Ok(Self {
            namespace: namespace.clone(),
            pod: pod.pod.name.clone(),
            warnings: warnings(events, &certificates, pod.pod.phase),
            certificates,
            unreadable: listed.unreadable.iter().map(ToString::to_string).collect(),
        })
    }

    fn is_good(&self, pod: &ObservedPod) -> bool {
        let is_good = self.certificates.iter().all(|certificate| certificate.is_good(pod));
        is_good && self.warnings.is_empty() && self.unreadable.is_empty()
    }

    fn shown(&self, pod: &ObservedPod, look: Look, now: Timestamp) -> String {
        let certificates = self.certificates.iter().map(|certificate| certificate.shown(look, now));
        let warnings = self.warnings.iter().map(|warning| warning.shown(look, now));
        let unreadable = self.unreadable.iter().map(|problem| wrap_behind("! ", problem, look.width));
        let of_pod = heading(pod, self.certificates.len(), look, now);
        std::iter::once(of_pod).chain(certificates).chain(warnings).chain(unreadable).collect()
    }
}

/// The signers that a pod asks, each once.
fn signers(pod: &ObservedPod) -> Vec<&str> {
    let mut signers: Vec<&str> = Vec::new();
    for source in &pod.pod.certificate_sources {
        if !signers.contains(&source.signer_name.as_str()) {
            signers.push(&source.signer_name);
        }
    }
    signers
}

/// What kubelet says of certificates, and of volumes while the pod hasn't started: what is newer than the last
/// certificate of each signer.
fn warnings(events: Vec<Event>, certificates: &[CertificateState], phase: PodPhase) -> Vec<Warning> {
    let issued = |certificate: &CertificateState| {
        certificate.asked_at.filter(|_| certificate.outcome == RequestOutcome::Issued)
    };
    // none if one of them wasn't issued
    let complete_since = certificates.iter().map(issued).min().flatten();
    let concerns = |event: &Event| match event.reason.as_str() {
        // kubelet says of an image that can't be pulled, too, that it has failed
        "Denied" | "Failed" => event.message.contains("PodCertificateRequest"),
        "CertificateOverdueForRefresh" | "CertificateExpired" => true,
        "FailedMount" => phase == PodPhase::Pending,
        _ => false,
    };
    let is_new = |event: &Event| complete_since.is_none_or(|since| since <= event.at);
    let events =
        events.into_iter().filter(|event| !certificates.is_empty() && concerns(event) && is_new(event));
    events.map(|Event { at, reason, message, .. }| Warning { at, reason, message }).collect()
}

impl Warning {
    fn shown(&self, look: Look, now: Timestamp) -> String {
        let head = look.paint(Tone::Bad, &self.reason);
        let message = wrap_behind("    ", &self.message, look.width);
        format!("  kubelet warned of the pod {}: {head}\n{message}", from_now(self.at, now))
    }
}

fn heading(pod: &ObservedPod, signers: usize, look: Look, now: Timestamp) -> String {
    let ObservedPod { pod, owner, created, .. } = pod;
    let phase = match pod.phase {
        PodPhase::Pending => "pending",
        PodPhase::Running => "running",
        PodPhase::Finished => "finished",
    };
    let owner = owner.as_ref().map(|owner| format!(" of {owner}")).unwrap_or_default();
    let age = created.map(|created| format!(", made {}", from_now(created, now))).unwrap_or_default();
    let head = look.paint(Tone::Heading, format!("pod {}/{}", pod.namespace, pod.name));
    let node = if pod.node_name.is_empty() { "no node yet" } else { &pod.node_name };
    let asks = match signers {
        0 => "It asks for no certificate: none of its volumes has a podCertificate source.".to_owned(),
        count => format!("It asks {} for a certificate.", plural(count, "signer")),
    };
    let facts = format!("{phase}{age}, service account {}, {node}. {asks}", pod.service_account_name);
    format!("{head}{owner}\n{}", wrap_behind("  ", &facts, look.width))
}

#[cfg(test)]
mod tests;
