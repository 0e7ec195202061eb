//! Live with Kubernetes pod certificates.

mod certificate;
mod client;
mod credentials;
mod load_error;
mod peer;
mod pem;
mod presented;
mod server;
mod spiffe_id;
mod trust_bundle;
mod watched;

pub use certificate::{Certificate, CertificateError};
pub use client::{Servers, client_config};
pub use credentials::{CredentialFiles, Credentials};
pub use load_error::{LoadError, Problem};
pub use peer::{PeerError, PeerRule, SpiffeRule, peer_spiffe_id, refusal};
pub use server::{Clients, server_config};
pub use spiffe_id::{SpiffeId, SpiffeIdError, TrustDomain};
pub use trust_bundle::{TrustBundle, TrustFile};
pub use watched::{DEFAULT_POLL, Look, Mounted, NotReady, Status, Watched};

/// aws-lc-rs: it alone signs and verifies P-521, which kubelet may make keys of. Given explicitly, so that a process with another default works too.
fn provider() -> std::sync::Arc<rustls::crypto::CryptoProvider> {
    std::sync::Arc::new(rustls::crypto::aws_lc_rs::default_provider())
}
