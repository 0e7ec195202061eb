//! What a signer would make of a pod: its decision, and a certificate of a CA that is made for it. Nothing is
//! asked of a cluster, so a manifest can be judged before it is applied.

use std::{
    collections::{HashMap, hash_map::Entry},
    sync::Arc,
};

use ca_pool::{
    AuthorityError, CertificateAuthority, IssueError, IssuedCertificate, KeyType, Leaf, NewRoot, PublicKey,
    SerialNumber, SigningKey, SigningKeyError, SigningKeyType, Terms,
};
use jiff::Timestamp;

use crate::{
    cluster::{CertificateSource, Namespace, Pod, Services},
    decision::{Decision, Denial, Wait},
    policy::Policy,
    request::{Claims, Request},
    signer::{BoxError, Signer},
};

/// What a signer would make of a pod.
#[derive(Debug)]
pub enum Preview {
    /// It would issue this certificate, with another key, serial number and CA.
    Issued(Box<IssuedCertificate>),
    /// It would deny the request, which is final for the pod.
    Denied(Denial),
    /// The pod would wait.
    Waiting(Wait),
    /// Its leaf breaks a rule that holds for all certificates, so the pod would wait.
    LeafRefused(IssueError),
}

/// Why there is no preview.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum PreviewError {
    /// The pod's source asks for a key of a type that doesn't exist.
    #[error("keyType: {0}")]
    KeyType(#[from] ca_pool::KeyTypeError),
    /// `decide` has failed.
    #[error("the signer can't decide: {0}")]
    Signer(BoxError),
    /// The CA or the key can't be made.
    #[error(transparent)]
    Authority(#[from] AuthorityError),
}

/// What counts of a cluster beside the pod.
#[derive(Clone, Copy, Debug)]
pub struct Surroundings<'a> {
    /// The Services of the pod's namespace.
    pub services: &'a Services,
    /// The pod's namespace; one that isn't known has no labels.
    pub namespace: Option<&'a Namespace>,
}

/// Previews what signers would make of pods at one moment: with a CA that is made for it, and a key of each type
/// that pods ask for, neither of which leaves it.
#[derive(Debug)]
pub struct Previewer {
    authority: CertificateAuthority,
    keys: HashMap<KeyType, PublicKey>,
    now: Timestamp,
}

impl Previewer {
    /// Of what would be issued `now`.
    ///
    /// # Errors
    /// If no key can be made.
    pub fn new(now: Timestamp) -> Result<Self, AuthorityError> {
        Ok(Self { authority: authority(now)?, keys: HashMap::new(), now })
    }

    /// Asks the policy, and then the signer, as the controller does for a request of that pod. The CA pool and deny
    /// rules play no part, and refreshes aren't spread: the certificate's is the latest that there may be.
    ///
    /// # Errors
    /// If the signer fails, or the pod's key type doesn't exist.
    pub async fn preview(
        &mut self,
        signer: &impl Signer,
        policy: &Policy,
        pod: &Pod,
        source: &CertificateSource,
        surroundings: Surroundings<'_>,
    ) -> Result<Preview, PreviewError> {
        let Surroundings { services, namespace } = surroundings;
        let unknown = unknown_namespace(pod);
        let namespace = namespace.unwrap_or(&unknown);
        let request = Request {
            claims: Arc::new(claims(signer, pod, source, self.key(source.key_type.parse()?)?)),
            pod: Arc::new(pod.clone()),
            services: signer.reads_services().then(|| services.clone()),
            namespace: signer.reads_namespaces().then(|| Arc::new(namespace.clone())),
            signer_max_lifetime: policy.max_lifetime,
        };
        let decision = match policy.refuses(pod, Some(namespace), request.key_type()) {
            Some(refusal) => refusal,
            None => signer.decide(&request).await.map_err(PreviewError::Signer)?,
        };
        let leaf = match decision {
            Decision::Issue(leaf) => policy.with_extensions(*leaf),
            Decision::Deny(denial) => return Ok(Preview::Denied(denial)),
            Decision::Wait(wait) => return Ok(Preview::Waiting(wait)),
        };
        let terms = policy.terms(source.max_expiration);
        Ok(match self.issue(&leaf, request.public_key(), &terms) {
            Ok(certificate) => Preview::Issued(Box::new(certificate)),
            Err(error) => Preview::LeafRefused(error),
        })
    }

    /// Nobody trusts the CA, so its serial numbers needn't differ.
    pub(crate) fn issue(
        &self,
        leaf: &Leaf,
        key: &PublicKey,
        terms: &Terms,
    ) -> Result<IssuedCertificate, IssueError> {
        ca_pool::issue(leaf, key, terms, &self.authority, SerialNumber::from_random([1; 16]), self.now)
    }

    fn key(&mut self, key_type: KeyType) -> Result<PublicKey, AuthorityError> {
        Ok(match self.keys.entry(key_type) {
            Entry::Occupied(known) => known.get().clone(),
            Entry::Vacant(unknown) => unknown.insert(new_key(key_type)?).clone(),
        })
    }
}

/// Of a namespace that may not be there yet, the name is known, and nothing else.
fn unknown_namespace(pod: &Pod) -> Namespace {
    Namespace { name: pod.namespace.clone(), uid: UNKNOWN_UID.to_owned(), ..Namespace::default() }
}

/// Stands for UIDs that only a cluster gives.
const UNKNOWN_UID: &str = "00000000-0000-4000-8000-000000000000";

/// The request that kubelet would make of it.
fn claims(signer: &impl Signer, pod: &Pod, source: &CertificateSource, public_key: PublicKey) -> Claims {
    Claims {
        name: "preview".to_owned(),
        namespace: pod.namespace.clone(),
        uid: pod.uid.clone(),
        signer_name: signer.name().clone(),
        pod_name: pod.name.clone(),
        pod_uid: pod.uid.clone(),
        node_name: pod.node_name.clone(),
        node_uid: UNKNOWN_UID.to_owned(),
        service_account_name: pod.service_account_name.clone(),
        service_account_uid: UNKNOWN_UID.to_owned(),
        public_key,
        max_expiration: source.max_expiration,
        user_annotations: source.user_annotations.clone(),
    }
}

fn new_key(key_type: KeyType) -> Result<PublicKey, AuthorityError> {
    let signing = match key_type {
        KeyType::Rsa3072 => SigningKeyType::Rsa(3072),
        KeyType::Rsa4096 => SigningKeyType::Rsa(4096),
        KeyType::EcdsaP256 => SigningKeyType::EcdsaP256,
        KeyType::EcdsaP384 => SigningKeyType::EcdsaP384,
        KeyType::EcdsaP521 => SigningKeyType::EcdsaP521,
        KeyType::Ed25519 => SigningKeyType::Ed25519,
    };
    let key = SigningKey::generate(signing)?;
    let failed = |_| SigningKeyError::Failed { action: "read", key_type: signing };
    Ok(PublicKey::from_pkix(key.spki_der()).map_err(failed)?)
}

fn authority(now: Timestamp) -> Result<CertificateAuthority, AuthorityError> {
    let root = NewRoot {
        id: "1".to_owned(),
        common_name: ca_pool::root_common_name("test", "1", [0; 4])
            .map_err(|error| AuthorityError::NewRoot(error.to_string()))?,
        uri: None,
        validity: NewRoot::DEFAULT_VALIDITY,
    };
    let serial = SerialNumber::from_random([1; 16]);
    CertificateAuthority::new_root(root, SigningKey::generate(SigningKeyType::EcdsaP256)?, serial, now)
}

#[cfg(test)]
mod tests;
