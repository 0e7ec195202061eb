//! The service-dns signer: a TLS server certificate with the DNS names of the Services that select the pod.
//!
//! What a certificate says:
//!
//! | field | value |
//! |---|---|
//! | Subject | empty |
//! | Subject alternative names | `<service>.<namespace>.<suffix>` for each Service that selects the pod and each suffix (by default `svc` alone), sorted; with `podNames` also `<hostname>.<subdomain>.<namespace>.<suffix>` |
//! | Extended key usage | serverAuth |
//!
//! Services of type ClusterIP (headless ones too), NodePort and LoadBalancer count; ExternalName ones and
//! those without a selector stand for no pods. A pod's author picks among them by a user annotation of the
//! volume source:
//!
//! ```yaml
//! podCertificate:
//!   signerName: row-major.net/service-dns
//!   keyType: ECDSAP256
//!   userAnnotations: {row-major.net/service-dns-services: "web, web-internal"}
//! ```

mod dns_suffix;
mod explain;
mod naming;
mod picked_services;
mod signer;

pub use dns_suffix::{DnsSuffix, DnsSuffixError};
pub use naming::{Naming, NamingError};
pub use signer::{NoServices, ServiceDnsConfig, ServiceDnsSigner};
