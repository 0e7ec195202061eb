//! The objects of `certificates.k8s.io`, in whatever version the API server serves them.

pub(crate) mod answer;
mod cluster_trust_bundle;
pub(crate) mod discovery;
pub(crate) mod error;
mod items;
pub(crate) mod object;
mod pod_certificate_request;
pub(crate) mod read;
mod secret;
pub(crate) mod timeout;

pub use crate::clock::certificate_time_problem;
pub use cluster_trust_bundle::{ClusterTrustBundle, ClusterTrustBundleSpec};
pub use pod_certificate_request::{
    PodCertificateRequest, PodCertificateRequestSpec, PodCertificateRequestStatus,
};
pub use secret::{SecretDocument, SecretError, Secrets};
