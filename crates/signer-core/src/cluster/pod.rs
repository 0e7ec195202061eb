//! What counts of a pod.

use std::{collections::BTreeMap, time::Duration};

use k8s_openapi::api::core::v1 as core;

/// A pod, reduced to what identifies it and to what it asked for. Comes from a read of the API server, so all of it is verified.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Pod {
    /// `metadata.name`
    pub name: String,
    /// `metadata.namespace`
    pub namespace: String,
    /// `metadata.uid`
    pub uid: String,
    /// `metadata.labels`: what the pod's author wishes, or whoever may update the pod. They say nothing of who it is, as every author may write each
    /// label; only what selects them (a Service of the pod's namespace, say) can give them meaning.
    pub labels: BTreeMap<String, String>,
    /// `metadata.annotations`, without kubectl's last-applied configuration: what the pod's author wishes, or whoever may update the pod, its node included
    /// (`pods/status`). Nothing that they ask for may be given unseen.
    pub annotations: BTreeMap<String, String>,
    /// `spec.nodeName`; empty until the pod is bound.
    pub node_name: String,
    /// `spec.serviceAccountName`
    pub service_account_name: String,
    /// `spec.hostname`
    pub hostname: Option<String>,
    /// `spec.subdomain`
    pub subdomain: Option<String>,
    /// Whether it is being deleted.
    pub is_terminating: bool,
    /// Whether it mirrors a static pod: its node made it and says what it is. `NodeRestriction` lets no mirror pod have a certificate or a service account.
    pub is_mirror: bool,
    /// `status.phase`
    pub phase: PodPhase,
    /// The `podCertificate` sources of its projected volumes.
    pub certificate_sources: Vec<CertificateSource>,
}

/// `status.phase`, as far as it matters here.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum PodPhase {
    /// Not all containers have started: the certificate that it asks for is its first.
    #[default]
    Pending,
    /// Running, or unknown: a certificate that it asks for is a refresh.
    Running,
    /// Succeeded or failed: it needs no certificate any more.
    Finished,
}

/// A `podCertificate` source of a projected volume: what the pod's author asked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CertificateSource {
    /// `signerName`
    pub signer_name: String,
    /// `keyType`
    pub key_type: String,
    /// `maxExpirationSeconds`, which defaults to 24 h.
    pub max_expiration: Duration,
    /// `userAnnotations`, which reach the request as `unverifiedUserAnnotations`.
    pub user_annotations: BTreeMap<String, String>,
}

/// The API server's default for `maxExpirationSeconds`.
pub(crate) const DEFAULT_MAX_EXPIRATION_SECONDS: i32 = 86_400;

/// On the pod that stands for a static pod of a node.
pub(crate) const MIRROR: &str = "kubernetes.io/config.mirror";

const LAST_APPLIED: &str = "kubectl.kubernetes.io/last-applied-configuration";

impl Pod {
    /// Whether one of its volumes asks for a certificate of this signer.
    #[must_use]
    pub fn asks_for(&self, signer_name: &str) -> bool {
        self.certificate_sources.iter().any(|source| source.signer_name == signer_name)
    }
}

impl From<core::Pod> for Pod {
    fn from(pod: core::Pod) -> Self {
        let spec = pod.spec.unwrap_or_default();
        let mut annotations = pod.metadata.annotations.unwrap_or_default();
        annotations.remove(LAST_APPLIED);
        let is_mirror = annotations.contains_key(MIRROR);
        Self {
            name: pod.metadata.name.unwrap_or_default(),
            namespace: pod.metadata.namespace.unwrap_or_default(),
            uid: pod.metadata.uid.unwrap_or_default(),
            labels: pod.metadata.labels.unwrap_or_default(),
            annotations,
            certificate_sources: certificate_sources(spec.volumes),
            node_name: spec.node_name.unwrap_or_default(),
            service_account_name: spec.service_account_name.unwrap_or_default(),
            hostname: spec.hostname.filter(|name| !name.is_empty()),
            subdomain: spec.subdomain.filter(|name| !name.is_empty()),
            is_mirror,
            is_terminating: pod.metadata.deletion_timestamp.is_some(),
            phase: pod.status.map(phase).unwrap_or_default(),
        }
    }
}

/// Kubernetes calls a pod pending until all its containers have started. One of them that runs already may hold a certificate, so such a pod counts as
/// running here: its next certificate is a refresh.
fn phase(status: core::PodStatus) -> PodPhase {
    match status.phase.as_deref() {
        None | Some("" | "Pending") if runs_a_container(&status) => PodPhase::Running,
        None | Some("" | "Pending") => PodPhase::Pending,
        Some("Succeeded" | "Failed") => PodPhase::Finished,
        Some(_) => PodPhase::Running,
    }
}

fn runs_a_container(status: &core::PodStatus) -> bool {
    let lists =
        [&status.init_container_statuses, &status.container_statuses, &status.ephemeral_container_statuses];
    let mut containers = lists.into_iter().flatten().flatten();
    containers.any(|container| container.state.as_ref().is_some_and(|state| state.running.is_some()))
}

fn certificate_sources(volumes: Option<Vec<core::Volume>>) -> Vec<CertificateSource> {
    let projected = volumes.unwrap_or_default().into_iter().filter_map(|volume| volume.projected?.sources);
    let sources = projected.flatten().filter_map(|source| source.pod_certificate);
    sources
        .map(|source| CertificateSource {
            signer_name: source.signer_name,
            key_type: source.key_type,
            max_expiration: seconds(source.max_expiration_seconds.unwrap_or(DEFAULT_MAX_EXPIRATION_SECONDS)),
            user_annotations: source.user_annotations.unwrap_or_default(),
        })
        .collect()
}

/// A negative number of seconds, which the API server doesn't let pass, counts as none.
pub(crate) fn seconds(seconds: i32) -> Duration {
    Duration::from_secs(u64::try_from(seconds).unwrap_or(0))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_mirror_pod_is_known_by_its_annotation() {
        let mut pod = core::Pod::default();
        assert!(!Pod::from(pod.clone()).is_mirror);
        pod.metadata.annotations = Some([(MIRROR.to_owned(), String::new())].into());
        assert!(Pod::from(pod).is_mirror);
    }

    #[test]
    fn a_pending_pod_with_a_container_that_runs_counts_as_running() {
        let running = core::ContainerState {
            running: Some(core::ContainerStateRunning::default()),
            ..Default::default()
        };
        let container = core::ContainerStatus { state: Some(running), ..Default::default() };
        let status = core::PodStatus { phase: Some("Pending".into()), ..Default::default() };
        assert_eq!(phase(status.clone()), PodPhase::Pending);
        let sidecar = core::PodStatus { init_container_statuses: Some(vec![container]), ..status };
        assert_eq!(phase(sidecar), PodPhase::Running);
    }
}
