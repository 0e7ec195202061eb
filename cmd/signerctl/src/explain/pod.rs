//! `signerctl explain pod`.

use std::collections::HashMap;

use clap::{ArgGroup, Args};
use jiff::Timestamp;
use serde::Serialize;
use signer_core::cluster::PodPhase;

use crate::{
    error::Error,
    observed::{Event, LeafCertificate, ObservedPod, ObservedRequest, Outcome, of_requests, requests},
    store::cluster::ClusterArguments,
    terminal::{Look, Output, Report, Tone},
    text::{
        arguments::{self, plural},
        table::nested,
        times::{from_now, minute_from_now},
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

/// What is known of one certificate of a pod.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct Finding {
    signer: String,
    /// `Issued`, `Denied`, `Failed`, `Pending` or `NotAsked`.
    outcome: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    request: Option<String>,
    #[serde(skip_serializing_if = "String::is_empty")]
    reason: String,
    #[serde(skip_serializing_if = "String::is_empty")]
    message: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    certificate: Option<LeafCertificate>,
    #[serde(skip_serializing_if = "Option::is_none")]
    not_after: Option<Timestamp>,
    #[serde(skip_serializing_if = "Option::is_none")]
    begin_refresh_at: Option<Timestamp>,
    /// Since when it waits.
    #[serde(skip_serializing_if = "Option::is_none")]
    since: Option<Timestamp>,
    next: String,
}

impl ExplainPod {
    /// It isn't good if a certificate was refused, or waits.
    pub(crate) fn run(self, look: Look, now: Timestamp) -> Result<Report, Error> {
        let (namespace, name) = self.pod;
        let cluster = self.cluster.connect()?;
        let pod = cluster.get::<ObservedPod>(&format!("/api/v1/namespaces/{namespace}/pods"), &name)?;
        let pod = pod.ok_or_else(|| Error::NotThere {
            what: format!("pod {namespace}/{name}"),
            cluster: cluster.to_string(),
            remedy: format!(
                "See `kubectl{} -n {namespace} get pods`, or choose another cluster with --context",
                cluster.arguments()
            ),
        })?;
        let mut requests = requests(&cluster, Some(&namespace))?.objects;
        requests.retain(|request| request.pod_uid == pod.pod.uid);
        requests.sort_by_key(|request| request.created);
        let kubectl = format!("kubectl{}", cluster.arguments());
        let events = of_requests(&cluster, Some(&namespace))?;
        let findings: Vec<Finding> = signers(&pod)
            .into_iter()
            .map(|signer| {
                let last = requests.iter().rfind(|request| request.signer == signer);
                Finding::of(signer, &pod, last, &events, &kubectl, now)
            })
            .collect();
        let is_good =
            findings.iter().all(|finding| matches!(finding.outcome.as_str(), "Issued" | "NotAsked"));
        let text = match self.output {
            Output::Text => shown(&pod, &findings, look, now),
            Output::Json => serde_json::to_string_pretty(&findings)? + "\n",
        };
        Ok(Report { text, is_good })
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

impl Finding {
    fn of(
        signer: &str,
        pod: &ObservedPod,
        request: Option<&ObservedRequest>,
        events: &HashMap<(String, String), Event>,
        kubectl: &str,
        now: Timestamp,
    ) -> Self {
        let finding = |outcome: &str, next: String| Self {
            signer: signer.to_owned(),
            outcome: outcome.to_owned(),
            request: request.map(|request| request.name.clone()),
            reason: String::new(),
            message: String::new(),
            certificate: None,
            not_after: None,
            begin_refresh_at: None,
            since: None,
            next,
        };
        let Some(request) = request else { return finding("NotAsked", not_asked(pod)) };
        match &request.outcome {
            Outcome::Issued { chain, not_after, begin_refresh_at, .. } => Self {
                certificate: LeafCertificate::of_chain(chain),
                not_after: *not_after,
                begin_refresh_at: *begin_refresh_at,
                ..finding("Issued", "Nothing: kubelet asks for the next one.".to_owned())
            },
            Outcome::Refused { condition, reason, message } => Self {
                reason: reason.clone(),
                message: message.clone(),
                ..finding(condition, refused(pod, kubectl))
            },
            Outcome::Pending => {
                let event = events.get(&(request.namespace.clone(), request.name.clone()));
                Self {
                    reason: event.map(|event| event.reason.clone()).unwrap_or_default(),
                    message: event.map(|event| event.message.clone()).unwrap_or_default(),
                    since: Some(request.created),
                    ..finding("Pending", pending(event, request.created, now))
                }
            }
        }
    }

    fn shown(&self, look: Look, now: Timestamp) -> String {
        let (word, tone) = match self.outcome.as_str() {
            "Issued" => ("issued", Tone::Good),
            "NotAsked" => ("no request", Tone::Coming),
            "Pending" => ("waits", Tone::Ending),
            "Denied" => ("denied", Tone::Bad),
            _ => ("failed", Tone::Bad),
        };
        let reason = if self.reason.is_empty() { String::new() } else { format!("  {}", self.reason) };
        let since = self.since.map(|since| format!("  asked {}", from_now(since, now))).unwrap_or_default();
        let mut text = format!("  {}  {}{reason}{since}\n", self.signer, look.paint(tone, word));
        if !self.message.is_empty() {
            text += &wrap_behind("    ", &self.message, look.width);
        }
        if let Some(certificate) = &self.certificate {
            let times = [("expires", self.not_after), ("refresh", self.begin_refresh_at)];
            let times =
                times.into_iter().filter_map(|(name, time)| Some((name, minute_from_now(time?, now))));
            text += &nested(&certificate.rows().into_iter().chain(times).collect::<Vec<_>>(), look);
        }
        text + &wrap_behind("    Next: ", &self.next, look.width)
    }
}

fn shown(pod: &ObservedPod, findings: &[Finding], look: Look, now: Timestamp) -> String {
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
    let asks = match findings.len() {
        0 => "It asks for no certificate: none of its volumes has a podCertificate source.".to_owned(),
        count => format!("It asks {} for a certificate.", plural(count, "signer")),
    };
    let facts = format!("{phase}{age}, service account {}, {node}. {asks}", pod.service_account_name);
    let findings: String = findings.iter().map(|finding| finding.shown(look, now)).collect();
    format!("{head}{owner}\n{}{findings}", wrap_behind("  ", &facts, look.width))
}

/// Why there is no request: Kubernetes deletes them after 15 minutes.
fn not_asked(pod: &ObservedPod) -> String {
    match pod.pod.phase {
        PodPhase::Finished => "Nothing: the pod has finished.".to_owned(),
        PodPhase::Running => "Nothing: it runs, so it has its certificate. Kubernetes deletes requests after 15 minutes; \
                              `signerctl audit find --pod` finds what was issued."
            .to_owned(),
        PodPhase::Pending if pod.pod.node_name.is_empty() => {
            "Wait until the scheduler has found a node for the pod; kubelet asks then. `kubectl describe pod` says what keeps it.".to_owned()
        }
        PodPhase::Pending => "See `kubectl describe pod`: kubelet hasn't asked yet. If it says nothing of the volume, the node's kubelet may be \
                              older than 1.34, or lack the feature gate PodCertificateRequest."
            .to_owned(),
    }
}

/// Kubelet asks again only for another pod.
fn refused(pod: &ObservedPod, kubectl: &str) -> String {
    let (namespace, name) = (&pod.pod.namespace, &pod.pod.name);
    format!(
        "Correct what the message names; then replace the pod, as kubelet doesn't ask again for this one: `{kubectl} -n {namespace} delete pod {name}`."
    )
}

/// Signers say why a request waits within seconds.
fn pending(event: Option<&Event>, created: Timestamp, now: Timestamp) -> String {
    let waits = now.duration_since(created).as_secs();
    match event {
        Some(_) => "Correct what the message names; the request then goes on.".to_owned(),
        None if waits < 30 => "Wait some seconds, and ask again.".to_owned(),
        None => "Nobody has answered: see whether a signer has this name (`signerctl status`), and whether it is ready.".to_owned(),
    }
}
