//! What a `PodCertificateRequest` claims, parsed once.

use std::{collections::BTreeMap, time::Duration};

use k8s_openapi::ByteString;

use crate::{
    api::PodCertificateRequest,
    cluster::pod::{DEFAULT_MAX_EXPIRATION_SECONDS, seconds},
};
use ca_pool::names::SignerName;
use ca_pool::names::SignerNameError;
use ca_pool::{PublicKey, PublicKeyError};

/// What a request says of itself. The key is proven to be the requester's (the API server has checked the
/// signature); for the rest, [`verify`](super::verify()) asks the pod.
#[derive(Clone, Debug, PartialEq, Eq)]
#[allow(missing_docs, reason = "named as in the request's spec")]
pub struct Claims {
    pub name: String,
    pub namespace: String,
    pub uid: String,
    pub signer_name: SignerName,
    pub pod_name: String,
    pub pod_uid: String,
    pub node_name: String,
    pub node_uid: String,
    pub service_account_name: String,
    pub service_account_uid: String,
    pub public_key: PublicKey,
    pub max_expiration: Duration,
    pub user_annotations: BTreeMap<String, String>,
}

/// Why a request can't be parsed.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ClaimsError {
    /// It has no key that this version of the API shows.
    #[error(
        "the request has neither stubPKCS10Request nor pkixPublicKey in the API version in which it was read; \
         a kubelet older than the API server sent it: upgrade the node's kubelet, or have the API server serve certificates.k8s.io/v1beta1"
    )]
    NoKey,
    /// It isn't whole: its keys and annotations were left out while it waited, and it wasn't read again.
    #[error("the request was read without its keys and annotations; it has to be read again")]
    Abridged,
    /// It has a key that isn't one.
    #[error(transparent)]
    Key(#[from] PublicKeyError),
    /// It is addressed to no signer.
    #[error("spec.signerName: {0}")]
    SignerName(#[from] SignerNameError),
    /// It is larger than the API server lets a request be.
    #[error("spec.unverifiedUserAnnotations has {0} bytes; {MAX_ANNOTATION_BYTES} are the most")]
    TooManyAnnotations(usize),
}

/// The API server's bound for all annotations of an object.
const MAX_ANNOTATION_BYTES: usize = 256 * 1024;

impl Claims {
    /// Parses a request.
    ///
    /// # Errors
    /// If it has no key, a key that can't be read, or is larger than the API server's bounds.
    pub fn parse(request: &PodCertificateRequest) -> Result<Self, ClaimsError> {
        let spec = &request.spec;
        if spec.is_abridged {
            return Err(ClaimsError::Abridged);
        }
        let annotation_bytes =
            spec.unverified_user_annotations.iter().map(|(key, value)| key.len() + value.len()).sum();
        if annotation_bytes > MAX_ANNOTATION_BYTES {
            return Err(ClaimsError::TooManyAnnotations(annotation_bytes));
        }
        Ok(Self {
            name: request.metadata.name.clone().unwrap_or_default(),
            namespace: request.metadata.namespace.clone().unwrap_or_default(),
            uid: request.metadata.uid.clone().unwrap_or_default(),
            signer_name: spec.signer_name.parse()?,
            pod_name: spec.pod_name.clone(),
            pod_uid: spec.pod_uid.clone(),
            node_name: spec.node_name.clone(),
            node_uid: spec.node_uid.clone(),
            service_account_name: spec.service_account_name.clone(),
            service_account_uid: spec.service_account_uid.clone(),
            public_key: public_key(
                bytes(spec.stub_pkcs10_request.as_ref()),
                bytes(spec.pkix_public_key.as_ref()),
            )?,
            max_expiration: seconds(spec.max_expiration_seconds.unwrap_or(DEFAULT_MAX_EXPIRATION_SECONDS)),
            user_annotations: spec.unverified_user_annotations.clone(),
        })
    }
}

fn bytes(field: Option<&ByteString>) -> &[u8] {
    field.map(|bytes| bytes.0.as_slice()).unwrap_or_default()
}

fn public_key(pkcs10: &[u8], pkix: &[u8]) -> Result<PublicKey, ClaimsError> {
    match (pkcs10, pkix) {
        ([], []) => Err(ClaimsError::NoKey),
        ([], pkix) => Ok(PublicKey::from_pkix(pkix)?),
        (pkcs10, _) => Ok(PublicKey::from_pkcs10(pkcs10)?),
    }
}
