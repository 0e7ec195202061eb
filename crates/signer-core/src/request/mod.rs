//! A request that a signer decides on.

mod claims;
mod verify;

use std::{collections::BTreeMap, sync::Arc, time::Duration};

pub use claims::{Claims, ClaimsError};
pub use verify::{Verdict, verify};

use crate::cluster::{Namespace, Pod, Services, WorkloadSelector};
use ca_pool::names::SignerName;
use ca_pool::{KeyType, PublicKey};

/// A `PodCertificateRequest` whose key is parsed and whose claims have been held against the pod. All that it
/// tells of the pod is verified; the user annotations are the wishes of the pod's author.
#[derive(Clone, Debug)]
pub struct Request {
    pub(crate) claims: Arc<Claims>,
    pub(crate) pod: Arc<Pod>,
    pub(crate) services: Option<Services>,
    pub(crate) namespace: Option<Arc<Namespace>>,
    pub(crate) signer_max_lifetime: Duration,
}

/// The signer asked for Services without having said that it reads them.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("signer {0} reads Services, but its Signer::reads_services says that it doesn't; return true there")]
pub struct ServicesNotWatched(SignerName);

/// The signer asked for the namespace without having said that it reads it.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "signer {0} reads namespaces, but its Signer::reads_namespaces says that it doesn't; return true there"
)]
pub struct NamespaceNotRead(SignerName);

impl Request {
    /// The request's own name.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.claims.name
    }

    /// The namespace of the request and of the pod.
    #[must_use]
    pub fn namespace(&self) -> &str {
        &self.claims.namespace
    }

    /// The signer that it is addressed to.
    #[must_use]
    pub fn signer_name(&self) -> &SignerName {
        &self.claims.signer_name
    }

    /// The pod that it is for, as the API server tells it.
    #[must_use]
    pub fn pod(&self) -> &Pod {
        &self.pod
    }

    /// The UID of the pod's service account, as the request claims it. The pod's name for it is verified;
    /// that this is its UID the API server has checked for requests of nodes (NodeRestriction), and nobody
    /// else.
    #[must_use]
    pub fn claimed_service_account_uid(&self) -> &str {
        &self.claims.service_account_uid
    }

    /// The UID of the pod's node, as the request claims it: as with
    /// [`claimed_service_account_uid`](Self::claimed_service_account_uid).
    #[must_use]
    pub fn claimed_node_uid(&self) -> &str {
        &self.claims.node_uid
    }

    /// The key that is to be certified.
    #[must_use]
    pub fn public_key(&self) -> &PublicKey {
        &self.claims.public_key
    }

    /// The type of that key.
    #[must_use]
    pub fn key_type(&self) -> KeyType {
        self.claims.public_key.key_type()
    }

    /// `unverifiedUserAnnotations`: what the pod's author wrote into the volume, and nobody has checked.
    #[must_use]
    pub fn user_annotations(&self) -> &BTreeMap<String, String> {
        &self.claims.user_annotations
    }

    /// The longest lifetime that the request takes (`maxExpirationSeconds`).
    #[must_use]
    pub fn requested_max_lifetime(&self) -> Duration {
        self.claims.max_expiration
    }

    /// The longest lifetime that the signer is configured to give (`maxLifetime`).
    #[must_use]
    pub fn signer_max_lifetime(&self) -> Duration {
        self.signer_max_lifetime
    }

    /// The namespace, with its UID and labels, as it is now.
    ///
    /// # Errors
    /// If the signer doesn't say that it reads it
    /// ([`Signer::reads_namespaces`](crate::Signer::reads_namespaces)).
    pub fn namespace_object(&self) -> Result<&Namespace, NamespaceNotRead> {
        self.namespace.as_deref().ok_or_else(|| NamespaceNotRead(self.signer_name().clone()))
    }

    /// Whether the pod belongs to these workloads. Where they have a `namespaceSelector`, none does unless the signer
    /// says that it reads namespaces.
    #[must_use]
    pub fn is_of(&self, workloads: &WorkloadSelector) -> bool {
        workloads.contains(&self.pod, self.namespace.as_deref())
    }

    /// The Services of the pod's namespace.
    ///
    /// # Errors
    /// If the signer doesn't say that it reads them
    /// ([`Signer::reads_services`](crate::Signer::reads_services)).
    pub fn services(&self) -> Result<&Services, ServicesNotWatched> {
        self.services.as_ref().ok_or_else(|| ServicesNotWatched(self.signer_name().clone()))
    }
}
