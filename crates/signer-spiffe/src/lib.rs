//! The spiffe signer: an X.509-SVID that names the pod's service account.
//!
//! What a certificate says:
//!
//! | field | value |
//! |---|---|
//! | Subject | empty |
//! | Subject alternative names | one URI, `spiffe://<trust domain>/ns/<namespace>/sa/<service account>` unless another path is configured; with service names, also the DNS names of the service-dns signer |
//! | Extended key usage | clientAuth and serverAuth |
//!
//! The rules come from the SPIFFE standard: SPIFFE-ID §2 for the ID, X509-SVID §4 and appendix A for the
//! certificate.

mod path;
mod signer;
mod trust_domain;

pub use path::{PathTemplate, PathTemplateError};
pub use signer::{SpiffeConfig, SpiffeSigner};
pub use spiffe_id::TrustDomain;
pub use trust_domain::{TrustDomainError, parse_trust_domain};
