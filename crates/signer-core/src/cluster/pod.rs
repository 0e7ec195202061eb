//! What counts of a pod.

use std::{collections::BTreeMap, time::Duration};

use serde::{Deserialize, de::IgnoredAny};

use crate::api::{
    answer::SizeClass,
    object::{ApiObject, Identity, Metadata, map_size},
};

/// A pod, reduced to what identifies it and to what it asked for. Comes from a read of the API server, so all
/// of it is verified.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Pod {
    /// `metadata.name`
    pub name: String,
    /// `metadata.namespace`
    pub namespace: String,
    /// `metadata.uid`
    pub uid: String,
    /// `metadata.labels`: chosen by the pod's author, or by whoever may update the pod. They say nothing of
    /// who it is, as every author may write each label; only what selects them (a Service of the pod's
    /// namespace, say) can give them meaning.
    pub labels: BTreeMap<String, String>,
    /// `metadata.annotations`, without kubectl's last-applied configuration: chosen by the pod's author, or
    /// by whoever may update the pod, its node included (`pods/status`). Nothing that they ask for may be
    /// given unseen.
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
    /// Whether it mirrors a static pod: its node made it and says what it is. `NodeRestriction` lets no
    /// mirror pod have a certificate or a service account.
    pub is_mirror: bool,
    /// `status.phase`
    pub phase: PodPhase,
    /// The `podCertificate` sources of its projected volumes.
    pub certificate_sources: Vec<CertificateSource>,
}

/// `status.phase`, as far as it matters here.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum PodPhase {
    /// No container has started yet: the certificate that it asks for is its first.
    #[default]
    Pending,
    /// Some container has started, or it is unknown whether one has: a certificate that it asks for is a
    /// refresh.
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

    /// How much memory it takes, about, as far as its author decides.
    pub(crate) fn size(&self) -> usize {
        let sources = self.certificate_sources.iter().map(|source| {
            size_of::<CertificateSource>()
                + source.signer_name.len()
                + source.key_type.len()
                + map_size(&source.user_annotations)
        });
        map_size(&self.labels) + map_size(&self.annotations) + sources.sum::<usize>()
    }
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub struct PodWire {
    metadata: Metadata,
    spec: Option<PodSpecWire>,
    status: Option<PodStatusWire>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct PodSpecWire {
    node_name: Option<String>,
    service_account_name: Option<String>,
    hostname: Option<String>,
    subdomain: Option<String>,
    volumes: Option<Vec<VolumeWire>>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct VolumeWire {
    projected: Option<ProjectedWire>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct ProjectedWire {
    sources: Option<Vec<SourceWire>>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct SourceWire {
    pod_certificate: Option<PodCertificateWire>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct PodCertificateWire {
    signer_name: String,
    key_type: String,
    max_expiration_seconds: Option<i32>,
    user_annotations: Option<BTreeMap<String, String>>,
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct PodStatusWire {
    phase: Option<String>,
    init_container_statuses: Option<Vec<ContainerWire>>,
    container_statuses: Option<Vec<ContainerWire>>,
    ephemeral_container_statuses: Option<Vec<ContainerWire>>,
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct ContainerWire {
    state: Option<StateWire>,
    last_state: Option<StateWire>,
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
struct StateWire {
    running: Option<IgnoredAny>,
    terminated: Option<IgnoredAny>,
}

impl ApiObject for Pod {
    type Wire = PodWire;
    const KIND: &'static str = "Pod";
    const SIZE_CLASS: SizeClass = SizeClass::Pods;

    fn from_wire(PodWire { mut metadata, spec, status }: PodWire) -> Result<Self, String> {
        metadata.require_names(true)?;
        let spec = spec.unwrap_or_default();
        let mut annotations = metadata.annotations.take().unwrap_or_default();
        annotations.remove(LAST_APPLIED);
        let is_mirror = annotations.contains_key(MIRROR);
        let labels = metadata.labels.take().unwrap_or_default();
        Ok(Self {
            is_mirror,
            labels,
            annotations,
            certificate_sources: certificate_sources(spec.volumes.unwrap_or_default()),
            node_name: spec.node_name.unwrap_or_default(),
            service_account_name: spec.service_account_name.unwrap_or_default(),
            hostname: spec.hostname.filter(|name| !name.is_empty()),
            subdomain: spec.subdomain.filter(|name| !name.is_empty()),
            phase: status.map(|status| phase(&status)).unwrap_or_default(),
            ..Self::gone(metadata.identity())
        })
    }

    fn gone(identity: Identity) -> Self {
        Self {
            name: identity.name.unwrap_or_default(),
            namespace: identity.namespace.unwrap_or_default(),
            uid: identity.uid.unwrap_or_default(),
            is_terminating: identity.is_terminating,
            ..Self::default()
        }
    }
}

/// Kubernetes calls a pod pending until all its containers have started. Kubelet mounts all volumes before it
/// starts the first one, be it an init container: once one has started, the pod has its certificates, and
/// counts as running here, as its next ones are refreshes.
fn phase(status: &PodStatusWire) -> PodPhase {
    match status.phase.as_deref() {
        None | Some("" | "Pending") if has_started_a_container(status) => PodPhase::Running,
        None | Some("" | "Pending") => PodPhase::Pending,
        Some("Succeeded" | "Failed") => PodPhase::Finished,
        Some(_) => PodPhase::Running,
    }
}

fn has_started_a_container(status: &PodStatusWire) -> bool {
    let lists =
        [&status.init_container_statuses, &status.container_statuses, &status.ephemeral_container_statuses];
    let containers = lists.into_iter().flatten().flatten();
    let mut states = containers.flat_map(|container| [&container.state, &container.last_state]).flatten();
    states.any(|state| state.running.is_some() || state.terminated.is_some())
}

fn certificate_sources(volumes: Vec<VolumeWire>) -> Vec<CertificateSource> {
    let projected = volumes.into_iter().filter_map(|volume| volume.projected?.sources);
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
mod tests;
