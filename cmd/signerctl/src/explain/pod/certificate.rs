//! One certificate of a pod: what it asked for, what it got or why not, and what to do next.

use std::collections::HashMap;

use jiff::Timestamp;
use serde::Serialize;
use signer_core::cluster::PodPhase;

use crate::{
    observed::{Event, LeafCertificate, ObservedPod, ObservedRequest, Outcome},
    terminal::{Look, Tone},
    text::{
        table::nested,
        times::{from_now, minute_from_now},
        wrap::wrap_behind,
    },
};

/// What is known of one certificate of a pod.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct CertificateState {
    signer: String,
    pub(super) outcome: RequestOutcome,
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
    /// When kubelet asked.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) asked_at: Option<Timestamp>,
    next: String,
}

/// What became of the last request for it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub(super) enum RequestOutcome {
    Issued,
    Denied,
    Failed,
    Pending,
    /// No request is seen: Kubernetes deletes them after 15 minutes.
    NoRequest,
}

/// What a certificate's state is told from.
pub(super) struct Evidence<'a> {
    pub(super) pod: &'a ObservedPod,
    /// The pod's, the oldest first.
    pub(super) requests: &'a [ObservedRequest],
    /// What signers say of requests, by namespace and name.
    pub(super) events: &'a HashMap<(String, String), Event>,
    /// With the options that lead to the pod's namespace.
    pub(super) kubectl: &'a str,
    pub(super) now: Timestamp,
}

impl Evidence<'_> {
    pub(super) fn state(&self, signer: &str) -> CertificateState {
        let request = self.worst(signer);
        let state = |outcome, next: String| CertificateState {
            signer: signer.to_owned(),
            outcome,
            request: request.map(|request| request.name.clone()),
            reason: String::new(),
            message: String::new(),
            certificate: None,
            not_after: None,
            begin_refresh_at: None,
            asked_at: request.map(|request| request.created),
            next,
        };
        let Some(request) = request else { return state(RequestOutcome::NoRequest, self.without_request()) };
        match &request.outcome {
            Outcome::Issued { chain, not_after, begin_refresh_at, .. } => CertificateState {
                certificate: LeafCertificate::of_chain(chain),
                not_after: *not_after,
                begin_refresh_at: *begin_refresh_at,
                ..state(RequestOutcome::Issued, "Nothing: kubelet asks for the next one.".to_owned())
            },
            Outcome::Refused { condition, reason, message } => {
                let is_denied = condition == "Denied";
                CertificateState {
                    reason: reason.clone(),
                    message: message.clone(),
                    ..state(
                        if is_denied { RequestOutcome::Denied } else { RequestOutcome::Failed },
                        self.refused(),
                    )
                }
            }
            Outcome::Pending => {
                let event = self.events.get(&(request.namespace.clone(), request.name.clone()));
                CertificateState {
                    reason: event.map(|event| event.reason.clone()).unwrap_or_default(),
                    message: event.map(|event| event.message.clone()).unwrap_or_default(),
                    ..state(RequestOutcome::Pending, self.pending(event, request.created))
                }
            }
        }
    }

    /// Of as many requests as the pod has sources for a signer, the one that tells most.
    fn worst(&self, signer: &str) -> Option<&ObservedRequest> {
        let sources = self.pod.pod.certificate_sources.iter();
        let sources = sources.filter(|source| source.signer_name == signer).count();
        let newest = self.requests.iter().rev().filter(|request| request.signer == signer).take(sources);
        newest.max_by_key(|request| {
            let severity = match request.outcome {
                Outcome::Issued { .. } => 0,
                Outcome::Pending => 1,
                Outcome::Refused { .. } => 2,
            };
            (severity, request.created)
        })
    }

    fn without_request(&self) -> String {
        let ObservedPod { pod, .. } = self.pod;
        let describe = format!("`{} describe pod {}`", self.kubectl, pod.name);
        match pod.phase {
            PodPhase::Finished => "Nothing: the pod has finished.".to_owned(),
            PodPhase::Running => format!(
                "Nothing, unless kubelet has warned. Kubernetes deletes requests after 15 minutes, so what the pod has isn't known here: \
                 `signerctl audit find --pod {}/{} FILE` finds it in the audit log.",
                pod.namespace, pod.name
            ),
            PodPhase::Pending if pod.node_name.is_empty() => {
                format!(
                    "Wait until the scheduler has found a node for the pod; kubelet asks then. {describe} says what keeps it."
                )
            }
            PodPhase::Pending => format!(
                "See {describe}: kubelet hasn't asked within the last 15 minutes. If it says nothing of the volume, the node's kubelet may be \
                 older than 1.34, or lack the feature gate PodCertificateRequest."
            ),
        }
    }

    /// Kubelet asks again only for another pod.
    pub(super) fn refused(&self) -> String {
        format!(
            "Correct what the message names; then replace the pod, as kubelet doesn't ask again for this one: `{} delete pod {}`.",
            self.kubectl, self.pod.pod.name
        )
    }

    /// Signers say why a request waits within seconds.
    fn pending(&self, event: Option<&Event>, asked_at: Timestamp) -> String {
        let waits = self.now.duration_since(asked_at).as_secs();
        match event {
            Some(_) => "Correct what the message names; the request then goes on.".to_owned(),
            None if waits < 30 => "Wait some seconds, and ask again.".to_owned(),
            None => "Nobody has answered: see whether a signer has this name (`signerctl status`), and whether it is ready.".to_owned(),
        }
    }
}

impl CertificateState {
    /// Whether the pod has what it needs, as far as requests tell.
    pub(super) fn is_good(&self, pod: &ObservedPod) -> bool {
        match self.outcome {
            RequestOutcome::Issued => true,
            RequestOutcome::NoRequest => pod.pod.phase != PodPhase::Pending,
            RequestOutcome::Denied | RequestOutcome::Failed | RequestOutcome::Pending => false,
        }
    }

    pub(super) fn shown(&self, look: Look, now: Timestamp) -> String {
        let (word, tone) = match self.outcome {
            RequestOutcome::Issued => ("issued", Tone::Good),
            RequestOutcome::NoRequest => ("no request", Tone::Coming),
            RequestOutcome::Pending => ("waits", Tone::Ending),
            RequestOutcome::Denied => ("denied", Tone::Bad),
            RequestOutcome::Failed => ("failed", Tone::Bad),
        };
        let reason = if self.reason.is_empty() { String::new() } else { format!("  {}", self.reason) };
        let asked = self.asked_at.map(|at| format!("  asked {}", from_now(at, now))).unwrap_or_default();
        let mut text = format!("  {}  {}{reason}{asked}\n", self.signer, look.paint(tone, word));
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
