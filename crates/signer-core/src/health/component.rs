//! What a signer needs, and can lack.

use std::fmt;

/// Something that a signer needs in order to serve.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Component {
    /// The APIs that the cluster serves.
    Api,
    /// The watch of requests.
    PodCertificateRequests,
    /// The watch of pods that start.
    Pods,
    /// The watch of Services.
    Services,
    /// A CA that can sign.
    CertificateAuthority,
    /// The watch of the bundle.
    ClusterTrustBundles,
    /// The published trust anchors.
    TrustBundle,
    /// The API server's time.
    Clock,
    /// The requests that can't be finished.
    Issuance,
    /// The deny rules.
    DenyRules,
    /// The bundles of foreign trust domains.
    Federation,
    /// The signer itself.
    Signer,
}

impl fmt::Display for Component {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Api => "the certificates.k8s.io API",
            Self::PodCertificateRequests => "PodCertificateRequests",
            Self::Pods => "pods",
            Self::Services => "Services",
            Self::CertificateAuthority => "the certificate authority",
            Self::ClusterTrustBundles => "ClusterTrustBundles",
            Self::TrustBundle => "the trust bundle",
            Self::Clock => "the clock",
            Self::Issuance => "issuance",
            Self::DenyRules => "the deny rules",
            Self::Federation => "the federation",
            Self::Signer => "the signer",
        })
    }
}

impl Component {
    #[cfg(test)]
    pub(crate) const ALL: [Self; 12] = [
        Self::Api,
        Self::PodCertificateRequests,
        Self::Pods,
        Self::Services,
        Self::CertificateAuthority,
        Self::ClusterTrustBundles,
        Self::TrustBundle,
        Self::Clock,
        Self::Issuance,
        Self::DenyRules,
        Self::Federation,
        Self::Signer,
    ];

    /// As it is named in metrics.
    pub(crate) fn label(self) -> &'static str {
        match self {
            Self::Api => "api",
            Self::PodCertificateRequests => "pod-certificate-requests",
            Self::Pods => "pods",
            Self::Services => "services",
            Self::CertificateAuthority => "certificate-authority",
            Self::ClusterTrustBundles => "cluster-trust-bundles",
            Self::TrustBundle => "trust-bundle",
            Self::Clock => "clock",
            Self::Issuance => "issuance",
            Self::DenyRules => "deny-rules",
            Self::Federation => "federation",
            Self::Signer => "signer",
        }
    }
}
