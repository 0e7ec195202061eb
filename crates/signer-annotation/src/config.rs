//! What an operator settles for an annotation signer.

use signer_core::{DnsName, Refresh, SignerName};
use spiffe_id::TrustDomain;

use crate::{grant::Grant, keys::LONGEST_PATH};

/// What an operator settles for an annotation signer. Each part holds only what is valid;
/// [`AnnotationSigner::new`](crate::AnnotationSigner::new) checks how the parts fit together.
///
/// ```
/// use signer_annotation::{AnnotationSigner, AnnotationSignerConfig};
///
/// let config = AnnotationSignerConfig::new("coolcert.example.com/foo".parse()?, "cluster.local".parse()?);
/// assert!(AnnotationSigner::new(config).is_ok());
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AnnotationSignerConfig {
    /// The signer's name: annotations are `<name>-<item>`.
    pub name: SignerName,
    /// The cluster's domain (`clusterDomain`), under which the pods' own names lie.
    pub cluster_domain: DnsName,
    /// The common name of a pod that doesn't ask for one (`commonName`).
    pub common_name: CommonNameDefault,
    /// Whether `<pod>.<namespace>.svc.<cluster domain>` is a pod's own name while no Service has it
    /// (`podServiceNames`). A Service of that name may come later, and the pod keeps the name until its
    /// certificate expires.
    pub pod_service_names: bool,
    /// Whose annotations count (`annotationsFrom`).
    pub annotations_from: AnnotationsFrom,
    /// The trust domain of the pods' own SPIFFE IDs (`trustDomain`). Without it, a pod has none.
    pub trust_domain: Option<TrustDomain>,
    /// Which pods may have names and usages beyond their own (`grants`).
    pub grants: Vec<Grant>,
    /// When a certificate whose pod doesn't say is refreshed (`refreshAt`). Without it: an hour before it
    /// expires, or after half of its lifetime if that is shorter.
    pub refresh: Option<Refresh>,
    /// The names of all configured signers, of whatever kind: a key that fits two of them belongs to the
    /// longer. This signer's own name may be among them.
    pub other_signers: Vec<SignerName>,
}

/// The common name of a pod that doesn't ask for one.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum CommonNameDefault {
    /// The pod's name, if it is a single label.
    #[default]
    PodName,
    /// None: the subject is empty.
    None,
}

/// Whose annotations count.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum AnnotationsFrom {
    /// Those of the volume source (`userAnnotations`) alone. They are part of the pod's spec, so nobody
    /// changes them under a pod.
    Volume,
    /// Those of the pod alone. Whoever may update or patch the pod changes them, its node included
    /// (`pods/status`).
    Pod,
    /// Those of the volume source; the pod's if it has none.
    #[default]
    Either,
}

/// Why a configuration makes no annotation signer.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ConfigError {
    /// No annotation could ever be meant for it.
    #[error(
        "name: {0} can't be an annotation signer: the part behind '/' has more than {LONGEST_PATH} characters, so that \
         keys such as {0}-duration are longer than Kubernetes lets an annotation's key be"
    )]
    NameTooLong(SignerName),
    /// Names under it couldn't be told from others.
    #[error(
        "clusterDomain: {0} {1}; write the domain that kubelet's clusterDomain has, for example cluster.local"
    )]
    ClusterDomain(DnsName, &'static str),
}

impl AnnotationSignerConfig {
    /// The defaults: the pod's name as common name and in front of `svc`, annotations from volume source or
    /// pod, no trust domain, no grants, no other signers.
    #[must_use]
    pub fn new(name: SignerName, cluster_domain: DnsName) -> Self {
        Self {
            name,
            cluster_domain,
            common_name: CommonNameDefault::default(),
            pod_service_names: true,
            annotations_from: AnnotationsFrom::default(),
            trust_domain: None,
            refresh: None,
            grants: Vec::new(),
            other_signers: Vec::new(),
        }
    }

    /// Checks how the parts fit together.
    pub(crate) fn check(&self) -> Result<(), ConfigError> {
        if self.name.path().len() > LONGEST_PATH {
            return Err(ConfigError::NameTooLong(self.name.clone()));
        }
        let broken_rule = if self.cluster_domain.is_wildcard() {
            "is a wildcard"
        } else if self.cluster_domain.as_str() == "svc" {
            // <pod>.pod.pod.svc would be a pod's own name and a name of Service form at once
            "is the suffix of short Service names"
        } else {
            return Ok(());
        };
        Err(ConfigError::ClusterDomain(self.cluster_domain.clone(), broken_rule))
    }
}

#[cfg(test)]
mod tests;
