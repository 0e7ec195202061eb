//! What an operator settles for a signer, whatever its kind.

use std::time::Duration;

use crate::{
    cluster::{Namespace, Pod, WorkloadSelector},
    decision::{Decision, Denial, Grounds},
    reasons,
};
use ca_pool::{KeyType, Leaf, LeafExtension, Refresh, Terms};

/// What an operator settles for a signer, whatever its kind.
///
/// ```
/// use signer_core::{KeyType, Policy};
///
/// let policy = Policy { key_types: vec![KeyType::EcdsaP256, KeyType::Ed25519], ..Policy::default() };
/// assert_eq!(policy.max_lifetime.as_secs(), 24 * 60 * 60);
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Policy {
    /// The longest lifetime of a certificate, backdating included. 24 h by default; from 1 h to 91 days, the
    /// API's bounds.
    pub max_lifetime: Duration,
    /// When kubelet shall ask for the next certificate, unless the signer says otherwise. After half of the
    /// lifetime by default.
    pub refresh: Refresh,
    /// How far a certificate is backdated, for clocks that are late: 2 minutes by default, 4 at most (the API
    /// server takes 5, less the time that writing takes).
    pub clock_skew: Duration,
    /// The key types that are accepted. All by default.
    pub key_types: Vec<KeyType>,
    /// Who may use the signer: who is in one of these. Without it, everybody.
    pub allow: Option<Vec<WorkloadSelector>>,
    /// Extensions that each certificate has behind those of its signer, such as
    /// [`cluster_issuer`](crate::cluster_issuer::cluster_issuer). None by default.
    pub extensions: Vec<LeafExtension>,
}

impl Default for Policy {
    fn default() -> Self {
        Self {
            max_lifetime: Terms::DEFAULT_MAX_LIFETIME,
            refresh: Terms::DEFAULT_REFRESH,
            clock_skew: Terms::DEFAULT_CLOCK_SKEW,
            key_types: KeyType::ALL.to_vec(),
            allow: None,
            extensions: Vec::new(),
        }
    }
}

impl Policy {
    /// The terms of a certificate for which at most this lifetime is wanted.
    pub(crate) fn terms(&self, requested_max: Duration) -> Terms {
        Terms {
            max_lifetime: self.max_lifetime,
            requested_max,
            clock_skew: self.clock_skew,
            refresh: self.refresh,
            ..Terms::default()
        }
    }

    /// The leaf with the extensions of this policy.
    pub(crate) fn with_extensions(&self, leaf: Leaf) -> Leaf {
        self.extensions.iter().cloned().fold(leaf, Leaf::extension)
    }

    /// Whether who may use the signer depends on labels of namespaces.
    #[must_use]
    pub fn reads_namespaces(&self) -> bool {
        self.allow.iter().flatten().any(|workloads| workloads.namespace_selector().is_some())
    }

    /// Refuses a pod that may not use the signer, and a key of a type that isn't accepted.
    pub(crate) fn refuses(
        &self,
        pod: &Pod,
        namespace: Option<&Namespace>,
        key_type: KeyType,
    ) -> Option<Decision> {
        let is_allowed = |workloads: &WorkloadSelector| workloads.contains(pod, namespace);
        if self.allow.as_ref().is_some_and(|allow| !allow.iter().any(is_allowed)) {
            let message = format!(
                "service account {} of namespace {} may not use this signer: its configuration has no `allow` entry for it",
                pod.service_account_name, pod.namespace
            );
            return Some(deny(reasons::IDENTITY_NOT_GRANTED, message));
        }
        if !self.key_types.contains(&key_type) {
            let accepted = KeyType::list(&self.key_types);
            let message = format!(
                "keyType {key_type} isn't accepted by this signer; set the volume's keyType to one of {accepted}"
            );
            return Some(deny(reasons::UNSUPPORTED_KEY_TYPE, message));
        }
        None
    }
}

/// Configuration changes, so a running pod isn't denied for it.
fn deny(reason: crate::reason::Reason, message: String) -> Decision {
    Denial { reason, message, grounds: Grounds::Changeable }.into()
}

#[cfg(test)]
mod tests;
