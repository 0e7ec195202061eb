//! The core of a Kubernetes pod certificate signer.

pub mod api;
mod authority;
mod ca_pool;
pub mod cluster;
mod controller;
mod decision;
mod duration;
mod health;
mod issue;
mod key_type;
mod leaf;
mod manager;
pub mod names;
mod policy;
mod public_key;
mod reason;
mod request;
mod signer;
mod signer_name;
pub mod status;
pub mod testing;
mod trust_bundle;
mod watching;

pub use authority::{
    AuthorityError, CaCertificate, CertificateAuthority, NewRoot, SerialNumber, SigningKey, SigningKeyError,
    SigningKeyType, SigningKeyTypeError, root_common_name,
};
pub use ca_pool::{
    CaPool, DEFAULT_POLL, PoolBytes, PoolEntry, PoolError, PoolSource, PoolSourceError, PoolState, watch_pool,
};
pub use cluster::{CertificateSource, Pod, PodPhase, Service, Services, WorkloadSelector};
pub use decision::{Decision, Denial, Grounds, Wait};
pub use duration::{DurationError, format_duration, parse_duration};
pub use issue::{IssueError, IssuedCertificate, LifetimeLimit, MAX_CHAIN_BYTES, MAX_NAMES, Terms, issue};
pub use key_type::{KeyType, KeyTypeError};
pub use leaf::{ExtendedKeyUsage, KeyUsage, Leaf, Refresh};
pub use manager::{Manager, ManagerError, SignerOptions, shutdown_signal};
pub use names::{CommonName, CommonNameError, DnsName, DnsNameError, TrustDomain, TrustDomainError, Uri, UriError};
pub use policy::Policy;
pub use public_key::{MAX_KEY_FIELD_BYTES, PublicKey, PublicKeyError};
pub use reason::Reason;
pub use request::{Claims, ClaimsError, Request, ServicesNotWatched, Verdict, verify};
pub use signer::{BoxError, Signer};
pub use signer_name::{SignerName, SignerNameError};
pub use status::reasons;
