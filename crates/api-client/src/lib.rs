//! The API server's objects as far as pod certificate signers read them, and calls with bounds on size and
//! time.
//!
//! The API server's answers are input like any other: sizes are checked before parsing, each object of a list
//! is parsed by itself, and nothing of a body reaches a log. `certificates.k8s.io` is read in whatever
//! version is served.

pub mod answer;
mod certificate_time;
mod cluster_trust_bundle;
pub mod discovery;
pub mod error;
mod items;
pub mod object;
mod pod_certificate_request;
pub mod read;
mod secret;
pub mod timeout;

pub use certificate_time::certificate_time_problem;
pub use cluster_trust_bundle::{ClusterTrustBundle, ClusterTrustBundleSpec};
pub use pod_certificate_request::{
    PodCertificateRequest, PodCertificateRequestSpec, PodCertificateRequestStatus,
};
pub use secret::{SecretDocument, SecretError, Secrets};
