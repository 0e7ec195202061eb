//! The core of Kubernetes pod certificate signers.
//!
//! Kubelet asks for a pod's certificate with a `PodCertificateRequest`, and hands the pod its trust anchors
//! from `ClusterTrustBundle`s. Whoever answers those requests is a signer. With this crate, a signer is what
//! decides **who a pod is**; the crate does the rest:
//!
//! - it watches the requests for the signer's name, and holds each against the pod that it names
//!   ([`request::verify`]);
//! - it asks the signer ([`Signer::decide`]), and does as it says: issues, denies, or waits until something
//!   changes;
//! - it issues from a CA pool that it reloads when its files change ([`ca_pool::issue`],
//!   [`ca_pool::CaPool`]);
//! - it publishes the trust anchors, and keeps them right;
//! - it runs any number of signers side by side ([`Manager`]), and tells what isn't ready, and why.
//!
//! # A complete signer
//! The pods of some namespaces get a client certificate for the team that the operator has given the
//! namespace to:
//!
//! ```no_run
//! use std::collections::BTreeMap;
//!
//! use signer_core::{BoxError, Decision, Leaf, Manager, PoolSource, Reason, Request, Signer, SignerName, SignerOptions, Uri, shutdown_signal};
//!
//! const NO_TEAM: Reason = Reason::from_static("PodHasNoTeam");
//!
//! struct TeamSigner {
//!     name: SignerName,
//!     /// By namespace, which is verified; a label is chosen by the pod's author.
//!     teams: BTreeMap<String, Uri>,
//! }
//!
//! impl Signer for TeamSigner {
//!     fn name(&self) -> &SignerName {
//!         &self.name
//!     }
//!
//!     async fn decide(&self, request: &Request) -> Result<Decision, BoxError> {
//!         let Some(team) = self.teams.get(request.namespace()) else {
//!             let message = format!("namespace {} belongs to no team; ask the signer's operator to add it", request.namespace());
//!             return Ok(Decision::deny(NO_TEAM, message));
//!         };
//!         Ok(Decision::issue(Leaf::client().uri(team.clone())))
//!     }
//! }
//!
//! #[tokio::main]
//! async fn main() -> Result<(), BoxError> {
//!     let teams = BTreeMap::from([("shop".to_owned(), "https://example.com/teams/shop".parse()?)]);
//!     let signer = TeamSigner { name: "teams.example.com/member".parse()?, teams };
//!     let options = SignerOptions::new(PoolSource::PoolFile("/run/ca-state/pool.json".into()));
//!     Manager::new(kube::Client::try_default().await?).signer(signer, options).run(shutdown_signal()?).await?;
//!     Ok(())
//! }
//! ```
//!
//! `decide` is easy to test, without a cluster:
//!
//! ```
//! # use signer_core::*;
//! # struct TeamSigner { name: SignerName, teams: std::collections::BTreeMap<String, Uri> }
//! # impl Signer for TeamSigner {
//! #     fn name(&self) -> &SignerName { &self.name }
//! #     async fn decide(&self, request: &Request) -> Result<Decision, BoxError> {
//! #         Ok(Decision::issue(Leaf::client().uri(self.teams[request.namespace()].clone())))
//! #     }
//! # }
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), BoxError> {
//! use signer_core::testing::RequestBuilder;
//!
//! let request = RequestBuilder::new("teams.example.com/member").namespace("shop").build();
//! let teams = [("shop".to_owned(), "https://example.com/teams/shop".parse()?)].into();
//! let signer = TeamSigner { name: request.signer_name().clone(), teams };
//! let Decision::Issue(leaf) = signer.decide(&request).await? else { panic!() };
//! assert_eq!(leaf.uris[0].as_str(), "https://example.com/teams/shop");
//! # Ok(())
//! # }
//! ```
//!
//! # What a signer may count on
//! - The request is the pod's: UID, node, service account, key type, lifetime and user annotations are what
//!   the pod's volume asks for, and the pod neither terminates nor has finished. What the user annotations
//!   and the pod's name, labels and annotations *say* is chosen by the pod's author: nothing of it makes the
//!   pod anybody's. Namespace and service account do: who may create pods with them Kubernetes decides.
//! - `Denied` is final for a pod, so the core is careful with it: what was decided on a cached pod or Service
//!   is decided again on fresh ones, and a running pod is denied only for what can't have changed under it
//!   ([`Grounds`]).
//! - `decide` is called again whenever something that the request waits for may have come.

pub mod certificate_facts;
mod clock;
pub mod cluster;
pub mod cluster_issuer;
mod controller;
pub mod decision;
pub mod deny;
pub mod federation;
mod handle;
mod health;
pub mod manager;
mod metrics;
mod overview;
mod policy;
pub mod pool_source;
pub mod preview;
mod process;
mod reason;
pub mod reasons;
mod replicas;
pub mod request;
mod request_source;
mod retry_after;
#[cfg(test)]
mod rotation_simulation;
mod signer;
mod status;
pub mod testing;
mod timer;
mod trust_bundle;
mod watching;

use api_client as api;
pub use ca_pool::{
    self, ANY_LABEL, ExtendedKeyUsage, KeyType, Leaf, PoolSource, Refresh,
    names::{CommonName, DnsName, SignerName, Uri},
};
pub use decision::{Decision, Denial, Grounds, Wait};
pub use handle::SignerHandle;
pub use manager::{Manager, SignerOptions, shutdown_signal};
pub use policy::Policy;
pub use prometheus_client;
pub use reason::Reason;
pub use replicas::replica_of_message;
pub use request::Request;
pub use signer::{BoxError, Signer};
