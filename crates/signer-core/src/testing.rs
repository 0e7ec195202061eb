//! Requests and certificates for tests of signers, without a cluster.

mod issue;

use std::{collections::BTreeMap, sync::Arc, time::Duration};

pub use self::issue::{TestIssueError, issue};
use crate::{
    cluster::{CertificateSource, Namespace, Pod, PodPhase, Service, Services},
    request::{Claims, Request},
};
use ca_pool::names::SignerName;
use ca_pool::{EXAMPLE_P256_SPKI, KeyType, PublicKey};

/// Builds a [`Request`] of a pod that has asked for it: pod `web-0` of service account `server` in namespace
/// `shop`, on node `node-1`, pending, with an ECDSA P-256 key, for 24 hours at most.
///
/// ```
/// use signer_core::testing::RequestBuilder;
///
/// let request = RequestBuilder::new("example.com/web").label("app", "web").build();
/// assert_eq!(request.pod().labels["app"], "web");
/// ```
#[derive(Clone, Debug)]
pub struct RequestBuilder {
    claims: Claims,
    pod: Pod,
    services: Option<Vec<Service>>,
    namespace_labels: BTreeMap<String, String>,
    signer_max_lifetime: Duration,
}

const DAY: Duration = Duration::from_secs(24 * 60 * 60);

impl RequestBuilder {
    /// A request to the signer of this name.
    ///
    /// # Panics
    /// If that is not a valid signer name.
    #[must_use]
    #[expect(clippy::unwrap_used, reason = "a test's constants are wrong once, at once")]
    pub fn new(signer_name: &str) -> Self {
        let signer_name: SignerName = signer_name.parse().unwrap();
        let pod = Pod {
            name: "web-0".into(),
            namespace: "shop".into(),
            uid: "8a9ef1a5-6f3c-4c5d-9d07-000000000001".into(),
            node_name: "node-1".into(),
            service_account_name: "server".into(),
            ..Pod::default()
        };
        let claims = Claims {
            name: "request-1".into(),
            namespace: pod.namespace.clone(),
            uid: "8a9ef1a5-6f3c-4c5d-9d07-000000000002".into(),
            signer_name,
            pod_name: pod.name.clone(),
            pod_uid: pod.uid.clone(),
            node_name: pod.node_name.clone(),
            node_uid: "8a9ef1a5-6f3c-4c5d-9d07-000000000003".into(),
            service_account_name: pod.service_account_name.clone(),
            service_account_uid: "8a9ef1a5-6f3c-4c5d-9d07-000000000004".into(),
            public_key: PublicKey::from_pkix(&EXAMPLE_P256_SPKI).unwrap(),
            max_expiration: DAY,
            user_annotations: BTreeMap::new(),
        };
        Self { claims, pod, services: None, namespace_labels: BTreeMap::new(), signer_max_lifetime: DAY }
    }

    /// Puts the pod, and with it the request, into this namespace.
    #[must_use]
    pub fn namespace(self, namespace: &str) -> Self {
        self.pod(|pod| pod.namespace = namespace.into())
    }

    /// Adds a label to the pod's namespace.
    #[must_use]
    pub fn namespace_label(mut self, key: &str, value: &str) -> Self {
        self.namespace_labels.insert(key.into(), value.into());
        self
    }

    /// Lets the pod run as this service account.
    #[must_use]
    pub fn service_account(self, name: &str) -> Self {
        self.pod(|pod| pod.service_account_name = name.into())
    }

    /// Changes the pod. The request follows: it claims what the pod is.
    #[must_use]
    pub fn pod(mut self, change: impl FnOnce(&mut Pod)) -> Self {
        change(&mut self.pod);
        self
    }

    /// Adds a label to the pod.
    #[must_use]
    pub fn label(self, key: &str, value: &str) -> Self {
        self.pod(|pod| drop(pod.labels.insert(key.into(), value.into())))
    }

    /// Adds an annotation to the pod.
    #[must_use]
    pub fn annotation(self, key: &str, value: &str) -> Self {
        self.pod(|pod| drop(pod.annotations.insert(key.into(), value.into())))
    }

    /// Makes it a refresh: the pod runs already.
    #[must_use]
    pub fn running(self) -> Self {
        self.pod(|pod| pod.phase = PodPhase::Running)
    }

    /// Adds a user annotation to the request.
    #[must_use]
    pub fn user_annotation(mut self, key: &str, value: &str) -> Self {
        self.claims.user_annotations.insert(key.into(), value.into());
        self
    }

    /// Gives the signer this configured maximum, and the request that one.
    #[must_use]
    pub fn max_lifetimes(mut self, signer: Duration, request: Duration) -> Self {
        self.signer_max_lifetime = signer;
        self.claims.max_expiration = request;
        self
    }

    /// Asks with another key.
    #[must_use]
    pub fn public_key(mut self, key: PublicKey) -> Self {
        self.claims.public_key = key;
        self
    }

    /// Lets these be the Services of the pod's namespace.
    #[must_use]
    pub fn services(mut self, services: impl IntoIterator<Item = Service>) -> Self {
        self.services = Some(services.into_iter().collect());
        self
    }

    /// The request.
    #[must_use]
    pub fn build(self) -> Request {
        let services = self.services.clone().map(|services| services.into_iter().collect::<Services>());
        let (signer_max_lifetime, labels) = (self.signer_max_lifetime, self.namespace_labels.clone());
        let (claims, pod) = self.parts();
        let namespace = Namespace {
            name: pod.namespace.clone(),
            uid: "8a9ef1a5-6f3c-4c5d-9d07-000000000005".into(),
            labels,
        };
        let namespace = Some(Arc::new(namespace));
        Request { claims: Arc::new(claims), pod: Arc::new(pod), services, namespace, signer_max_lifetime }
    }

    /// The request's claims and the pod. They agree: the claims name the pod's identity, and the pod's volume
    /// asks for what they say. A test of a request that contradicts its pod changes one of the two.
    #[must_use]
    pub fn parts(self) -> (Claims, Pod) {
        let Self { mut claims, mut pod, .. } = self;
        claims.namespace.clone_from(&pod.namespace);
        claims.pod_name.clone_from(&pod.name);
        claims.pod_uid.clone_from(&pod.uid);
        claims.node_name.clone_from(&pod.node_name);
        claims.service_account_name.clone_from(&pod.service_account_name);
        pod.certificate_sources.push(CertificateSource {
            signer_name: claims.signer_name.to_string(),
            key_type: claims.public_key.key_type().as_str().into(),
            max_expiration: claims.max_expiration,
            user_annotations: claims.user_annotations.clone(),
        });
        (claims, pod)
    }
}

/// The key type of the builder's key.
pub const KEY_TYPE: KeyType = KeyType::EcdsaP256;

#[cfg(test)]
mod tests;
