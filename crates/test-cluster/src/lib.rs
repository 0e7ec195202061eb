//! A real API server for tests and the demo, a stand-in for kubelet that asks it for certificates, and other
//! people's software that judges what was issued.
//!
//! Nothing here knows the signers or their core: what this crate accepts, a cluster accepts. README.md shows
//! how a test is written.

pub mod audit;
mod certificate;
mod cluster;
pub mod control_plane;
mod error;
mod events;
mod key;
mod kubelet;
mod minor;
mod outcome;
pub mod pod_volume;
mod scope;
mod served;
mod service;
mod trust_bundle;
pub mod unique;
pub mod verify;

pub use certificate::Certificate;
pub use cluster::{Cluster, own_control_plane, uses_existing};
pub use control_plane::{ControlPlane, Options, RealNode};
pub use error::{Answer, Error, story};
pub use events::ObjectEvent;
pub use key::{KeyType, PodKey};
pub use kubelet::{
    Answered, BoundPod, Burst, CertificateSource, Kubelet, NewPod, RequestDraft, RequestSpec, SentRequest,
};
pub use minor::{Minor, workspace_dir};
pub use outcome::{IssuedStatus, Outcome};
pub use scope::Scope;
pub use served::{KeyMaterial, Served};
pub use service::NewService;
pub use trust_bundle::TrustBundle;
